// @ts-check
// Adds a card: the server asks Stripe for a secret, the browser proves the card to its bank by it, and the server puts it on file. If this page goes away in between, Stripe tells the server.
'use strict';
(() => {
  /** @typedef {{state?: string, message?: string, setup?: string, client_secret?: string, card?: string}} Answer */

  /** @param {string} id */
  const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
  /** @type {{stripeJs: string, publishableKey: string, locale: 'en' | 'es', terms: string, back: string, texts: Record<string, string>}} */
  const config = JSON.parse(byId('config').textContent || '');
  const {texts} = config;
  /** To everybody, above the form. @param {string} words */
  function tell(words) {
    const notice = byId('notice');
    /** @type {HTMLElement} */ (notice.lastElementChild).textContent = words;
    notice.hidden = !words;
    if (words) notice.scrollIntoView({block: 'center'});
  }

  /** @type {CardFields} */
  const card = window.cardFields(config, {changed: () => button.weigh(), mounted: () => button.weigh(), blocked() {}});
  const button = window.cardButton('save', texts, {gaps: card.gaps, tried: card.tried, able: () => !!card.stripe, held: card.disable});

  /** @param {string} path @param {object} body @returns {Promise<{status: number, answer: Answer | null}>} status 0: no answer came */
  async function ask(path, body) {
    try {
      const response = await fetch(path, {
        method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body), credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout(60000),
      });
      return {status: response.status, answer: await response.json()};
    } catch {
      return {status: 0, answer: null};
    }
  }

  /** Not now: with another card, or the same. @param {string} words */
  function no(words) {
    button.work(false);
    tell(words);
  }

  /** @param {Event} event */
  async function save(event) {
    event.preventDefault();
    event.stopPropagation();
    const {stripe} = card;
    if (button.busy || !stripe || button.stops()) return;
    tell('');
    button.work(true);
    const begun = await ask('/my/cards/setup', {terms: config.terms});
    const {setup, client_secret: secret, state} = begun.answer || {};
    if (state === 'terms') return location.reload();
    if (begun.status !== 200 || !secret) return no((begun.answer && begun.answer.message) || texts.unreachable);
    /** @type {import('@stripe/stripe-js').SetupIntentResult | undefined} */
    let done;
    try {
      done = await stripe.confirmCardSetup(secret, {payment_method: card.details()});
    } catch {
      // as an answer that is none: the server asks Stripe
    }
    if (done && done.error) {
      const known = done.error.type === 'validation_error' || done.error.type === 'card_error' || done.error.code === 'setup_intent_authentication_failure';
      no((known && done.error.message) || texts.unreachable);
      if (done.error.type === 'card_error') {
        card.again();
        button.weigh();
        card.focus();
      }
      return;
    }
    let kept = await ask('/my/cards', {setup});
    if (kept.status === 0 || kept.status >= 500) kept = await ask('/my/cards', {setup}); // the same again has the same answer
    if (kept.status === 200) return location.replace(config.back);
    if (kept.status === 0 || kept.status >= 500) return no(texts.unclear);
    no((kept.answer && kept.answer.message) || texts.unclear);
    card.again();
    button.weigh();
    card.focus();
  }

  byId('card-form').addEventListener('submit', save);
  addEventListener('pageshow', (event) => {
    if (event.persisted && button.busy) location.reload();
  });
  button.weigh();
  card.load();
})();
