// @ts-check
// The payer's page: the card in Stripe's frames, the countdown, and one honest answer for everything that a payment can become.
// Whenever we do not know whether money moved, the page says so, asks /pay/status, and never offers to pay again by itself.
'use strict';
(() => {
  /** @typedef {{state?: string, message?: string, nonce?: string, client_secret?: string, attempt?: string, seconds_left?: number, reason?: string}} Answer */
  /** @typedef {{status: number, answer: Answer | null}} Said status 0: no answer came */

  /** @param {string} id */
  const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
  /** @type {{stripeJs: string, publishableKey: string, stripeAccount: string, locale: 'en' | 'es', terms: string, nonce: string, secondsLeft: number, attempt?: string, texts: Record<string, string>}} */
  const config = JSON.parse(byId('config').textContent || '');
  const texts = config.texts;
  const own = document.currentScript;

  const zip = /** @type {HTMLInputElement} */ (byId('zip'));
  const agree = /** @type {HTMLInputElement} */ (byId('agree'));
  const button = byId('pay');
  const buttonText = /** @type {HTMLElement} */ (button.firstElementChild);
  const buttonWords = buttonText.textContent;
  const notice = byId('notice');
  const missing = byId('missing');
  const countdown = /** @type {HTMLElement} */ (byId('countdown').lastElementChild);
  const terms = /** @type {HTMLDialogElement} */ (byId('terms'));
  const notMine = /** @type {HTMLFormElement} */ (byId('not-mine'));
  const notMineDialog = /** @type {HTMLDialogElement} */ (byId('not-mine-dialog'));

  /** @type {import('@stripe/stripe-js').Stripe | undefined} */
  let stripe;
  /** @typedef {{id: string, missing: string, complete: boolean, refused: boolean, element?: any}} Field */
  /** @type {Record<'number' | 'expiry' | 'code', Field>} */
  const card = {
    number: {id: 'card-number', missing: texts.missingNumber, complete: false, refused: false},
    expiry: {id: 'card-expiry', missing: texts.missingExpiry, complete: false, refused: false},
    code: {id: 'card-code', missing: texts.missingCode, complete: false, refused: false},
  };
  const fields = Object.values(card);

  let nonce = config.nonce;
  let busy = false; // a payment is on its way: nothing else may start
  let ended = false; // this page can't pay any more
  /** How often each attempt was shown to the bank. @type {Record<string, number>} */
  const acted = {};

  // Saying

  /** Politely, to a screen reader. @param {string} words */
  function say(words) {
    byId('live').textContent = words;
  }

  /** To everybody, above the card. @param {string} words @param {HTMLElement} [more] */
  function tell(words, more) {
    const box = /** @type {HTMLElement} */ (notice.lastElementChild);
    const p = document.createElement('p');
    p.textContent = words;
    box.replaceChildren(p, ...(more ? [more] : []));
    notice.hidden = !words;
    if (words) notice.scrollIntoView({block: 'center'});
  }

  /** @param {string} id @param {string} words */
  function fault(id, words) {
    const line = byId(id + '-error');
    if (line.textContent !== words) line.textContent = words;
    const input = /** @type {HTMLElement} */ (byId(id).closest('.input'));
    input.classList.toggle('invalid', !!words);
    if (input === zip) zip.setAttribute('aria-invalid', String(!!words));
  }

  /** Keeps a sentence for the page that is loaded next. @param {string | undefined} words */
  function reload(words) {
    try {
      if (words) sessionStorage.setItem('notice', words);
    } catch {
      // no storage: the page says less
    }
    location.replace('/pay');
  }

  /** @param {'open' | 'checking' | 'expired'} name */
  function show(name) {
    for (const id of ['open', 'checking', 'expired']) byId(id).hidden = id !== name;
    const heading = byId(name).querySelector('h1');
    if (name !== 'open' && heading) heading.focus();
    scrollTo(0, 0);
  }

  // What is still missing

  const zipGood = () => /^\d{5}(-?\d{4})?$/.test(zip.value.trim());

  /** @returns {{words: string, focus: () => void}[]} */
  function gaps() {
    const list = fields.filter((f) => !f.complete || f.refused).map((f) => ({words: f.missing, focus: () => f.element && f.element.focus()}));
    if (!zipGood()) list.push({words: texts.missingZip, focus: () => zip.focus()});
    if (!agree.checked) list.push({words: texts.missingTerms, focus: () => agree.focus()});
    return list;
  }

  function weigh() {
    const list = gaps();
    missing.textContent = list.length ? texts.missing.replace('%s', list.map((gap) => gap.words).join(', ')) : '';
    const ready = !list.length && !busy && !ended && !!stripe;
    if (ready && button.hasAttribute('aria-disabled')) say(texts.ready);
    if (ready || busy) button.removeAttribute('aria-disabled');
    else button.setAttribute('aria-disabled', 'true');
  }

  // The card's fields

  function look() {
    const ours = getComputedStyle(zip);
    const tokens = getComputedStyle(document.documentElement);
    return {
      base: {color: ours.color, fontFamily: ours.fontFamily, fontSize: ours.fontSize, '::placeholder': {color: tokens.getPropertyValue('--ink-2').trim()}},
      invalid: {color: tokens.getPropertyValue('--bad').trim()},
    };
  }

  /** @param {any} event Stripe's change event */
  function typed(event) {
    const field = /** @type {Field} */ ({cardNumber: card.number, cardExpiry: card.expiry, cardCvc: card.code}[/** @type {string} */ (event.elementType)]);
    field.complete = event.complete;
    let words = event.error ? event.error.message : '';
    if (event.elementType === 'cardNumber') {
      const known = event.brand && event.brand !== 'unknown';
      field.refused = known && event.brand !== 'visa' && event.brand !== 'mastercard';
      const name = texts['brand_' + event.brand] || '';
      if (field.refused) words = texts.brandRefused.replace('%s', name || texts.otherBrand);
      byId('brand').textContent = known ? name : '';
    }
    fault(field.id, words);
    weigh();
  }

  function mount() {
    if (!window.Stripe) return blocked();
    try {
      stripe = window.Stripe(config.publishableKey, {locale: config.locale, ...(config.stripeAccount && {stripeAccount: config.stripeAccount})});
      const elements = stripe.elements({locale: config.locale});
      const style = look();
      card.number.element = elements.create('cardNumber', {style, showIcon: false});
      card.expiry.element = elements.create('cardExpiry', {style});
      card.code.element = elements.create('cardCvc', {style});
    } catch {
      return blocked();
    }
    offer(true);
    for (const field of fields) {
      const box = /** @type {HTMLElement} */ (byId(field.id).parentElement);
      field.element.mount('#' + field.id);
      field.element.on('change', typed);
      field.element.on('focus', () => box.classList.add('focused'));
      field.element.on('blur', () => box.classList.remove('focused'));
      box.addEventListener('click', () => field.element.focus());
    }
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const field of fields) field.element.update({style: look()});
    });
    weigh();
    if (config.attempt) goOn(config.attempt);
  }

  /** Shows the card's form, or why there is none. @param {boolean} on */
  function offer(on) {
    byId('blocked').hidden = on;
    byId('card-form').classList.toggle('off', !on);
  }

  function blocked() {
    offer(false);
    if (config.attempt) poll();
  }

  function load() {
    const script = document.createElement('script');
    const late = setTimeout(blocked, 12000);
    script.src = config.stripeJs;
    if (own) script.nonce = own.nonce;
    script.onload = () => { clearTimeout(late); mount(); };
    script.onerror = () => { clearTimeout(late); blocked(); };
    document.head.append(script);
  }

  // Paying

  /** @param {boolean} on */
  function work(on) {
    busy = on;
    button.setAttribute('aria-busy', String(on));
    buttonText.textContent = on ? texts.working : buttonWords;
    zip.readOnly = on;
    agree.disabled = on;
    for (const field of fields) field.element.update({disabled: on});
    weigh();
    if (on) say(texts.working);
    else tick();
  }

  /** @param {string} path @param {object} [body] with one: POST @returns {Promise<Said>} */
  async function ask(path, body) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), body ? 60000 : 15000);
    let status = 0;
    /** @type {Answer | null} */
    let answer = null;
    try {
      const response = await fetch(path, {
        method: body ? 'POST' : 'GET',
        headers: {'Accept-Language': config.locale, ...(body && {'Content-Type': 'application/json'})}, // the page's own: what is agreed to is on record in it
        body: body && JSON.stringify(body),
        credentials: 'same-origin',
        cache: 'no-store',
        signal: stop.signal,
      });
      status = response.status;
      answer = await response.json();
    } catch {
      // no answer, or one that is not ours
    }
    clearTimeout(timer);
    return {status: answer ? status : status === 401 ? 401 : 0, answer};
  }

  /** @param {Event} event */
  async function pay(event) {
    event.preventDefault();
    if (busy || ended || !stripe) return;
    const list = gaps();
    if (list.length) {
      missing.classList.add('tried');
      if (zip.value && !zipGood()) fault('zip', texts.zipWrong);
      say('');
      say(missing.textContent || '');
      return list[0].focus();
    }
    if (!navigator.onLine) return tell(texts.offline);
    tell('');
    work(true);
    /** @type {import('@stripe/stripe-js').PaymentMethodResult | undefined} */
    let made;
    try {
      made = await stripe.createPaymentMethod({type: 'card', card: card.number.element, billing_details: {address: {postal_code: zip.value.trim()}}});
    } catch {
      // as an answer that is none
    }
    if (!made || !made.paymentMethod) {
      const error = made && made.error;
      work(false);
      const known = error && (error.type === 'validation_error' || error.type === 'card_error');
      return tell((known && error.message) || texts.unreachable);
    }
    sent = {payment_method: made.paymentMethod.id, terms: config.terms, nonce};
    settle(await ask('/pay/charge', sent));
  }

  /** What was sent to be charged and has had no answer yet. @type {object | null} */
  let sent = null;

  /** Answers of the server to a charge. @param {Said} said */
  function settle({status, answer}) {
    if (status === 401) return location.replace('/pay');
    if (!answer || status >= 500 || status === 408) return check();
    sent = null;
    const {state, message} = answer;
    if (answer.nonce) renew(answer.nonce);
    if (status === 200 && state === 'paid') return location.replace('/pay/receipt');
    if (status === 200 && state === 'needs_action') return act(answer);
    if (status < 400) return check(); // 202, and 200 with a state that we do not know
    if (status === 410) return reload('');
    if (status === 409 && state === 'terms') return reload(message);
    if (status === 409 && state === 'other_link') return otherLink(message || '');
    if (status === 409 && state === 'paying') return check(message);
    if (status === 409) return reload('');
    if (checking) return reload(message);
    if (status === 402 || status === 422) return again(message || '');
    work(false);
    tell(message || texts.badRequest);
  }

  /** @param {string} fresh */
  function renew(fresh) {
    nonce = fresh;
    /** @type {HTMLInputElement} */ (notMine.elements.namedItem('nonce')).value = fresh;
  }

  /** Another card. @param {string} words */
  function again(words) {
    work(false);
    for (const field of fields) {
      field.element.clear();
      field.complete = field.refused = false;
      fault(field.id, '');
    }
    missing.classList.remove('tried');
    byId('brand').textContent = '';
    weigh();
    tell(words);
    card.number.element.focus();
  }

  /** @param {string} words */
  function otherLink(words) {
    work(false);
    ended = true;
    const link = document.createElement('a');
    link.className = 'button';
    link.href = '/pay';
    link.textContent = texts.showOther;
    tell(words, link);
    byId('card-form').hidden = notMine.hidden = true;
    link.focus();
  }

  /** The bank wants to see the payer. Whatever comes of it, the server looks and decides. @param {Answer} answer */
  async function act({client_secret, attempt}) {
    if (!stripe || !client_secret || !attempt || (acted[attempt] || 0) > 1) return check();
    acted[attempt] = (acted[attempt] || 0) + 1;
    say(texts.bankAsks);
    buttonText.textContent = texts.bankAsks;
    try {
      await stripe.handleCardAction(client_secret);
    } catch {
      // the server asks Stripe
    }
    buttonText.textContent = texts.working;
    goOn(attempt);
  }

  /** @param {string} attempt */
  async function goOn(attempt) {
    settle(await ask('/pay/continue', {attempt, nonce}));
  }

  // Not knowing

  let pause = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let checking = false;

  /** @param {string} [words] */
  function check(words) {
    busy = true;
    if (!checking) {
      checking = true;
      pause = 2000; // ms
      if (words) /** @type {HTMLElement} */ (byId('checking').querySelector('.said')).textContent = words;
      show('checking');
      say(words || texts.checking);
    }
    later();
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(poll, pause);
    pause = Math.min(pause * 1.25, 15000);
  }

  async function poll() {
    clearTimeout(timer);
    const {status, answer} = await ask('/pay/status');
    if (status === 401) return location.replace('/pay');
    if (answer && answer.state && status < 500 && status !== 429) {
      if (answer.state === 'paid') return location.replace('/pay/receipt');
      if (answer.state === 'needs_action' && stripe && answer.attempt && !acted[answer.attempt]) return goOn(answer.attempt);
      // Open, and our charge has had no answer: it may be on its way. The same again, by the same nonce, is the same try, and its answer is the truth.
      if (answer.state === 'open' && sent) return settle(await ask('/pay/charge', sent));
      if (!['unknown', 'paying', 'needs_action'].includes(answer.state)) return reload(answer.state === 'open' ? answer.message : '');
    }
    later();
  }

  // Time

  let deadline = Date.now() + config.secondsLeft * 1000;
  let shown = Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let ticking;

  function tick() {
    clearTimeout(ticking);
    if (ended) return;
    const ms = deadline - Date.now();
    const left = Math.max(0, Math.ceil(ms / 1000));
    countdown.textContent = texts.timeLeft.replace('%s', Math.floor(left / 60) + ':' + String(left % 60).padStart(2, '0'));
    for (const mark of [30, 60, 120, 300]) {
      if (left > mark || shown <= mark || shown === Infinity || !left) continue;
      say(mark < 60 ? texts.secondsLeft.replace('%s', String(mark)) : mark === 60 ? texts.oneMinuteLeft : texts.minutesLeft.replace('%s', String(mark / 60)));
      break;
    }
    shown = left;
    if (left) ticking = setTimeout(tick, ms % 1000 || 1000);
    else if (!busy) sync();
  }

  let syncing = false;

  /** Asks the server how things stand. Its clock is the one that counts. */
  async function sync() {
    if (checking) return poll();
    if (busy || ended || syncing) return;
    syncing = true;
    const {status, answer} = await ask('/pay/status');
    syncing = false;
    if (busy || ended) return; // the payer was faster: that answer decides
    const over = deadline <= Date.now();
    if (status === 401) return location.replace('/pay');
    if (!answer || !answer.state || status >= 500 || status === 429) {
      if (over) {
        tell(texts.overOffline);
        ticking = setTimeout(sync, 5000);
      }
      return;
    }
    const {state, reason, seconds_left: seconds} = answer;
    if (state === 'open' && seconds) {
      deadline = Date.now() + seconds * 1000;
      return tick();
    }
    if (state === 'open' || state === 'expired' || reason === 'expired') return expire();
    location.replace('/pay');
  }

  function expire() {
    ended = true;
    for (const field of fields) if (field.element) field.element.destroy();
    for (const dialog of [terms, notMineDialog]) if (dialog.open) dialog.close();
    show('expired');
  }

  // Wiring

  byId('card-form').addEventListener('submit', pay);
  byId('reload').addEventListener('click', () => location.reload());
  agree.addEventListener('change', weigh);
  zip.addEventListener('input', () => {
    if (zipGood()) fault('zip', '');
    weigh();
  });
  zip.addEventListener('blur', () => fault('zip', zip.value && !zipGood() ? texts.zipWrong : ''));
  byId('terms-link').addEventListener('click', (event) => {
    event.preventDefault();
    terms.showModal();
  });
  notMine.addEventListener('submit', (event) => {
    event.preventDefault();
    if (busy || ended) return;
    notMineDialog.returnValue = '';
    notMineDialog.showModal();
  });
  notMineDialog.addEventListener('close', () => {
    if (notMineDialog.returnValue === 'close' && !busy) notMine.submit();
  });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) sync(); });
  addEventListener('pageshow', (event) => {
    if (event.persisted && busy && !checking) location.replace('/pay');
    else if (event.persisted) sync();
  });
  addEventListener('offline', () => { if (!busy && !ended) tell(texts.offline); });
  addEventListener('online', () => {
    if (!busy && !ended && notice.textContent?.trim() === texts.offline) {
      tell('');
      say(texts.online);
    }
    sync();
  });

  try {
    const kept = sessionStorage.getItem('notice');
    sessionStorage.removeItem('notice');
    if (kept && notice.hidden) tell(kept);
  } catch {
    // no storage
  }
  weigh();
  if (config.attempt) { // this page was left while the bank was asking
    check(texts.bankAsks);
    clearTimeout(timer);
  } else {
    tick();
  }
  load();
})();
