// The phone: asks /phone/messages once a second (an ETag makes that cheap) and shows one number's conversation.
'use strict';

const $ = (id) => document.getElementById(id);
const ours = document.body.dataset.ours;
const arrived = new Set(['sent', 'delivered', 'received']);
let messages = [];
let number = '';
let shown = new Map(); // sid → element of the open conversation
let seen = '';         // the last answer, to do nothing when nothing changed

function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function pretty(e164) {
  const parts = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(e164);
  return parts ? `(${parts[1]}) ${parts[2]}-${parts[3]}` : e164;
}

function normal(text) {
  const digits = text.replace(/[^\d]/g, '');
  if (/^\d{10}$/.test(digits)) return '+1' + digits;
  if (/^1\d{10}$/.test(digits)) return '+' + digits;
  return '';
}

const address = (e164) => '/phone?number=' + encodeURIComponent(e164);
const other = (m) => (m.direction === 'inbound' ? m.from : m.to);
const hour = (at) => new Date(at).toLocaleTimeString([], { hour: 'numeric', minute: '2-digit' });
const day = (at) => new Date(at).toLocaleDateString([], { weekday: 'short', month: 'short', day: 'numeric' });

// Text with its web addresses as links; they open in this same tab, as a tap on a phone does.
function linked(body, live) {
  const out = document.createDocumentFragment();
  let last = 0;
  for (const match of body.matchAll(/https?:\/\/[^\s<>"]+/g)) {
    const href = match[0].replace(/[.,;:!?)]+$/, '');
    out.append(body.slice(last, match.index));
    out.append(live ? make('a', { href, rel: 'noreferrer' }, href) : href);
    last = match.index + href.length;
  }
  out.append(body.slice(last));
  return out;
}

// What the phone's owner could not know, said for whoever watches the simulator.
function note(m) {
  if (m.direction === 'inbound') {
    return m.error_code ? `${hour(m.sent_at)} · the webhook did not take it (${m.error_code})` : hour(m.sent_at);
  }
  if (m.status === 'undelivered' || m.status === 'failed') {
    return `Did not arrive: ${m.error_message} (${m.error_code})`;
  }
  if (m.status === 'canceled') return 'Canceled before it was sent';
  return arrived.has(m.status) ? hour(m.sent_at) : `On its way (${m.status})`;
}

function bubble(m) {
  const here = arrived.has(m.status);
  const kind = ['text'];
  if (m.direction === 'inbound') kind.push('mine');
  if (!here) kind.push('absent');
  if (m.error_code) kind.push('bad');
  return make('li', { class: kind.join(' '), 'data-sid': m.sid, 'data-status': m.status },
    make('p', {}, linked(m.body, here)),
    make('small', {}, here && !m.error_code ? make('time', { datetime: m.sent_at }, note(m)) : note(m)));
}

function showPhones() {
  const newest = new Map();
  for (const m of messages) {
    newest.delete(other(m));
    newest.set(other(m), m);
  }
  const rows = [...newest].reverse().map(([who, m]) => {
    const bad = m.status === 'undelivered' || m.status === 'failed';
    const link = make('a', { href: address(who), 'data-number': who },
      make('span', { class: 'face', 'aria-hidden': 'true' }, who.slice(-4)),
      make('strong', {}, pretty(who)),
      make('time', { datetime: m.sent_at }, hour(m.sent_at)),
      make('span', { class: bad ? 'last bad' : 'last' }, arrived.has(m.status) ? m.body : note(m)));
    if (who === number) link.setAttribute('aria-current', 'true');
    return make('li', {}, link);
  });
  const focused = document.activeElement && $('phones').contains(document.activeElement) ? document.activeElement.dataset.number : '';
  $('phones').replaceChildren(...rows);
  if (focused) $('phones').querySelector(`[data-number="${focused}"]`)?.focus();
  $('nobody').hidden = rows.length > 0;
}

function showTexts(fresh) {
  const list = $('texts');
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const mine = messages.filter((m) => number && other(m) === number);
  const next = new Map();
  const rows = [];
  let today = '';
  for (const m of mine) {
    if (day(m.sent_at) !== today) {
      today = day(m.sent_at);
      rows.push(shown.get(today) || make('li', { class: 'day' }, today));
      next.set(today, rows.at(-1));
    }
    const old = shown.get(m.sid);
    const same = old && old.dataset.status === m.status && !old.classList.contains('bad') === !m.error_code && old.firstChild.textContent === m.body;
    const row = same ? old : bubble(m);
    if (!old && !fresh) row.classList.add('fresh');
    next.set(m.sid, row);
    rows.push(row);
  }
  // Only what changed is touched, so that a focused link stays focused and only news is read out.
  for (const old of [...list.children]) if (!rows.includes(old)) old.remove();
  rows.forEach((row, i) => { if (list.children[i] !== row) list.insertBefore(row, list.children[i] || null); });
  const grew = next.size > shown.size;
  shown = next;
  $('empty').hidden = rows.length > 0;
  if (fresh || (grew && atEnd)) list.scrollTop = list.scrollHeight;
}

function show() {
  number = normal(new URLSearchParams(location.search).get('number') || '');
  document.documentElement.dataset.view = number ? 'texts' : 'phones';
  document.title = number ? pretty(number) : 'Phones';
  $('who').textContent = number ? pretty(number) : 'No phone chosen';
  $('with').textContent = number ? 'texts from ' + pretty(ours) : '';
  $('empty').textContent = number ? 'No texts yet. They appear here by themselves.' : 'Choose a phone to read its texts.';
  $('reply').hidden = !number;
  $('problem').hidden = true;
  shown = new Map();
  $('texts').replaceChildren();
  showPhones();
  showTexts(true);
}

function go(to) {
  history.pushState(null, '', to);
  show();
}

async function refresh() {
  try {
    const answer = await fetch('/phone/messages', { cache: 'no-cache' });
    const text = await answer.text();
    // The Date of the answer is the town's, which need not be the browser's.
    $('clock').textContent = hour(answer.headers.get('Date')).replace(/\s?[AP]M$/i, '');
    if (answer.ok && text !== seen) {
      const first = seen === '';
      seen = text;
      messages = JSON.parse(text);
      showPhones();
      showTexts(first);
    }
  } catch {
    // The simulator is gone or restarting: the next round asks again.
  }
}

async function round() {
  if (!document.hidden) await refresh();
  setTimeout(round, 1000);
}

async function reply(body) {
  $('problem').hidden = true;
  try {
    const answer = await fetch('/phone/replies', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ from: number, body }),
    });
    if (!answer.ok) throw new Error((await answer.json()).error);
  } catch (problem) {
    $('problem').textContent = problem.message || 'The text could not be sent.';
    $('problem').hidden = false;
    return false;
  }
  await refresh();
  $('texts').scrollTop = $('texts').scrollHeight;
  return true;
}

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-number], #back');
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(link.getAttribute('href'));
});
$('open').addEventListener('submit', (event) => {
  event.preventDefault();
  const to = normal($('number').value);
  $('open-problem').hidden = to !== '';
  $('open-problem').textContent = to ? '' : 'A number has ten digits, like 804 555 0142.';
  if (to) {
    $('number').value = '';
    go(address(to));
  }
});
$('reply').addEventListener('submit', async (event) => {
  event.preventDefault();
  const field = $('body');
  if (field.value.trim() && await reply(field.value)) field.value = '';
  field.focus();
});
for (const chip of document.querySelectorAll('.chips button')) chip.addEventListener('click', () => reply(chip.textContent));
addEventListener('popstate', show);
document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
show();
round();
