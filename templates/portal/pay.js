// @ts-check
// Make a Payment: a card on file, or one that is entered once in Stripe's frames. The server has every last word: a press is sent with its own key, and sent again as it was until there is an answer, which
// does nothing twice. Where the payment is on its way, its own page goes on.
'use strict';
(() => {
  /** @typedef {{state?: string, message?: string, key?: string, next?: string}} Answer */

  /** @param {string} id */
  const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
  if (!document.getElementById('config')) return; // nothing can be paid here
  /** @type {{stripeJs: string, publishableKey: string, stripeAccount: string, locale: 'en' | 'es', key: string, texts: Record<string, string>}} */
  const config = JSON.parse(byId('config').textContent || '');
  const {texts} = config;
  const form = /** @type {HTMLFormElement} */ (byId('pay-form'));
  const notice = byId('notice');
  let key = config.key;
  let loading = false;

  /** To everybody, at the top. @param {string} words */
  function tell(words) {
    /** @type {HTMLElement} */ (notice.lastElementChild).textContent = words;
    notice.hidden = !words;
    if (words) notice.scrollIntoView({block: 'center'});
  }

  const method = () => /** @type {HTMLInputElement | null} */ (form.querySelector('input[name=method]:checked'));
  const isNew = () => method()?.value === 'new';

  function gaps() {
    const list = [];
    if (!method()) list.push({words: texts.missingMethod, focus: () => /** @type {HTMLElement} */ (form.querySelector('input[name=method]:not(:disabled)')).focus()});
    if (isNew()) list.push(...card.gaps());
    return list;
  }

  /** @type {CardFields} */
  const card = window.cardFields(config, {changed: () => button.weigh(), mounted: () => button.weigh(), blocked() {}});
  const button = window.cardButton('pay', texts, {
    gaps,
    tried() {
      if (isNew()) card.tried();
    },
    able: () => !isNew() || !!card.stripe,
    held(on) {
      for (const radio of form.querySelectorAll('input[name=method]')) radio.toggleAttribute('data-held', on);
      card.disable(on);
    },
  });

  /** Stripe.js comes once a card is to be entered. */
  function choose() {
    if (isNew() && !loading) {
      loading = true;
      card.load();
    }
    button.weigh();
  }

  /** @param {object} body @returns {Promise<{status: number, answer: Answer | null}>} status 0: no answer came */
  async function ask(body) {
    try {
      const response = await fetch('/my/pay', {
        method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body), credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout(60000),
      });
      if (response.status === 401) return {status: 401, answer: null};
      return {status: response.status, answer: await response.json()};
    } catch {
      return {status: 0, answer: null};
    }
  }

  /** Another card, or the same again. @param {string} words @param {Answer} answer */
  function again(words, answer) {
    if (answer.key) key = answer.key;
    byId('checking').hidden = true;
    byId('open').hidden = false;
    button.work(false);
    if (isNew()) card.again();
    button.anew();
    tell(words);
    notice.focus();
  }

  /** The same press until it has an answer: it does nothing twice. @param {object} body */
  async function send(body) {
    for (let pause = 2000; ; pause = Math.min(pause * 1.5, 15000)) {
      const {status, answer} = await ask(body);
      if (status === 401) return location.reload();
      if (answer && answer.next) return location.replace(answer.next);
      const refused = answer && (answer.key || status >= 400 && status < 500 && status !== 408);
      if (refused && !byId('checking').hidden) return location.reload(); // an answer to this copy says nothing of the first one: the page knows
      if (refused) return again(answer.message || texts.badRequest, answer);
      if (byId('checking').hidden) {
        byId('checking').hidden = false;
        byId('open').hidden = true;
        /** @type {HTMLElement} */ (byId('checking').querySelector('h2')).focus();
        button.say(texts.checking);
      }
      await new Promise((done) => setTimeout(done, pause));
    }
  }

  /** @param {Event} event */
  async function pay(event) {
    event.preventDefault();
    event.stopPropagation();
    if (button.busy || button.stops()) return;
    if (isNew() && !card.stripe) return;
    if (!navigator.onLine) return tell(texts.offline);
    tell('');
    const fields = Object.fromEntries(new FormData(form));
    button.work(true);
    let made = '';
    if (isNew()) {
      /** @type {import('@stripe/stripe-js').PaymentMethodResult | undefined} */
      let result;
      try {
        result = await /** @type {import('@stripe/stripe-js').Stripe} */ (card.stripe).createPaymentMethod({type: 'card', ...card.details()});
      } catch {
        // as an answer that is none
      }
      if (!result || !result.paymentMethod) {
        const error = result && result.error;
        const known = error && (error.type === 'validation_error' || error.type === 'card_error');
        button.work(false);
        return tell((known && error.message) || texts.unreachable);
      }
      made = result.paymentMethod.id;
    }
    const {vehicle, days, balance, shown, shown_to, method, terms, auto_pay = ''} = fields;
    send({vehicle, days, balance, shown, shown_to, method, terms, auto_pay, payment_method: made, key});
  }

  form.addEventListener('submit', pay);
  form.addEventListener('change', choose);
  form.addEventListener('click', (event) => { // while a payment is on its way nothing else is chosen
    if (button.busy && event.target instanceof HTMLInputElement && event.target.type === 'radio') event.preventDefault();
  });
  addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload(); // the back button: this page may be of before the payment
  });
  button.weigh();
  choose();
})();
