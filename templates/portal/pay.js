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
  const agree = /** @type {HTMLInputElement} */ (byId('agree'));
  const button = byId('pay');
  const buttonText = /** @type {HTMLElement} */ (button.firstElementChild);
  const buttonWords = buttonText.textContent;
  const missing = byId('missing');
  const notice = byId('notice');
  const terms = /** @type {HTMLDialogElement} */ (byId('terms'));
  let key = config.key;
  let busy = false;
  let loading = false;

  /** Politely, to a screen reader. @param {string} words */
  function say(words) {
    byId('live').textContent = words;
  }

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
    if (!agree.checked) list.push({words: texts.missingTerms, focus: () => agree.focus()});
    return list;
  }

  function weigh() {
    const list = gaps();
    missing.textContent = list.length ? texts.missing.replace('%s', list.map((gap) => gap.words).join(', ')) : '';
    const ready = !list.length && (!isNew() || !!card.stripe);
    if (ready && !busy && button.hasAttribute('aria-disabled')) say(texts.ready);
    if (ready || busy) button.removeAttribute('aria-disabled');
    else button.setAttribute('aria-disabled', 'true');
  }

  const card = window.cardFields(config, {changed: weigh, mounted: weigh, blocked() {}});

  /** Stripe.js comes once a card is to be entered. */
  function choose() {
    if (isNew() && !loading) {
      loading = true;
      card.load();
    }
    weigh();
  }

  /** @param {boolean} on */
  function work(on) {
    busy = on;
    button.setAttribute('aria-busy', String(on));
    buttonText.textContent = on ? texts.working : buttonWords;
    agree.disabled = on;
    for (const radio of form.querySelectorAll('input[name=method]')) radio.toggleAttribute('data-held', on);
    card.disable(on);
    weigh();
    if (on) say(texts.working);
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
    work(false);
    if (isNew()) card.again();
    missing.classList.remove('tried');
    weigh();
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
        say(texts.checking);
      }
      await new Promise((done) => setTimeout(done, pause));
    }
  }

  /** @param {Event} event */
  async function pay(event) {
    event.preventDefault();
    event.stopPropagation();
    if (busy) return;
    const list = gaps();
    if (list.length) {
      missing.classList.add('tried');
      if (isNew()) card.tried();
      say('');
      say(missing.textContent || '');
      return list[0].focus();
    }
    if (isNew() && !card.stripe) return;
    if (!navigator.onLine) return tell(texts.offline);
    tell('');
    const fields = Object.fromEntries(new FormData(form));
    work(true);
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
        work(false);
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
    if (busy && event.target instanceof HTMLInputElement && event.target.type === 'radio') event.preventDefault();
  });
  byId('terms-link').addEventListener('click', (event) => {
    event.preventDefault();
    terms.showModal();
  });
  addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload(); // the back button: this page may be of before the payment
  });
  weigh();
  choose();
})();
