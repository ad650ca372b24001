// PLUS Web's keys: one letter or sign goes where a mouse would have to. They rest while somebody types, and can be switched off (WCAG 2.2, 2.1.4).
'use strict';
(() => {
  const list = /** @type {HTMLDialogElement | null} */ (document.getElementById('keys'));
  if (!list) return; // nobody is signed in
  const OFF = 'plus-keys-off'; // in localStorage
  const on = /** @type {HTMLInputElement} */ (document.getElementById('keys-on'));

  const isOff = () => {
    try {
      return localStorage.getItem(OFF) !== null;
    } catch {
      return false; // a browser that keeps nothing
    }
  };

  on.checked = !isOff();
  document.documentElement.classList.toggle('keys-off', !on.checked);
  on.addEventListener('change', () => {
    document.documentElement.classList.toggle('keys-off', !on.checked);
    try {
      on.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, '1');
    } catch {
      // it holds until the page is left
    }
  });

  const open = () => list.showModal();
  document.getElementById('keys-open')?.addEventListener('click', open);
  list.addEventListener('click', (event) => { if (event.target === list) list.close(); }); // beside it

  /** The n-th tab of a client's page. @param {number} n @returns {HTMLElement | null} */
  const tab = (n) => document.querySelector(`.tabs > :nth-child(${n})`);

  /** Goes to what a key stands for, on the tab that has it, and presses it if it is a button. @param {string} key @param {number} n of the tab */
  async function goTo(key, n) {
    const find = () => /** @type {HTMLElement | null} */ (document.querySelector(`[data-key="${key}"]`));
    const link = tab(n);
    if (!find() && link instanceof HTMLAnchorElement) await window.plus.visit(window.plus.beside(link.href));
    const found = find();
    found?.focus();
    found?.scrollIntoView({block: 'nearest'});
    if (found instanceof HTMLButtonElement) found.click();
  }

  /** @type {Record<string, () => void>} */
  const keys = {
    '?': open,
    '/': () => {
      const field = /** @type {HTMLInputElement} */ (document.getElementById('q'));
      field.focus();
      field.select();
    },
    s: () => document.getElementById('open')?.click(),
    n: () => { goTo('n', 1); },
    t: () => { goTo('t', 2); },
  };
  for (const n of [1, 2, 3, 4]) {
    keys[n] = () => {
      tab(n)?.focus();
      tab(n)?.click();
    };
  }

  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat || !on.checked || document.querySelector('dialog[open]')) return;
    const from = /** @type {HTMLElement} */ (event.target);
    if (from.closest('input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]')) return;
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
