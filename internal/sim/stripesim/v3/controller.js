// @ts-check
/**
 * The hidden frame that collects a card's parts from the fields and calls the API, both within this origin.
 *
 *   POST /v1/payment_methods                 type, card[number|exp_month|exp_year|cvc], billing_details[…]
 *   GET  /v1/payment_intents/{id}            client_secret
 *   GET  /v1/setup_intents/{id}              client_secret
 *   POST /v1/setup_intents/{id}/confirm      client_secret, payment_method
 *
 * each with key (publishable) and, for a connected account, _stripe_account.
 */

import { groupChannel, meetPage } from './port.js';
import { WORDS } from './words.js';

/** How long mounted fields may take to hand over what was typed, in milliseconds: they are in this process and have nothing to wait for. */
const COLLECT_LIMIT_MS = 5_000;

const { init, port } = await meetPage();
const words = (WORDS[/** @type {'en' | 'es'} */ (init.locale)] ?? WORDS.en).problems;

/** @typedef {{object: any, error?: undefined} | {object?: undefined, error: object}} Answer */

/** Stripe's form encoding: a[b][c]=d, lists as a[0]. @param {URLSearchParams} form @param {unknown} value @param {string} name */
function encode(form, value, name) {
  if (value === null || value === undefined) return;
  if (typeof value !== 'object') return form.append(name, String(value));
  for (const [key, inner] of Object.entries(value)) encode(form, inner, name ? `${name}[${key}]` : key);
}

/** Errors are values: a network that fails and a server that answers nonsense have Stripe's shape too.
 * @param {'GET' | 'POST'} method @param {string} path @param {object} params @returns {Promise<Answer>} */
async function call(method, path, params) {
  const form = new URLSearchParams();
  encode(form, { ...params, key: init.key, _stripe_account: init.account }, '');
  let response;
  let body;
  try {
    response = await (method === 'GET'
      ? fetch(`${path}?${form}`, { cache: 'no-store', credentials: 'omit' })
      : fetch(path, { method, body: form, cache: 'no-store', credentials: 'omit' }));
    body = await response.text();
  } catch {
    return { error: { type: 'api_connection_error', message: words.connection } };
  }
  try {
    const parsed = JSON.parse(body);
    if (parsed.error) return { error: parsed.error };
    if (response.ok && parsed.id) return { object: parsed };
  } catch {
    // Not JSON: falls through to the same error as JSON without meaning.
  }
  return { error: { type: response.status === 429 ? 'rate_limit_error' : 'api_error', message: words.api } };
}

/** Asks every mounted field of the group for its part. @param {string} group @param {string[]} want
 * @returns {Promise<{error: object} | {error?: undefined, card: Record<string, string>, postalCode: string | undefined}>} */
function collect(group, want) {
  return new Promise((resolve) => {
    const channel = groupChannel(group);
    const ask = crypto.getRandomValues(new Uint32Array(2)).join('-');
    /** @type {Map<string, {error?: object, parts: Record<string, string>}>} */
    const got = new Map();
    /** @param {any} result */
    const end = (result) => {
      clearTimeout(limit);
      channel.close();
      resolve(result);
    };
    const limit = setTimeout(() => end({ error: { type: 'api_connection_error', message: words.connection } }), COLLECT_LIMIT_MS);
    channel.onmessage = ({ data }) => {
      if (data.collected !== ask || !want.includes(data.type)) return;
      got.set(data.type, data);
      if (!want.every((type) => got.has(type))) return;
      // The first error in the order in which a card is filled in.
      const parts = ['cardNumber', 'cardExpiry', 'cardCvc', 'postalCode'].flatMap((type) => got.get(type) ?? []);
      const wrong = parts.find(({ error }) => error);
      if (wrong) return end({ error: wrong.error });
      const { postal_code: postalCode, ...card } = Object.assign({}, ...parts.map((part) => part.parts));
      end({ card, postalCode });
    };
    channel.postMessage({ collect: ask });
  });
}

/** @param {{group?: string, want?: string[], token?: string}} from @param {Record<string, any>} params @returns {Promise<Answer>} */
async function createPaymentMethod({ group, want, token }, params) {
  if (!group || !want) return call('POST', '/v1/payment_methods', { ...params, type: 'card', card: { token } });
  const collected = await collect(group, want);
  if (collected.error) return { error: collected.error };
  const { card, postalCode } = /** @type {{card: object, postalCode: string | undefined}} */ (collected);
  const details = params.billing_details ?? {};
  // A postal code that the page gives wins over a field's.
  const address = { ...(postalCode ? { postal_code: postalCode } : {}), ...details.address };
  return call('POST', '/v1/payment_methods', { ...params, type: 'card', card, billing_details: { ...details, address } });
}

/** @param {{kind: 'pi' | 'seti', id: string, client_secret: string}} params */
function retrieve({ kind, id, client_secret }) {
  return call('GET', `/v1/${kind === 'pi' ? 'payment_intents' : 'setup_intents'}/${encodeURIComponent(id)}`, { client_secret });
}

/** @param {any} asked @returns {Promise<Answer>} */
async function confirmCardSetup({ params, billing, ...from }) {
  const { id, ...rest } = params;
  if (from.group || from.token) {
    const made = await createPaymentMethod(from, billing ?? {});
    if (made.error) return made;
    rest.payment_method = made.object.id;
  }
  return call('POST', `/v1/setup_intents/${encodeURIComponent(id)}/confirm`, rest);
}

port.onmessage = async (/** @type {MessageEvent} */ { data: { ask, action, params } }) => {
  const result =
    action === 'createPaymentMethod'
      ? await createPaymentMethod(params, params.params)
      : action === 'confirmCardSetup'
        ? await confirmCardSetup(params)
        : await retrieve(params);
  port.postMessage({ answer: ask, result });
};
