// The link of a forgotten password brings its code after the #, where no server and no log sees it: here it goes into the form, and out of the address.
'use strict';
(() => {
  const code = /** @type {HTMLInputElement | null} */ (document.getElementById('code'));
  const brought = location.hash.slice(1);
  if (!code || !/^[A-Za-z2-7]{20,40}$/.test(brought)) return;
  code.value = brought;
  /** @type {HTMLElement} */ (document.getElementById('code-field')).hidden = true;
  history.replaceState(null, '', location.pathname + location.search);
  const other = /** @type {HTMLAnchorElement | null} */ (document.querySelector('.top .language'));
  if (other) other.hash = brought; // the same page in the other language has it, too
  document.getElementById('password')?.focus();
})();
