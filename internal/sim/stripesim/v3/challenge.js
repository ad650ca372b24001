// @ts-check
/**
 * The bank's page of a 3-D Secure challenge, in a modal <dialog> of the page that asks for money.
 * Or, after a redirect, a page of its own. It tells the bank the payer's answer (POST /v3/challenge/{id}: client_secret, outcome=complete|fail); what
 * became of the intent, stripe.js then asks the API. In English only, like Stripe's test page.
 */

import { meetPage } from './port.js';

/**
 * What to authenticate and whom to tell: the page that frames us, or, when an intent was confirmed with a return_url
 * and the payer was sent here, the address (payment_intent or setup_intent, …_client_secret, return_url).
 * @returns {Promise<{id: string, clientSecret: string, amount?: number, currency?: string, done: (error: unknown, outcome: string) => void}>}
 */
async function asked() {
  if (window.parent !== window) {
    const { init, port } = await meetPage();
    return { ...init, done: (error) => port.postMessage({ say: 'done', error }) };
  }
  const query = new URLSearchParams(location.search);
  const noun = query.has('setup_intent') ? 'setup_intent' : 'payment_intent';
  const id = query.get(noun) ?? '';
  const clientSecret = query.get(`${noun}_client_secret`) ?? '';
  return {
    id,
    clientSecret,
    done: (error, outcome) => {
      const back = URL.canParse(query.get('return_url') ?? '') ? new URL(query.get('return_url') ?? '') : null;
      if (!back || !/^https?:$/.test(back.protocol)) return main.replaceChildren(make('p', {}, 'Thank you. This page can be closed.'));
      back.searchParams.set(noun, id);
      back.searchParams.set(`${noun}_client_secret`, clientSecret);
      back.searchParams.set('redirect_status', !error && outcome === 'complete' ? 'succeeded' : 'failed');
      location.replace(back);
    },
  };
}

/** @param {string} name @param {Record<string, string>} attributes @param {string} [text] */
function make(name, attributes, text = '') {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

/** @param {number} amount in the currency's smallest unit @param {string} currency */
function money(amount, currency) {
  const format = new Intl.NumberFormat('en-US', { style: 'currency', currency });
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

const init = await asked();

const heading = make('h1', { id: 'title', tabindex: '-1' }, 'Is it you who is paying?');
const wrong = make('p', { class: 'wrong', role: 'alert' });
const complete = make('button', { type: 'button', class: 'primary' }, 'Complete authentication');
const fail = make('button', { type: 'button' }, 'Fail authentication');
const main = make('main', { 'aria-labelledby': 'title' });
main.append(make('p', { class: 'bank' }, 'Simulated bank · 3-D Secure'), heading);
if (init.amount && init.currency) main.append(make('p', { class: 'amount' }, money(init.amount, init.currency)));
main.append(make('p', {}, 'A real bank would ask for a code or a fingerprint here. Choose what it finds.'), wrong, complete, fail);
document.body.append(main);
heading.focus();

let asking = false;

/** @param {'complete' | 'fail'} outcome */
async function answer(outcome) {
  if (asking) return;
  asking = true;
  wrong.textContent = '';
  for (const button of [complete, fail]) button.setAttribute('aria-disabled', 'true');
  let response;
  let body = '';
  try {
    response = await fetch(`/v3/challenge/${encodeURIComponent(init.id)}`, {
      method: 'POST',
      body: new URLSearchParams({ client_secret: init.clientSecret, outcome }),
      credentials: 'omit',
    });
    body = await response.text();
  } catch {
    // As an answer that is none, below.
  }
  asking = false;
  for (const button of [complete, fail]) button.removeAttribute('aria-disabled');
  if (!response || response.status >= 500) {
    wrong.textContent = 'The bank did not answer. Please try again.';
    return;
  }
  // A refusal (the payment was cancelled meanwhile, say) ends the challenge too: the intent's state decides.
  init.done(response.ok ? undefined : refusal(body), outcome);
}

/** @param {string} body */
function refusal(body) {
  try {
    return JSON.parse(body).error ?? {};
  } catch {
    return {};
  }
}

complete.addEventListener('click', () => answer('complete'));
fail.addEventListener('click', () => answer('fail'));

// Tab stays on the two buttons: from the dialog's end a browser would go to its own bars and come back.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Tab') return;
  const [first, last] = event.shiftKey ? [fail, complete] : [complete, fail];
  if (document.activeElement === last || document.activeElement === heading || document.activeElement === document.body) {
    event.preventDefault();
    first.focus();
  }
});
