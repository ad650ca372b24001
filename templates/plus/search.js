// PLUS Web's search as one types: a combobox with a list under it, as the ARIA Authoring Practices describe it. Without this script the field is a form.
'use strict';
(() => {
  const field = /** @type {HTMLInputElement | null} */ (document.getElementById('q'));
  const box = document.getElementById('finds'), list = document.getElementById('found'), note = document.getElementById('found-note');
  if (!field || !box || !list || !note) return; // nobody is signed in
  const PAUSE = 150, SLOW = 250; // ms after the last key, and until it is said that the search goes on
  const SHORTEST = 2;

  field.setAttribute('role', 'combobox');
  field.setAttribute('aria-autocomplete', 'list');
  field.setAttribute('aria-expanded', 'false');
  field.setAttribute('aria-controls', 'found');

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let asking = new AbortController();
  let listed = ''; // what the list answers

  const options = () => /** @type {HTMLElement[]} */ ([...list.children]);
  const chosen = () => options().find((option) => option.getAttribute('aria-selected') === 'true');

  /** @param {boolean} open */
  function show(open) {
    box?.toggleAttribute('hidden', !open);
    field?.setAttribute('aria-expanded', String(open && options().length > 0));
    if (!open) choose(undefined);
  }

  /** @param {HTMLElement | undefined} option */
  function choose(option) {
    for (const one of options()) one.setAttribute('aria-selected', String(one === option));
    if (!option) return field?.removeAttribute('aria-activedescendant');
    field?.setAttribute('aria-activedescendant', option.id);
    option.scrollIntoView({block: 'nearest'});
  }

  function forget() {
    clearTimeout(timer);
    asking.abort();
    field?.removeAttribute('aria-busy');
  }

  /** @param {string} words */
  function tell(words) {
    list?.replaceChildren();
    note?.replaceChildren(Object.assign(document.createElement('p'), {className: 'quiet-text', textContent: words}));
    show(true);
  }

  async function search() {
    const words = field?.value.trim() || '';
    forget();
    const mine = asking = new AbortController();
    const slow = setTimeout(() => {
      if (listed) return; // the last list stays until there is a newer one
      tell('Searching…');
    }, SLOW);
    field?.setAttribute('aria-busy', 'true');
    try {
      const response = await fetch('/plus/clients', {method: 'POST', body: new URLSearchParams({q: words}), credentials: 'same-origin', cache: 'no-store', redirect: 'error', signal: mine.signal, headers: {'X-Part': '1'}});
      if (response.status === 401) return location.reload();
      const html = await response.text();
      if (mine !== asking) return; // there is a newer question
      if (response.status >= 500) throw new Error(String(response.status));
      answer(html, response.ok ? words : '');
    } catch {
      if (mine !== asking || mine.signal.aborted) return;
      listed = '';
      tell('The search could not be reached. Check the connection; Enter tries again.');
      window.plus.say('The search could not be reached.');
    } finally {
      clearTimeout(slow);
      if (mine === asking) field?.removeAttribute('aria-busy');
    }
  }

  /** @param {string} html @param {string} words that it answers; '' if they were refused */
  function answer(html, words) {
    const template = document.createElement('template');
    template.innerHTML = html;
    const part = /** @type {HTMLElement} */ (template.content.firstElementChild);
    listed = words;
    const found = /** @type {HTMLElement[]} */ ([...part.querySelectorAll('li')]);
    found.forEach((option, i) => {
      option.id = 'found-' + i;
      option.setAttribute('role', 'option');
      option.setAttribute('aria-selected', 'false');
    });
    list?.replaceChildren(...found);
    part.querySelector('ul')?.remove();
    note?.replaceChildren(...part.children);
    show(true);
    field?.removeAttribute('aria-activedescendant');
    window.plus.say(part.dataset.say || '');
  }

  /** @param {HTMLElement} option */
  function open(option) {
    const to = option.dataset.href;
    if (!to || !field) return;
    close();
    field.value = '';
    window.plus.visit(to);
  }

  function close() {
    forget();
    listed = '';
    show(false);
    list?.replaceChildren();
    note?.replaceChildren();
  }

  field.addEventListener('input', () => {
    clearTimeout(timer);
    if (field.value.replace(/\D/g, '').length >= 13) { // it does not even leave the browser
      field.value = '';
      close();
      const words = 'That looks like a card number, so we did not keep it. Never type one here; the payer enters it on their phone.';
      note.replaceChildren(Object.assign(document.createElement('p'), {className: 'error', textContent: words}));
      show(true);
      return window.plus.say(words);
    }
    if (field.value.trim().length < SHORTEST) return close();
    choose(undefined);
    timer = setTimeout(search, PAUSE);
  });

  field.addEventListener('keydown', (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = options(), at = all.indexOf(/** @type {HTMLElement} */ (chosen()));
    const isOpen = !box.hidden;
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        if (!isOpen && field.value.trim().length >= SHORTEST) search();
        if (!isOpen || all.length === 0) return;
        const step = event.key === 'ArrowDown' ? 1 : -1;
        choose(all[at < 0 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length]);
        break;
      }
      case 'Home':
      case 'End':
        if (at < 0) return; // in the field, as ever
        choose(all[event.key === 'Home' ? 0 : all.length - 1]);
        break;
      case 'Enter':
        if (at >= 0) open(all[at]);
        else if (isOpen && all.length === 1 && listed === field.value.trim()) open(all[0]);
        else return close(); // the form is sent
        break;
      case 'Escape':
        if (isOpen) close();
        else if (field.value) field.value = '';
        else return;
        break;
      default:
        return;
    }
    event.preventDefault();
  });

  field.addEventListener('cardtyped', () => { // cardnumbers.js says the words
    field.value = '';
    close();
  });
  field.addEventListener('blur', close);
  box.addEventListener('mousedown', (event) => event.preventDefault()); // the field keeps the focus
  box.addEventListener('click', (event) => {
    const option = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('[role=option]'));
    if (!option) return;
    if (event.ctrlKey || event.metaKey) return void window.open(option.dataset.href, '_blank', 'noopener');
    open(option);
  });
  box.addEventListener('mousemove', (event) => {
    const option = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('[role=option]'));
    if (option && option !== chosen()) choose(option);
  });
})();
