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

  const notice = byId('notice');
  const countdown = /** @type {HTMLElement} */ (byId('countdown').lastElementChild);
  const terms = /** @type {HTMLDialogElement} */ (byId('terms'));
  const notMine = /** @type {HTMLFormElement} */ (byId('not-mine'));
  const notMineDialog = /** @type {HTMLDialogElement} */ (byId('not-mine-dialog'));

  let nonce = config.nonce;
  let ended = false; // this page can't pay any more
  /** How often each attempt was shown to the bank. @type {Record<string, number>} */
  const acted = {};

  // Saying

  /** To everybody, above the card. @param {string} words @param {HTMLElement} [more] */
  function tell(words, more) {
    const box = /** @type {HTMLElement} */ (notice.lastElementChild);
    const p = document.createElement('p');
    p.textContent = words;
    box.replaceChildren(p, ...(more ? [more] : []));
    notice.hidden = !words;
    if (words) notice.scrollIntoView({block: 'center'});
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

  /** @type {CardFields} */
  const card = window.cardFields(config, {
    changed: () => button.weigh(),
    mounted() {
      button.weigh();
      if (config.attempt) goOn(config.attempt);
    },
    blocked() {
      if (config.attempt) poll();
    },
  });
  const button = window.cardButton('pay', texts, {gaps: card.gaps, tried: card.tried, able: () => !ended && !!card.stripe, held: card.disable});

  // Paying

  function rest() {
    button.work(false);
    tick();
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
    const {stripe} = card;
    if (button.busy || ended || !stripe || button.stops()) return;
    if (!navigator.onLine) return tell(texts.offline);
    tell('');
    button.work(true);
    /** @type {import('@stripe/stripe-js').PaymentMethodResult | undefined} */
    let made;
    try {
      made = await stripe.createPaymentMethod({type: 'card', ...card.details()});
    } catch {
      // as an answer that is none
    }
    if (!made || !made.paymentMethod) {
      const error = made && made.error;
      rest();
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
    rest();
    tell(message || texts.badRequest);
  }

  /** @param {string} fresh */
  function renew(fresh) {
    nonce = fresh;
    /** @type {HTMLInputElement} */ (notMine.elements.namedItem('nonce')).value = fresh;
  }

  /** Another card. @param {string} words */
  function again(words) {
    rest();
    card.again();
    button.anew();
    tell(words);
    card.focus();
  }

  /** @param {string} words */
  function otherLink(words) {
    rest();
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
    const {stripe} = card;
    if (!stripe || !client_secret || !attempt || (acted[attempt] || 0) > 1) return check();
    acted[attempt] = (acted[attempt] || 0) + 1;
    button.say(texts.bankAsks);
    button.shows(texts.bankAsks);
    try {
      await stripe.handleCardAction(client_secret);
    } catch {
      // the server asks Stripe
    }
    button.shows(texts.working);
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
    button.busy = true;
    if (!checking) {
      checking = true;
      pause = 2000; // ms
      if (words) /** @type {HTMLElement} */ (byId('checking').querySelector('.said')).textContent = words;
      show('checking');
      button.say(words || texts.checking);
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
      if (answer.state === 'needs_action' && card.stripe && answer.attempt && !acted[answer.attempt]) return goOn(answer.attempt);
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
      button.say(mark < 60 ? texts.secondsLeft.replace('%s', String(mark)) : mark === 60 ? texts.oneMinuteLeft : texts.minutesLeft.replace('%s', String(mark / 60)));
      break;
    }
    shown = left;
    if (left) ticking = setTimeout(tick, ms % 1000 || 1000);
    else if (!button.busy) sync();
  }

  let syncing = false;

  /** Asks the server how things stand. Its clock is the one that counts. */
  async function sync() {
    if (checking) return poll();
    if (button.busy || ended || syncing) return;
    syncing = true;
    const {status, answer} = await ask('/pay/status');
    syncing = false;
    if (button.busy || ended) return; // the payer was faster: that answer decides
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
    card.destroy();
    for (const dialog of [terms, notMineDialog]) if (dialog.open) dialog.close();
    show('expired');
  }

  // Wiring

  byId('card-form').addEventListener('submit', pay);
  notMine.addEventListener('submit', (event) => {
    event.preventDefault();
    if (button.busy || ended) return;
    notMineDialog.returnValue = '';
    notMineDialog.showModal();
  });
  notMineDialog.addEventListener('close', () => {
    if (notMineDialog.returnValue === 'close' && !button.busy) notMine.submit();
  });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) sync(); });
  addEventListener('pageshow', (event) => {
    if (event.persisted && button.busy && !checking) location.replace('/pay');
    else if (event.persisted) sync();
  });
  addEventListener('offline', () => { if (!button.busy && !ended) tell(texts.offline); });
  addEventListener('online', () => {
    if (!button.busy && !ended && notice.textContent?.trim() === texts.offline) {
      tell('');
      button.say(texts.online);
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
  button.weigh();
  if (config.attempt) { // this page was left while the bank was asking
    check(texts.bankAsks);
    clearTimeout(timer);
  } else {
    tick();
  }
  card.load();
})();
