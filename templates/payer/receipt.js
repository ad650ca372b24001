// The receipt prints by a button where there is a script to do it.
'use strict';
(() => {
  const button = document.getElementById('print');
  if (!button) return;
  button.hidden = false;
  button.addEventListener('click', () => print());
})();
