// @ts-check
// A link that somebody else pays by: the page follows by itself what becomes of it, and says aloud what is new.
'use strict';
(() => {
  const box = /** @type {HTMLElement} */ (document.getElementById('link'));
  const live = /** @type {HTMLElement} */ (document.getElementById('live'));
  const title = () => box.querySelector('h2')?.textContent || '';
  const every = 3000; // ms
  let pause = every;

  async function look() {
    try {
      const answer = await fetch(location.pathname, {headers: {'X-Part': '1'}, credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout(20000)});
      if (answer.status === 401 || answer.status === 404) return location.reload();
      if (answer.ok) {
        const text = await answer.text();
        const before = title();
        const busy = box.querySelector('[aria-busy]'); // a button was pressed: the page is about to go
        if (!busy && text !== box.innerHTML) {
          const held = document.activeElement instanceof HTMLButtonElement && box.contains(document.activeElement) ? document.activeElement.form?.action : '';
          box.innerHTML = text;
          for (const form of box.querySelectorAll('form')) if (form.action === held) form.querySelector('button')?.focus();
          if (title() !== before) live.textContent = title();
        }
        pause = every;
      } else {
        pause = Math.min(pause * 1.5, 30000);
      }
    } catch {
      pause = Math.min(pause * 1.5, 30000); // asked again
    }
    if (!box.querySelector('[data-over]')) setTimeout(look, document.hidden ? 15000 : pause);
  }

  setTimeout(look, every);
  addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
})();
