// My Account. Everything works without this script; it leads to what is wrong, and keeps a form from going off twice.
'use strict';
(() => {
  const wrong = /** @type {HTMLElement | null} */ (document.querySelector('main[data-focus]'));
  if (wrong) document.getElementById(wrong.dataset.focus || '')?.focus();

  document.addEventListener('submit', (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = '1';
    event.submitter?.setAttribute('aria-busy', 'true');
  });
  document.querySelector('[data-print]')?.addEventListener('click', () => print());

  // What the bar has opened closes like a menu.
  const more = /** @type {HTMLDetailsElement | null} */ (document.querySelector('.more'));
  document.addEventListener('click', (event) => {
    if (more && !more.contains(/** @type {Node} */ (event.target))) more.open = false;
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !more?.open) return;
    more.open = false;
    more.querySelector('summary')?.focus();
  });

  // The back button may bring a page back as it was left.
  addEventListener('pageshow', () => {
    for (const form of document.forms) delete form.dataset.sent;
    for (const button of document.querySelectorAll('[aria-busy]')) button.removeAttribute('aria-busy');
  });
})();
