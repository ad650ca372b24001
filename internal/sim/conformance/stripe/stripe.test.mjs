// Stripe's own Node library against the simulator: what nobody here wrote must work with it unchanged.
// Run by conformance_test.go, which starts the simulator and gives its address and keys in the environment.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

const { SIM_URL, SIM_SECRET_KEY, SIM_PUBLISHABLE_KEY, SIM_WEBHOOK_SECRET, SIM_WEBHOOK_PORT, SIM_ACCOUNT, SIM_NODE_MODULES } = process.env;
const loaded = createRequire(join(SIM_NODE_MODULES, 'x.js'))('stripe');
const Stripe = loaded.Stripe ?? loaded.default ?? loaded;

const at = new URL(SIM_URL);
const options = { host: at.hostname, port: at.port, protocol: 'http', maxNetworkRetries: 0, telemetry: false };
const stripe = new Stripe(SIM_SECRET_KEY, options);
const browser = new Stripe(SIM_PUBLISHABLE_KEY, options);

const events = [];
const webhooks = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    try {
      events.push(stripe.webhooks.constructEvent(Buffer.concat(chunks), request.headers['stripe-signature'], SIM_WEBHOOK_SECRET));
      response.writeHead(200).end();
    } catch (error) {
      events.push(error);
      response.writeHead(400).end();
    }
  });
});
before(() => new Promise((done) => webhooks.listen(Number(SIM_WEBHOOK_PORT), '127.0.0.1', done)));
after(() => { webhooks.closeAllConnections(); webhooks.close(); });

const card = (number) => browser.paymentMethods.create({
  type: 'card',
  card: { number, exp_month: 12, exp_year: new Date().getFullYear() + 3, cvc: '123' },
  billing_details: { address: { postal_code: '23220' } },
});
const intent = (more = {}, how = {}) => stripe.paymentIntents.create(
  { amount: 9858, currency: 'usd', payment_method_types: ['card'], confirmation_method: 'manual', metadata: { payment: 'pay_1' }, ...more }, how);

test('a payment, with what a receipt shows', async () => {
  const made = await intent();
  assert.equal(made.status, 'requires_payment_method');
  const method = await card('5555555555554444');
  const paid = await stripe.paymentIntents.confirm(made.id, { payment_method: method.id, use_stripe_sdk: true, expand: ['latest_charge.balance_transaction'] });
  assert.equal(paid.status, 'succeeded');
  assert.equal(paid.latest_charge.payment_method_details.card.brand, 'mastercard');
  assert.equal(paid.latest_charge.balance_transaction.fee, 316);
  assert.equal(paid.metadata.payment, 'pay_1');
  assert.match(paid.lastResponse.requestId, /^req_/);
});

test('a decline is a StripeCardError that carries the intent', async () => {
  const made = await intent();
  const method = await card('4000000000009995');
  const error = await stripe.paymentIntents.confirm(made.id, { payment_method: method.id }).then(() => assert.fail('it was charged'), (e) => e);
  assert.ok(error instanceof Stripe.errors.StripeCardError);
  assert.deepEqual([error.statusCode, error.code, error.decline_code], [402, 'card_declined', 'insufficient_funds']);
  assert.equal(error.payment_intent.last_payment_error.payment_method.id, method.id);
});

test('the library knows our other errors', async () => {
  await assert.rejects(stripe.paymentIntents.retrieve('pi_nobody'), (e) => e instanceof Stripe.errors.StripeInvalidRequestError && e.statusCode === 404 && e.code === 'resource_missing');
  await assert.rejects(new Stripe('sk_test_wrong', options).customers.list(), Stripe.errors.StripeAuthenticationError);
  await assert.rejects(intent({}, { stripeAccount: 'acct_stranger' }), Stripe.errors.StripePermissionError);
  await assert.rejects(intent({ amount: 49 }), (e) => e.code === 'amount_too_small' && e.param === 'amount');
  await assert.rejects(intent({ amont: 1 }), (e) => e.code === 'parameter_unknown' && e.param === 'amont');
  await intent({}, { idempotencyKey: 'node' });
  await assert.rejects(intent({ amount: 100 }, { idempotencyKey: 'node' }), Stripe.errors.StripeIdempotencyError);
});

