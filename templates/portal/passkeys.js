// Passkeys of My Account: signing in by one, and adding one. Whoever's browser can't, sees neither.
'use strict';
(() => {
  if (!window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON || !PublicKeyCredential.parseCreationOptionsFromJSON) return;
  const signing = document.getElementById('passkey');
  const adding = /** @type {HTMLFormElement | null} */ (document.getElementById('add-passkey'));
  const part = signing || adding;
  if (!part) return;
  part.hidden = false;
  document.getElementById('no-passkeys')?.setAttribute('hidden', '');
  const said = /** @type {HTMLElement} */ (part.querySelector('[role=alert]'));
  const button = /** @type {HTMLButtonElement} */ (part.querySelector('button'));
  const {failed = '', none = '', here = '', name = ''} = part.dataset;

  /** Words of the server's or ours, to be shown as they are. */
  class Refusal extends Error {}

  /** @param {string} url @param {object} body @returns {Promise<any>} */
  async function post(url, body) {
    const answer = await fetch(url, {method: 'POST', credentials: 'same-origin', redirect: 'error', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)});
    if (answer.headers.get('Content-Type') !== 'application/json') throw new Refusal(failed);
    const got = await answer.json();
    if (!answer.ok) throw new Refusal(got.error || failed);
    return got;
  }

  /** @param {unknown} error */
  function words(error) {
    if (error instanceof Refusal) return error.message;
    if (!(error instanceof DOMException)) return failed;
    if (error.name === 'InvalidStateError') return here;
    return error.name === 'NotAllowedError' || error.name === 'AbortError' ? none : failed;
  }

  /** Does something once at a time, and says what keeps it from being done. @param {() => Promise<void>} act */
  async function doing(act) {
    if (button.getAttribute('aria-busy') === 'true') return;
    said.textContent = '';
    button.setAttribute('aria-busy', 'true');
    try {
      await act();
    } catch (error) {
      said.textContent = words(error);
      button.removeAttribute('aria-busy');
    }
  }

  if (signing) {
    button.addEventListener('click', () => doing(async () => {
      const {ask, kept} = await post('/my/passkey/ask', {});
      const credential = /** @type {PublicKeyCredential} */ (await navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(ask)}));
      location.assign((await post('/my/passkey', {credential: credential.toJSON(), kept, back: signing.dataset.back})).to);
    }));
  }

  adding?.addEventListener('submit', (event) => {
    event.preventDefault();
    event.stopPropagation(); // portal.js would let it go once
    const field = /** @type {HTMLInputElement} */ (adding.elements.namedItem('name'));
    const password = /** @type {HTMLInputElement} */ (adding.elements.namedItem('password'));
    doing(async () => {
      if (!field.value.trim()) {
        field.focus();
        throw new Refusal(name);
      }
      const {ask, kept} = await post('/my/passkeys/ask', {password: password.value});
      const credential = /** @type {PublicKeyCredential} */ (await navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(ask)}));
      location.assign((await post('/my/passkeys', {credential: credential.toJSON(), kept, name: field.value})).to);
    });
  });
})();
