// PLUS Web without reloads: the panel's forms are sent and their answers put in place, and the link's status is watched. Without this script the same forms are pages.
'use strict';
(() => {
  /** @template {HTMLElement} T @param {string} id @returns {T} */
  const by = (id) => /** @type {T} */ (document.getElementById(id));
  const live = by('live');
  const panel = by('panel');
  const POLL = 1500, SLOWEST = 15000; // ms

  document.documentElement.classList.add('scripted');

  // --- Everywhere: the search key, and forms that go off once ---

  addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    const at = /** @type {HTMLElement} */ (event.target);
    if (at.closest('input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]')) return;
    const field = /** @type {HTMLInputElement | null} */ (document.getElementById('q'));
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.select();
  });

  /** @param {string} words */
  const say = (words) => {
    live.textContent = '';
    requestAnimationFrame(() => { live.textContent = words; });
  };

  // A form that came back with something wrong says so where it is wrong.
  const wrong = /** @type {HTMLElement | null} */ (document.querySelector('main > [data-focus]'));
  if (wrong) document.getElementById(wrong.dataset.focus || '')?.focus();

  if (!panel) return;

  // --- Putting an answer in place: what is the same stays as it is, with its focus and what was typed into it ---

  /** @param {Node} from @param {Node} to */
  function morph(from, to) {
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || from instanceof Element && to instanceof Element && from.id !== to.id) {
      /** @type {ChildNode} */ (from).replaceWith(to);
      return;
    }
    if (!(from instanceof Element) || !(to instanceof Element)) {
      if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
      return;
    }
    for (const {name} of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
    for (const {name, value} of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    const had = [...from.childNodes], want = [...to.childNodes];
    want.forEach((node, i) => { if (had[i]) morph(had[i], node); else from.append(node); });
    for (const node of had.slice(want.length)) node.remove();
  }

  /** @param {string} html */
  const parse = (html) => {
    const template = document.createElement('template');
    template.innerHTML = html;
    return /** @type {HTMLElement} */ (template.content.firstElementChild);
  };

  // What was typed into the form that sends goes on into the next summary's: it is the same call.
  /** @type {Map<string, string | boolean>} */
  let typed = new Map();
  function keep() {
    const form = /** @type {HTMLFormElement | null} */ (document.getElementById('send'));
    if (!form) return;
    typed = new Map();
    for (const field of form.querySelectorAll('input')) {
      if (field.type === 'hidden') continue;
      if (field.type === 'checkbox' || field.type === 'radio') typed.set(field.name + '=' + field.value, field.checked);
      else typed.set(field.name, field.value);
    }
  }
  function restore() {
    const form = /** @type {HTMLFormElement | null} */ (document.getElementById('send'));
    if (!form) return;
    for (const field of form.querySelectorAll('input')) {
      const value = field.type === 'checkbox' || field.type === 'radio' ? typed.get(field.name + '=' + field.value) : field.type === 'hidden' ? undefined : typed.get(field.name);
      if (typeof value === 'boolean') field.checked = value;
      else if (value !== undefined) field.value = value;
    }
  }

  /** @param {string} html @param {{quiet?: boolean, kept?: boolean}} [how] */
  function show(html, how = {}) {
    const to = parse(html);
    const from = document.getElementById('panel-body');
    if (!to || !from) return;
    if (to.id !== 'panel-body') { // our own error, in words
      from.querySelector('[data-problem]')?.remove();
      to.id = 'problem';
      to.tabIndex = -1;
      from.prepend(to);
      to.focus();
      return;
    }
    const held = document.activeElement && panel.contains(document.activeElement) ? document.activeElement.id : '';
    from.querySelector('[data-problem]')?.remove();
    for (const slot of ['summary-slot', 'cancel-slot']) { // forms come anew, with what the server has kept of them
      const old = by(slot), fresh = /** @type {HTMLElement} */ (to.querySelector('#' + slot));
      if (old && fresh) old.replaceChildren();
    }
    morph(from, to);
    if (how.kept) restore();
    panel.hidden = false;
    by('open')?.setAttribute('aria-expanded', 'true');
    by('open')?.classList.remove('primary');
    ready();
    const words = from.dataset.say;
    if (words) say(words);
    const dialog = /** @type {HTMLDialogElement | null} */ (panel.querySelector('dialog[data-open]'));
    if (dialog) ask(dialog);
    const wanted = how.quiet ? [held] : [from.dataset.focus, held, held && 'status-title', held && 'summary-title'];
    const target = wanted.map((id) => id && document.getElementById(id)).find(Boolean);
    if (target) {
      target.focus();
      target.scrollIntoView({block: 'nearest'});
    }
  }

  // --- Asking the server ---

  let asking = new AbortController();
  let busy = false;

  /** @param {HTMLElement | null} submitter @param {boolean} on */
  function working(submitter, on) {
    busy = on;
    panel.setAttribute('aria-busy', String(on));
    if (on) submitter?.setAttribute('aria-busy', 'true');
    else submitter?.removeAttribute('aria-busy');
  }

  /** @param {string} url @param {RequestInit} init @param {{submitter?: HTMLElement | null, quiet?: boolean, kept?: boolean, history?: 'push' | 'replace' | ''}} how */
  async function request(url, init, how) {
    asking.abort();
    const mine = asking = new AbortController();
    stop();
    working(how.submitter || null, true);
    try {
      const response = await fetch(url, {...init, credentials: 'same-origin', cache: 'no-store', redirect: 'error', signal: mine.signal, headers: {'X-Part': '1'}});
      if (response.status === 401) return location.reload();
      const html = await response.text();
      if (mine !== asking) return;
      by('cancel-dialog') && /** @type {HTMLDialogElement} */ (by('cancel-dialog')).close();
      const at = response.headers.get('Content-Location');
      if (at && how.history && at !== location.pathname + location.search) history[how.history === 'push' ? 'pushState' : 'replaceState'](null, '', at);
      show(html, how);
    } catch (error) {
      if (mine !== asking || mine.signal.aborted) return;
      show('<div class="alert error" data-problem><span></span><p><b>The server could not be reached.</b> Check the connection and try again. Nothing is sent twice.</p></div>');
    } finally {
      if (mine === asking) working(how.submitter || null, false);
      watch();
    }
  }

  document.addEventListener('submit', (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const submitter = /** @type {HTMLButtonElement | null} */ (event.submitter);
    const dialog = submitter?.dataset.dialog;
    if (dialog && document.getElementById(dialog)) {
      event.preventDefault();
      /** @type {HTMLInputElement} */ (by('anew')).value = submitter.name === 'anew' ? '1' : '';
      return ask(/** @type {HTMLDialogElement} */ (by(dialog)));
    }
    if (!form.hasAttribute('data-part') || submitter?.formMethod === 'dialog') return;
    event.preventDefault();
    const post = form.method === 'post';
    if (busy && post) return;
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) body.append(name, String(value));
    if (post) return request(form.action, {method: 'POST', body}, {submitter, history: 'replace'});
    keep();
    for (const field of panel.querySelectorAll('#send > fieldset')) /** @type {HTMLFieldSetElement} */ (field).disabled = true;
    request(form.action + '?' + body, {}, {submitter, kept: true, history: 'push'});
  });

  panel.addEventListener('click', (event) => {
    const link = /** @type {HTMLElement} */ (event.target).closest('a[data-part]');
    if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    request(link.href, {}, {history: 'push'});
  });

  addEventListener('popstate', () => location.reload());

  // --- The dialog ---

  /** @type {Element | null} */
  let opener = null;
  /** @param {HTMLDialogElement} dialog */
  function ask(dialog) {
    opener = document.activeElement;
    dialog.removeAttribute('open');
    dialog.removeAttribute('data-open');
    dialog.showModal();
    (/** @type {HTMLElement | null} */ (dialog.querySelector('[aria-invalid=true]')) || by('reason')).focus();
  }
  document.addEventListener('close', () => { if (opener instanceof HTMLElement && opener.isConnected) opener.focus(); }, true);

  // --- The number: whose it is, and what to read back ---

  function number() {
    const field = /** @type {HTMLInputElement | null} */ (document.getElementById('phone'));
    if (!field) return;
    const plain = (/** @type {string} */ s) => s.replace(/\D/g, '').replace(/^1(?=\d{10}$)/, '');
    const now = plain(field.value), own = now === plain(field.dataset.own || '');
    const whole = now.length === 10;
    by('whose').textContent = own ? 'Client’s own number.' : whole ? 'Another number.' : 'The number is not complete.';
    by('ending').hidden = !whole;
    /** @type {HTMLElement} */ (by('ending').querySelector('b')).textContent = now.slice(-4);
    by('other').hidden = own && !by('other').querySelector('[aria-invalid=true]');
  }
  panel.addEventListener('input', (event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    if (field.id === 'phone') number();
    if (field.getAttribute('aria-invalid') && field.id !== 'days') { // it is being put right
      field.removeAttribute('aria-invalid');
      const error = document.getElementById(field.id + '-error');
      if (error) error.textContent = '';
    }
  });

  // A summary on show that nobody has sent follows the choice.
  panel.addEventListener('change', (event) => {
    const form = /** @type {HTMLElement} */ (event.target).closest('form');
    if (!form || form.id !== 'choice' || !document.getElementById('send')) return;
    keep();
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) body.append(name, String(value));
    for (const field of panel.querySelectorAll('#send > fieldset')) /** @type {HTMLFieldSetElement} */ (field).disabled = true;
    request(form.action + '?' + body, {}, {quiet: true, kept: true, history: 'replace'});
  });

  // --- The call note ---

  document.addEventListener('click', async (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest('#copy');
    if (!(button instanceof HTMLElement)) return;
    const note = button.dataset.note || '';
    let copied = false;
    try {
      await navigator.clipboard.writeText(note);
      copied = true;
    } catch {
      const area = Object.assign(document.createElement('textarea'), {value: note, readOnly: true, className: 'visually-hidden'});
      document.body.append(area);
      area.select();
      copied = document.execCommand('copy');
      area.remove();
      button.focus();
    }
    toast(copied ? 'Copied' : 'Could not copy: ' + note);
  });

  /** @param {string} words */
  function toast(words) {
    const p = Object.assign(document.createElement('p'), {className: 'toast', textContent: words});
    by('toasts').replaceChildren(p);
    setTimeout(() => p.remove(), 4000);
  }

  // --- The link's status: asked again until nothing can change any more, and not while nobody looks ---

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let pause = POLL;
  let turn = 0;
  let endsAt = 0; // by performance.now(), of the countdown

  function stop() {
    turn++;
    clearTimeout(timer);
  }

  function watch() {
    stop();
    const status = document.getElementById('status');
    if (!status || status.dataset.over === 'true' || document.hidden || busy) return;
    const mine = turn;
    timer = setTimeout(() => poll(mine), pause);
  }

  /** @param {number} mine */
  async function poll(mine) {
    const status = document.getElementById('status');
    if (!status) return;
    try {
      const response = await fetch(status.dataset.url || '', {credentials: 'same-origin', cache: 'no-store', redirect: 'error', signal: AbortSignal.timeout(10000),
        headers: {'X-Part': '1', 'If-None-Match': '"' + status.dataset.version + '"'}});
      if (mine !== turn) return;
      if (response.status === 401) return over();
      if (response.status !== 200 && response.status !== 304) throw new Error(String(response.status));
      const html = response.status === 200 ? await response.text() : '';
      if (mine !== turn) return;
      connected(true);
      if (html) change(html);
      left(Number(response.headers.get('X-Seconds-Left')));
    } catch {
      if (mine !== turn) return;
      connected(false);
    }
    watch();
  }

  function over() {
    const note = by('connection');
    if (!note) return;
    note.replaceChildren('You are signed out. ', Object.assign(document.createElement('a'), {href: location.href, textContent: 'Sign in to go on'}));
  }

  /** @param {boolean} on */
  function connected(on) {
    pause = on ? POLL : Math.min(pause * 2, SLOWEST);
    const note = document.getElementById('connection');
    const words = on ? '' : 'Reconnecting…';
    if (note && note.textContent !== words) note.textContent = words;
  }

  /** @param {string} html */
  function change(html) {
    const from = document.getElementById('status'), to = parse(html);
    if (!from || !to || to.id !== 'status') return;
    const held = document.activeElement && from.contains(document.activeElement) ? document.activeElement.id : '';
    morph(from, to);
    const now = by('status');
    if (held && !(document.activeElement && now.contains(document.activeElement))) (document.getElementById(held) || by('status-title')).focus();
    const leftPill = document.getElementById('left');
    if (leftPill) left(Number(leftPill.dataset.left));
    if (now.dataset.over === 'true') refresh();
  }

  // A payment that has ended may have moved the client's figures.
  async function refresh() {
    try {
      const response = await fetch(location.href, {credentials: 'same-origin', cache: 'no-store', redirect: 'error'});
      if (!response.ok) return;
      const page = new DOMParser().parseFromString(await response.text(), 'text/html');
      for (const id of ['client', 'rest']) {
        const from = document.getElementById(id), to = page.getElementById(id);
        if (from && to) morph(from, document.importNode(to, true));
      }
    } catch {
      // they are right when the page is next opened
    }
  }

  /** @param {number} seconds by the server's clock */
  function left(seconds) {
    if (!Number.isFinite(seconds)) return;
    const ends = performance.now() + seconds * 1000;
    if (Math.abs(ends - endsAt) > 1500) endsAt = ends; // within that, our own counting is the steadier
    tick();
  }

  function tick() {
    const pill = document.getElementById('left');
    if (!pill || document.hidden) return;
    const seconds = Math.max(0, Math.ceil((endsAt - performance.now()) / 1000));
    const words = Math.floor(seconds / 60) + ':' + String(seconds % 60).padStart(2, '0') + ' left';
    if (pill.textContent !== words) pill.textContent = words;
  }
  setInterval(tick, 250);

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return stop();
    pause = POLL;
    tick();
    stop();
    const status = document.getElementById('status');
    if (status && status.dataset.over !== 'true' && !busy) poll(turn);
  });
  addEventListener('online', () => { pause = POLL; watch(); });
  addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });

  function ready() {
    number();
    const pill = document.getElementById('left');
    endsAt = 0;
    if (pill) left(Number(pill.dataset.left));
  }

  ready();
  const dialog = /** @type {HTMLDialogElement | null} */ (panel.querySelector('dialog[data-open]'));
  if (dialog) ask(dialog);
  const first = by('panel-body').dataset.focus;
  if (first && !dialog) document.getElementById(first)?.focus();
  watch();
})();