test('the same idempotency key, the same answer', async () => {
  const [one, two] = [await intent({}, { idempotencyKey: 'twice' }), await intent({}, { idempotencyKey: 'twice' })];
  assert.equal(one.id, two.id);
  assert.equal(two.lastResponse.headers['idempotent-replayed'], 'true');
});

test('3-D Secure: challenge, then one more confirm', async () => {
  const made = await intent();
  const method = await card('4000000000003220');
  const asked = await stripe.paymentIntents.confirm(made.id, { payment_method: method.id, use_stripe_sdk: true });
  assert.equal(asked.status, 'requires_action');
  assert.equal(asked.next_action.use_stripe_sdk.type, 'three_d_secure_redirect');
  assert.ok(asked.next_action.use_stripe_sdk.stripe_js.startsWith(`${SIM_URL}/v3/challenge?`));
  const answer = await fetch(`${SIM_URL}/v3/challenge/${made.id}`, { method: 'POST', body: new URLSearchParams({ client_secret: made.client_secret, outcome: 'complete' }) });
  assert.equal(answer.status, 200);
  const seen = await browser.paymentIntents.retrieve(made.id, { client_secret: made.client_secret });
  assert.equal(seen.status, 'requires_confirmation');
  assert.equal(seen.metadata, undefined);
  assert.equal((await stripe.paymentIntents.confirm(made.id)).status, 'succeeded');
});

test('a card on file, its clone at a connected account, a refund', async () => {
  const customer = await stripe.customers.create({ name: 'Hal Okafor', metadata: { client: '100047' } });
  const setup = await stripe.setupIntents.create({ customer: customer.id, payment_method_types: ['card'] });
  const done = await browser.setupIntents.confirm(setup.id, { client_secret: setup.client_secret, payment_method: (await card('4242424242424242')).id });
  assert.equal(done.status, 'succeeded');
  const saved = (await stripe.paymentMethods.list({ customer: customer.id, type: 'card' })).data;
  assert.equal(saved.length, 1);
  const there = { stripeAccount: SIM_ACCOUNT };
  const clone = await stripe.paymentMethods.create({ customer: customer.id, payment_method: saved[0].id }, there);
  const paid = await intent({ payment_method: clone.id, confirm: true, off_session: true }, there);
  assert.equal(paid.status, 'succeeded');
  const refund = await stripe.refunds.create({ payment_intent: paid.id, amount: 858, metadata: { refund: 'rf_1' } }, there);
  assert.equal(refund.status, 'succeeded');
  const charge = await stripe.charges.retrieve(paid.latest_charge, { expand: ['refunds'] }, there);
  assert.deepEqual([charge.amount_refunded, charge.refunds.data[0].metadata.refund], [858, 'rf_1']);
});

test('lists page by themselves', async () => {
  const customer = await stripe.customers.create({});
  const made = [];
  for (let i = 0; i < 7; i++) made.unshift((await intent({ customer: customer.id })).id);
  const seen = [];
  for await (const one of stripe.paymentIntents.list({ customer: customer.id, limit: 3 })) seen.push(one.id);
  assert.deepEqual(seen, made);
});

test('metadata is merged and unset', async () => {
  const made = await intent();
  assert.deepEqual({ ...(await stripe.paymentIntents.update(made.id, { metadata: { payment: '', link: 'lnk_1' } })).metadata }, { link: 'lnk_1' });
  assert.deepEqual({ ...(await stripe.paymentIntents.update(made.id, { metadata: '' })).metadata }, {});
});

test('webhooks verify and tell what happened', async () => {
  const made = await intent();
  await stripe.paymentIntents.cancel(made.id, { cancellation_reason: 'abandoned' });
  const told = () => events.filter((e) => e.type === 'payment_intent.canceled' && e.data.object.id === made.id);
  for (const late = Date.now() + 10_000; !told().length && Date.now() < late;) await new Promise((next) => setTimeout(next, 10));
  assert.equal(told().length, 1);
  assert.ok(!events.some((e) => e instanceof Error), 'a webhook did not verify');
  assert.equal((await stripe.events.list({ type: 'payment_intent.canceled', limit: 1 })).data[0].id, told()[0].id);
});
