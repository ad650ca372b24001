// The list of links is read again from time to time, while somebody looks at it. Without this script it is as old as the page.
'use strict';
(() => {
  const EVERY = 15000; // ms
  let failed = 0;
  /** @returns {HTMLElement | null} */
  const board = () => document.getElementById('board');

  async function again() {
    const old = board();
    const url = old?.dataset.url;
    if (!old || !url) return; // a later page stays as it is
    if (document.visibilityState === 'visible' && !old.contains(document.activeElement)) {
      try {
        const answer = await fetch(url, {headers: {'X-Part': 'board'}, signal: AbortSignal.timeout(EVERY)});
        if (answer.status === 401) return location.reload(); // to sign in again
        if (!answer.ok) throw new Error(String(answer.status));
        const template = document.createElement('template');
        template.innerHTML = await answer.text();
        const fresh = template.content.firstElementChild;
        const scrolled = old.querySelector('.scroll')?.scrollLeft ?? 0;
        if (fresh?.id === 'board' && !old.contains(document.activeElement)) {
          old.replaceWith(fresh);
          const scroll = fresh.querySelector('.scroll');
          if (scroll) scroll.scrollLeft = scrolled;
        }
        failed = 0;
      } catch {
        failed++; // "as of" says how old it is
      }
    }
    setTimeout(again, EVERY * Math.min(8, 2 ** failed));
  }
  setTimeout(again, EVERY);
})();
