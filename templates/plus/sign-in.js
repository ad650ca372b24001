// The pages for signing in: what is typed can be seen, and passkeys. Everything else there are plain forms.
'use strict';
(() => {
  document.documentElement.classList.add('scripted');

  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('[data-show]'))) {
    const field = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.show || ''));
    button.addEventListener('click', () => {
      const shown = field.type === 'text';
      field.type = shown ? 'password' : 'text';
      button.setAttribute('aria-pressed', String(!shown));
      field.focus();
    });
    // A browser that is told to keep what is typed must not keep a password as text.
    field.form?.addEventListener('submit', () => { field.type = 'password'; });
  }

  const signing = /** @type {HTMLElement | null} */ (document.getElementById('passkey'));
  const adding = /** @type {HTMLFormElement | null} */ (document.getElementById('add-passkey'));
  if (!signing && !adding) return;

  const REFRESH = 4 * 60 * 1000; // ms: a challenge is good for five minutes
  const FAILED = 'That did not work. Check your connection and try again.';

  // Older browsers can't read what the server asks; their people sign in by password.
  if (!window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON || !PublicKeyCredential.parseCreationOptionsFromJSON) {
    for (const part of [signing?.closest('.others:not(:has(form))') || signing, adding]) part?.setAttribute('hidden', '');
    return;
  }

  /** @param {string} url @param {object} [body] @returns {Promise<any>} */
  async function post(url, body) {
    const answer = await fetch(url, {method: 'POST', credentials: 'same-origin', redirect: 'error', headers: {'Content-Type': 'application/json', 'X-Part': '1'}, body: JSON.stringify(body || {})});
    if (answer.headers.get('Content-Type') !== 'application/json') throw new Error(FAILED);
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error || FAILED);
    return said;
  }

  /** @param {unknown} error what to say of it; nothing where the person has only changed their mind */
  function words(error) {
    if (error instanceof DOMException) {
      if (error.name === 'InvalidStateError') return 'This passkey was added before.';
      return error.name === 'NotAllowedError' || error.name === 'AbortError' ? 'Nothing was changed: no passkey was given.' : FAILED;
    }
    return error instanceof TypeError ? FAILED : /** @type {Error} */ (error).message;
  }

  // One question to the browser at a time: a new one takes the place of the one that waits in the login field.
  let asking = new AbortController();

  /** @param {string} ask @param {CredentialMediationRequirement} [mediation] */
  async function get(ask, mediation) {
    asking.abort();
    const mine = asking = new AbortController();
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await post(ask));
    return /** @type {PublicKeyCredential} */ (await navigator.credentials.get({publicKey, mediation, signal: mine.signal}));
  }

  if (signing) {
    const {ask = '', answer = '', back = ''} = signing.dataset;
    const button = /** @type {HTMLButtonElement} */ (signing.querySelector('button'));
    const said = /** @type {HTMLElement} */ (signing.querySelector('[role=alert]'));
    /** @param {PublicKeyCredential} credential */
    const give = async (credential) => location.assign((await post(answer, {credential: credential.toJSON(), back})).to);

    button.addEventListener('click', async () => {
      said.textContent = '';
      button.setAttribute('aria-busy', 'true');
      try {
        await give(await get(ask));
      } catch (error) {
        said.textContent = words(error);
      } finally {
        button.removeAttribute('aria-busy');
      }
    });

    // The login field offers passkeys beside passwords, where the browser can; each question lasts as long as its challenge.
    // Nobody has asked for that, so nobody is told where it does not work.
    const offer = async () => {
      const again = setTimeout(offer, REFRESH);
      let credential;
      try {
        credential = await get(ask, 'conditional');
      } catch (error) {
        if (!(error instanceof DOMException && error.name === 'AbortError')) clearTimeout(again);
        return;
      }
      clearTimeout(again);
      try {
        await give(credential);
      } catch (error) {
        said.textContent = words(error);
      }
    };
    if (document.querySelector('[autocomplete~=webauthn]')) {
      PublicKeyCredential.isConditionalMediationAvailable?.().then((can) => { if (can) offer(); });
    }
  }

  if (adding) {
    const {ask = '', answer = ''} = adding.dataset;
    const field = /** @type {HTMLInputElement} */ (adding.elements.namedItem('name'));
    const button = /** @type {HTMLButtonElement} */ (adding.querySelector('button'));
    const said = /** @type {HTMLElement} */ (adding.querySelector('[role=alert]'));
    adding.addEventListener('submit', async (event) => {
      event.preventDefault();
      said.textContent = '';
      field.removeAttribute('aria-invalid');
      if (!field.value.trim()) {
        said.textContent = 'Give the passkey a name, such as “Work laptop”.';
        field.setAttribute('aria-invalid', 'true');
        field.focus();
        return;
      }
      button.setAttribute('aria-busy', 'true');
      try {
        const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await post(ask));
        const credential = /** @type {PublicKeyCredential} */ (await navigator.credentials.create({publicKey}));
        location.assign((await post(answer, {credential: credential.toJSON(), name: field.value})).to);
      } catch (error) {
        said.textContent = words(error);
      } finally {
        button.removeAttribute('aria-busy');
      }
    });
  }
})();
