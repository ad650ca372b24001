// Twilio's own library for Node against the simulator, whose address and secrets are in the environment.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

const require = createRequire(`${process.env.NODE_MODULES}/`);
const twilio = require('twilio');

const { SIM_URL, SIM_ACCOUNT, SIM_TOKEN, SIM_KEY, SIM_SECRET, SIM_FROM } = process.env;

// The library is told nothing but another host: requests are otherwise its own.
class Elsewhere extends twilio.RequestClient {
  request(options) {
    const asked = new URL(options.uri);
    return super.request({ ...options, uri: SIM_URL + asked.pathname + asked.search });
  }
}
const byToken = twilio(SIM_ACCOUNT, SIM_TOKEN, { httpClient: new Elsewhere() });
const byKey = twilio(SIM_KEY, SIM_SECRET, { accountSid: SIM_ACCOUNT, httpClient: new Elsewhere() });

const heard = [];
let waiting = () => {};
let hook;
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => {
    const params = Object.fromEntries(new URLSearchParams(body));
    const valid = twilio.validateRequest(SIM_TOKEN, request.headers['x-twilio-signature'], hook + request.url, params);
    const forged = twilio.validateRequest(SIM_TOKEN + 'x', request.headers['x-twilio-signature'], hook + request.url, params);
    heard.push({ url: request.url, params, valid, forged });
    response.end();
    waiting();
  });
});

before(async () => {
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  hook = `http://127.0.0.1:${server.address().port}`;
});
after(() => new Promise((closed) => { server.close(closed); server.closeAllConnections(); }));

async function until(found) {
  for (;;) {
    const it = found();
    if (it) return it;
    await new Promise((news) => { waiting = news; });
  }
}

async function refused(promise, status, code) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.constructor.name, 'RestException');
    assert.deepEqual([error.status, error.code], [status, code], error.message);
    assert.ok(error.message && error.moreInfo.endsWith(`/${code}`));
    return true;
  });
}

const send = (to, more = {}) => byToken.messages.create({ to, from: SIM_FROM, body: 'Interlane: pay at https://pay.example/p#abc', ...more });

test('a text is accepted, told of with a good signature, and delivered', { timeout: 20_000 }, async () => {
  const sent = await send('+18045550142', { statusCallback: `${hook}/hooks/twilio/status?m=1&n=a%20b`, validityPeriod: 570 });
  assert.match(sent.sid, /^SM[0-9a-f]{32}$/);
  assert.equal(sent.status, 'queued');
  assert.equal(sent.direction, 'outbound-api');
  assert.equal(sent.numSegments, '1');
  assert.equal(sent.accountSid, SIM_ACCOUNT);
  assert.equal(sent.price, null);
  assert.equal(sent.dateSent, null);
  assert.ok(sent.dateCreated instanceof Date && !Number.isNaN(+sent.dateCreated));

  const told = (status) => heard.find((call) => call.params.MessageSid === sent.sid && call.params.MessageStatus === status);
  for (const status of ['sent', 'delivered']) {
    const call = await until(() => told(status));
    assert.equal(call.valid, true);
    assert.equal(call.forged, false);
    assert.equal(call.url, '/hooks/twilio/status?m=1&n=a%20b');
    assert.equal(call.params.SmsSid, sent.sid);
    assert.equal(call.params.To, '+18045550142');
  }
  const fetched = await byToken.messages(sent.sid).fetch(); // sent.fetch() of 6.2.0 forgets the sid
  assert.equal(fetched.status, 'delivered');
  assert.ok(fetched.dateSent instanceof Date);
  assert.equal(fetched.errorCode, null);
});

test('an undelivered text carries its code', { timeout: 20_000 }, async () => {
  const sent = await byKey.messages.create({ to: '+18045550191', from: SIM_FROM, body: 'x', statusCallback: `${hook}/s` });
  const call = await until(() => heard.find((c) => c.params.MessageSid === sent.sid && c.params.MessageStatus === 'undelivered'));
  assert.equal(call.params.ErrorCode, '30003');
  assert.equal(call.valid, true);
  const fetched = await byKey.messages(sent.sid).fetch();
  assert.deepEqual([fetched.status, fetched.errorCode], ['undelivered', 30003]);
});

