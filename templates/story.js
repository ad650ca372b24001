// The storybook opens its own dialogs.
'use strict';
for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-dialog]'))) {
  button.addEventListener('click', () => /** @type {HTMLDialogElement} */ (document.getElementById(button.dataset.dialog || '')).showModal());
}
