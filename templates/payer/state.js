// A page that waits for the bank or for another device: it asks how things stand and changes by itself.
'use strict';
(() => {
  const waits = ['unknown', 'paying', 'needs_action'];
  let pause = 2000; // ms
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let asking = false;

  async function ask() {
    if (asking) return;
    clearTimeout(timer);
    asking = true;
    try {
      const response = await fetch('/pay/status', {credentials: 'same-origin', cache: 'no-store'});
      if (response.status === 401) return location.replace('/pay');
      const answer = response.status < 500 && response.status !== 429 ? await response.json() : null;
      if (answer && answer.state === 'paid') return location.replace('/pay/receipt');
      if (answer && answer.state && !waits.includes(answer.state)) return location.replace('/pay');
    } catch {
      // asked again below
    } finally {
      asking = false;
    }
    timer = setTimeout(ask, pause);
    pause = Math.min(pause * 1.25, 15000);
  }

  timer = setTimeout(ask, pause);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) ask(); });
  addEventListener('online', ask);
  addEventListener('pageshow', (event) => { if (event.persisted) ask(); });
})();