test('refusals are RestExceptions with Twilio\'s codes', { timeout: 20_000 }, async () => {
  for (const [to, code] of [['+15005550001', 21211], ['+15005550002', 21612], ['+15005550003', 21408], ['+15005550004', 21610],
    ['+15005550009', 21614], ['+18045550197', 21610], ['+14155238886', 21211]]) {
    await refused(send(to), 400, code);
  }
  for (const [from, status, code] of [['+15005550001', 400, 21212], ['+15005550007', 400, 21606], ['+15005550008', 429, 21611]]) {
    await refused(send('+18045550142', { from }), status, code);
  }
  await refused(send('+18045550142', { body: 'x'.repeat(1601) }), 400, 21617);
  await refused(twilio(SIM_ACCOUNT, 'wrong', { httpClient: new Elsewhere() }).messages.create({ to: '+18045550142', from: SIM_FROM, body: 'x' }), 401, 20003);
  await refused(byToken.messages('SM00000000000000000000000000000000').fetch(), 404, 20404);
  await refused(send('+18045550199'), 429, 20429);
  await send('+18045550199');
});

test('lists go through every page and obey their filters', { timeout: 20_000 }, async () => {
  const sids = [];
  for (let i = 0; i < 5; i++) sids.unshift((await send('+18045550160', { body: `page ${i}` })).sid);
  for (;;) { // until all are sent, so that the date filter sees them
    const list = await byToken.messages.list({ to: '+18045550160', pageSize: 2 });
    assert.deepEqual(list.map((m) => m.sid), sids);
    if (list.every((m) => m.status === 'delivered')) break;
  }
  const hourAgo = new Date(Date.now() - 3_600_000);
  assert.equal((await byToken.messages.list({ to: '+18045550160', dateSentAfter: hourAgo, pageSize: 2 })).length, 5);
  assert.equal((await byToken.messages.list({ to: '+18045550160', dateSentBefore: hourAgo })).length, 0);
  assert.equal((await byToken.messages.list({ to: '+18045550160', limit: 3 })).length, 3);
  const page = await byToken.messages.page({ to: '+18045550160', pageSize: 2 });
  assert.equal(page.instances.length, 2);
  assert.equal((await (await page.nextPage()).nextPage()).instances.length, 1);
});

test('a finished text is redacted and removed, a sent one cannot be canceled', { timeout: 20_000 }, async () => {
  const sent = await send('+18045550161', { statusCallback: `${hook}/s` });
  await until(() => heard.find((c) => c.params.MessageSid === sent.sid && c.params.MessageStatus === 'delivered'));
  await refused(byToken.messages(sent.sid).update({ status: 'canceled' }), 409, 30409);
  assert.equal((await byToken.messages(sent.sid).update({ body: '' })).body, '');
  assert.equal(await byToken.messages(sent.sid).remove(), true);
  await refused(byToken.messages(sent.sid).fetch(), 404, 20404);
});

test('Lookup v2 tells the line', { timeout: 20_000 }, async () => {
  const look = (number) => byKey.lookups.v2.phoneNumbers(number).fetch({ fields: 'line_type_intelligence' });
  for (const [number, type] of [['+18045550142', 'mobile'], ['+18045550182', 'landline'], ['+18045550185', 'nonFixedVoip'], ['+18045550186', 'unknown']]) {
    const found = await look(number);
    assert.equal(found.valid, true);
    assert.equal(found.lineTypeIntelligence.type, type);
    assert.equal(found.nationalFormat, `(804) 555-${number.slice(-4)}`);
  }
  const wrong = await look('+15005550001');
  assert.equal(wrong.valid, false);
  assert.deepEqual(wrong.validationErrors, ['INVALID_BUT_POSSIBLE']);
  await assert.rejects(look('+18045550187'), (error) => error.status === 503);
});

test('a reply is told with a good signature and ends texts until START', { timeout: 20_000 }, async () => {
  const reply = async (body) => {
    const answer = await fetch(`${SIM_URL}/phone/replies`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ from: '+18045550162', body }),
    });
    assert.equal(answer.status, 201);
  };
  await reply('stop');
  await refused(send('+18045550162'), 400, 21610);
  await reply('START');
  await send('+18045550162');
});
