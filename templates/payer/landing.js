// The landing page: it takes the token out of the address, gives it to the server once, and goes on to /pay.
// The token is in the fragment so that no server, proxy, log or preview ever sees it. Nothing here writes it anywhere else.
'use strict';
(() => {
  const limit = 15000; // ms to wait for the server
  let turn = 0; // a newer link opened in this tab makes older answers void

  /** @param {string} name */
  function show(name) {
    for (const view of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-view]'))) {
      view.hidden = view.dataset.view !== name;
      const heading = view.querySelector('h1');
      if (!view.hidden && name !== 'opening' && heading) heading.focus();
    }
  }

  async function open() {
    const mine = ++turn;
    const token = location.hash.slice(1);
    if (!token) return show('empty');
    show('opening');
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), limit);
    let status = 0; // 0: no answer
    try {
      const response = await fetch('/pay/open', {
        method: 'POST',
        headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({token}),
        credentials: 'same-origin',
        cache: 'no-store',
        signal: stop.signal,
      });
      status = response.status;
    } catch {
      // shown below
    } finally {
      clearTimeout(timer);
    }
    if (mine !== turn) return;
    if (status === 204) {
      history.replaceState(null, '', location.pathname);
      location.replace('/pay');
    } else if (status === 429) {
      show('wait');
    } else if (status >= 400 && status < 500) {
      show('dead');
    } else {
      show('offline');
    }
  }

  for (const button of document.querySelectorAll('[data-again]')) button.addEventListener('click', open);
  const language = /** @type {HTMLAnchorElement | null} */ (document.getElementById('language'));
  if (language) language.addEventListener('click', () => { language.hash = location.hash; });
  addEventListener('hashchange', open);
  addEventListener('pageshow', (event) => { if (event.persisted) open(); });
  open();
})();
