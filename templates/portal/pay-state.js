// @ts-check
// A payment on its way: the bank is asked to let its owner confirm, or has the last word. The page asks how things stand and changes by itself; whatever comes of it, the server looks and decides.
'use strict';
(() => {
  /** @typedef {{state?: string, next?: string, client_secret?: string}} Answer */
  const here = location.pathname;
  const live = /** @type {HTMLElement} */ (document.getElementById('live'));
  const place = /** @type {HTMLElement} */ (document.getElementById('state')).dataset.place;
  const own = document.currentScript;
  const text = document.getElementById('config')?.textContent;
  /** @type {{stripeJs: string, publishableKey: string, stripeAccount: string, locale: 'en' | 'es', texts: Record<string, string>} | null} */
  const config = text ? JSON.parse(text) : null;
  let pause = 2000; // ms
  let shown = 0; // how often the bank was asked
  let acted = false; // the server has heard the wish for Auto Pay
  /** @type {import('@stripe/stripe-js').Stripe | undefined} */
  let stripe;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let asking = false;
  const asked = new URLSearchParams(location.search);
  const wish = {auto_pay: asked.get('auto_pay') || '', card: asked.get('card') || ''}; // Auto Pay, once this is paid

  /** @param {string} path @param {boolean} [act] @returns {Promise<Answer | null>} */
  async function ask(path, act) {
    try {
      const response = await fetch(path, {
        method: act ? 'POST' : 'GET', headers: {Accept: 'application/json', ...(act && {'Content-Type': 'application/json'})}, body: act ? JSON.stringify(wish) : undefined, credentials: 'same-origin', cache: 'no-store',
        signal: AbortSignal.timeout(60000),
      });
      if (response.status === 401 || response.status === 404) return {next: here};
      return response.ok ? await response.json() : null;
    } catch {
      return null; // asked again
    }
  }

  /** @param {Answer | null} answer */
  async function take(answer) {
    if (answer && answer.state === 'paid' && wish.card && !acted) {
      acted = true;
      return take(await ask(here + '/continue', true));
    }
    if (answer && answer.next) return location.replace(answer.next);
    if (answer && answer.state && answer.state !== place && answer.state !== 'checking') return location.replace(here + location.search);
    if (answer && answer.state === 'confirm' && answer.client_secret && stripe && config && shown < 2) {
      shown++;
      live.textContent = config.texts.bankAsks;
      try {
        await stripe.handleCardAction(answer.client_secret);
      } catch {
        // the server asks Stripe
      }
      acted = true;
      return take(await ask(here + '/continue', true));
    }
    later();
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(look, pause);
    pause = Math.min(pause * 1.25, 15000);
  }

  async function look() {
    if (asking) return;
    clearTimeout(timer);
    asking = true;
    const answer = await ask(here);
    asking = false;
    take(answer);
  }

  function confirm() {
    if (!config || !window.Stripe) return later();
    stripe = window.Stripe(config.publishableKey, {locale: config.locale, ...(config.stripeAccount && {stripeAccount: config.stripeAccount})});
    ask(here + '/continue', true).then(take);
  }

  if (config) {
    const script = document.createElement('script');
    script.src = config.stripeJs;
    if (own) script.nonce = own.nonce;
    script.onload = confirm;
    script.onerror = later;
    document.head.append(script);
  } else {
    later();
  }
  document.addEventListener('visibilitychange', () => { if (!document.hidden) look(); });
  addEventListener('online', look);
  addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
})();
