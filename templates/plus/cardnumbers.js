// No field of PLUS Web takes a card number: as soon as one is typed the page says so, and nothing is sent, not even what a search would ask while one types. The service refuses it too.
'use strict';
(() => {
  const WORDS = 'Never type a card number here. The payer enters it on their phone.';
  /** @type {Set<HTMLInputElement | HTMLTextAreaElement>} */
  const held = new Set();
  const note = Object.assign(document.createElement('p'), {className: 'card-typed', id: 'card-typed', textContent: WORDS});

  /** As internal/trail decides it: 13 to 19 digits that pass the Luhn check, whatever stands between them that is no letter. @param {string} text */
  function looksLikeCard(text) {
    for (const run of text.split(/\p{L}/u)) {
      const digits = [...run.replace(/\D/g, '')].map(Number);
      for (let end = 13; end <= digits.length; end++) {
        let sum = 0;
        for (let i = 0; i < 19 && i < end; i++) {
          const d = digits[end - 1 - i] * (i % 2 + 1);
          sum += d > 9 ? d - 9 : d;
          if (i >= 12 && sum % 10 === 0) return true;
        }
      }
    }
    return false;
  }

  /** @param {EventTarget | null} target */
  function isText(target) { // a password may look like anything
    return target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement && !['password', 'hidden', 'checkbox', 'radio', 'date'].includes(target.type);
  }

  function warn() {
    for (const one of held) if (!one.isConnected) held.delete(one);
    const [one] = held;
    if (!one) return note.remove();
    const dialog = one.closest('dialog[open]'); // nothing beside an open one can be read
    const place = dialog?.querySelector('.body') ?? document.getElementById('warnings');
    if (note.parentElement === place) return;
    dialog ? note.setAttribute('role', 'alert') : note.removeAttribute('role');
    place?.append(note);
  }

  addEventListener('input', (event) => {
    if (!isText(event.target)) return;
    const field = /** @type {HTMLInputElement | HTMLTextAreaElement} */ (event.target);
    const is = looksLikeCard(field.value);
    if (is) event.stopImmediatePropagation();
    if (is === held.has(field)) return;
    if (is) {
      held.add(field);
      field.setAttribute('aria-invalid', 'true');
      field.dispatchEvent(new CustomEvent('cardtyped')); // a field may want to forget it at once
    } else {
      held.delete(field);
      field.removeAttribute('aria-invalid');
    }
    warn();
  }, true);
  addEventListener('focusin', () => { if (held.size > 0) warn(); }); // the field may have gone with its page

  addEventListener('submit', (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const field = [...held].find((one) => one.isConnected && one.form === form);
    if (!field) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    field.focus();
    field.select();
  }, true);
})();
