// PLUS Web without reloads: pages of clients and the search are put in place of one another, the panel's forms are sent and their answers shown, and the link's status
// is watched. Without this script the same forms and links are pages.
'use strict';
(() => {
  /** @template {HTMLElement} T @param {string} id @returns {T} */
  const by = (id) => /** @type {T} */ (document.getElementById(id));
  const live = by('live');
  const POLL = 1500, SLOWEST = 15000; // ms

  document.documentElement.classList.add('scripted');

  /** @param {string} words */
  const say = (words) => {
    live.textContent = '';
    requestAnimationFrame(() => { live.textContent = words; });
  };

  // A form that came back with something wrong says so where it is wrong.
  const aim = () => {
    const wrong = /** @type {HTMLElement | null} */ (document.querySelector('main > [data-focus], #rest[data-focus]'));
    const field = wrong && document.getElementById(wrong.dataset.focus || '');
    field?.focus();
    return Boolean(field);
  };
  aim();

  /** The panel of the page that is shown; there is none on the search's. */
  let panel = by('panel');

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

  // What was typed into a form that says so goes on into the one that takes its place, while it is the same call: a new summary's, or the same tab's when it is shown again.
  /** @type {Map<string, Map<string, string | boolean>>} */
  const typed = new Map();
  const fieldsOf = (/** @type {HTMLFormElement} */ form) => /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll('input:not([type=hidden], [data-fresh]), textarea, select')); // what is data-fresh is asked anew each time
  const togglesOf = (/** @type {HTMLInputElement} */ field) => field.type === 'checkbox' || field.type === 'radio';
  /** @param {ParentNode} within */
  function keep(within) {
    for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (within.querySelectorAll('form[data-keep]'))) {
      /** @type {Map<string, string | boolean>} */
      const values = new Map();
      for (const field of fieldsOf(form)) togglesOf(field) ? values.set(field.name + '=' + field.value, field.checked) : values.set(field.name, field.value);
      typed.set(form.id, values);
    }
  }
  /** @param {ParentNode} within */
  function restore(within) {
    for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (within.querySelectorAll('form[data-keep]'))) {
      const values = typed.get(form.id);
      for (const field of values ? fieldsOf(form) : []) {
        const value = values?.get(togglesOf(field) ? field.name + '=' + field.value : field.name);
        if (typeof value === 'boolean') field.checked = value;
        else if (value !== undefined) field.value = value;
      }
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
    document.getElementById('take')?.remove(); // a consent to another total does not stay
    morph(from, to);
    if (how.kept) restore(panel);
    panel.hidden = 'closed' in from.dataset;
    by('open')?.setAttribute('aria-expanded', String(!panel.hidden));
    by('open')?.classList.toggle('primary', panel.hidden);
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

  // --- Asking the server for the panel ---

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
      const found = response.headers.get('Content-Location');
      if (found && how.history) go(onThisTab(found).href, how.history);
      show(html, how);
      if (init.method === 'POST' && response.ok) refresh();
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
    if (form.hasAttribute('data-page') && inPlace(location) && !event.defaultPrevented) {
      event.preventDefault();
      if (submitter?.getAttribute('aria-busy') === 'true') return;
      const fields = new URLSearchParams();
      for (const [name, value] of new FormData(form, submitter)) fields.append(name, String(value));
      const asks = new URL(form.method === 'post' ? form.action : form.action + '?' + fields);
      return visit(form.method !== 'post' && keepsPanel(form, asks) ? beside(asks.href) : asks.href, {body: form.method === 'post' ? fields : undefined, submitter});
    }
    if (!form.hasAttribute('data-part') || submitter?.formMethod === 'dialog') return;
    event.preventDefault();
    const post = form.method === 'post';
    if (busy && post) return;
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) body.append(name, String(value));
    if (body.has('tab')) body.set('tab', tab());
    if (post) return request(form.action, {method: 'POST', body}, {submitter, history: 'replace'});
    keep(panel);
    for (const field of panel.querySelectorAll('#send > fieldset, #take > fieldset')) /** @type {HTMLFieldSetElement} */ (field).disabled = true;
    request(form.action + '?' + body, {}, {submitter, kept: true, history: 'push'});
  });

  // --- Pages in place of one another: the document stays, and with it the call ---

  let at = location.href; // of what is shown
  const tab = () => new URL(at).searchParams.get('tab') || 'account';

  /** @param {string} to an address of the panel @returns {URL} the same on the tab that is shown */
  function onThisTab(to) {
    const url = new URL(to, at);
    if (tab() === 'account') url.searchParams.delete('tab');
    else url.searchParams.set('tab', tab());
    return url;
  }

  // What an address says of the panel.
  const PANEL = ['panel', 'vehicle', 'days', 'payment', 'ask', 'anew'];
  const panelOf = (/** @type {string} */ address) => PANEL.map((name) => new URL(address).searchParams.get(name)).join();

  /** @param {string} to a tab's address @returns {string} it with the panel as it stands */
  function beside(to) {
    const url = new URL(to, at);
    for (const name of PANEL) {
      const value = new URL(at).searchParams.get(name);
      value === null ? url.searchParams.delete(name) : url.searchParams.set(name, value);
    }
    return url.href;
  }

  /** Whether the panel stays as it is when something of a tab leads to an address: it does unless the address asks for one. @param {Element} from @param {URL} to */
  const keepsPanel = (from, to) => Boolean(from.closest('#rest')) && to.pathname === new URL(at).pathname && !PANEL.some((name) => to.searchParams.has(name));

  /** @param {string} to @param {'push' | 'replace' | ''} [how] */
  function go(to, how) {
    if (how && to !== location.href) history[how === 'push' ? 'pushState' : 'replaceState'](null, '', to);
    at = to;
  }

  /** The pages that can be put in place of one another: the search's and the clients'. @param {URL | Location} url */
  const inPlace = (url) => url.origin === location.origin && /^\/plus\/(clients(\/[^/]+)?)?$/.test(url.pathname);

  let going = new AbortController();

  /**
   * Shows a page in place, or the whole page anew where that can't be.
   * @param {string} to
   * @param {{method?: string, body?: URLSearchParams, submitter?: HTMLElement | null, history?: 'push' | ''}} [how]
   */
  async function visit(to, how = {}) {
    const url = new URL(to, location.href);
    if (!how.body && (!inPlace(url) || !inPlace(location))) return location.assign(url);
    going.abort();
    const mine = going = new AbortController();
    const main = by('main');
    const form = how.submitter?.closest('form');
    main.setAttribute('aria-busy', 'true');
    how.submitter?.setAttribute('aria-busy', 'true');
    try {
      const response = await fetch(url, {method: how.body ? 'POST' : 'GET', body: how.body, credentials: 'same-origin', cache: 'no-store', signal: mine.signal});
      if (response.status === 401) return how.body ? location.reload() : location.assign(url);
      const page = new DOMParser().parseFromString(await response.text(), 'text/html');
      if (mine !== going) return;
      const end = new URL(response.url);
      if (!page.getElementById('main') || response.ok && !inPlace(end)) return location.assign(end);
      if (how.body && form && !response.ok && page.querySelector('main [data-reference]')) return trouble(form, page);
      if (document.getElementById('rest')) keep(by('rest'));
      if (how.body && form) typed.delete(form.id); // the answer says what is kept of it
      const same = end.pathname === new URL(at).pathname && how.history !== '' && !PANEL.some((name) => end.searchParams.has(name)); // as the panel
      put(page, !inPlace(end) ? at : same ? beside(end.href) : end.href, how.history ?? 'push', form || null, response.ok);
    } catch {
      if (mine !== going || mine.signal.aborted) return;
      if (how.history === '') return location.reload(); // the address has changed already
      toast('The server could not be reached. Check the connection and try again.');
    } finally {
      if (mine === going) main.removeAttribute('aria-busy');
      how.submitter?.removeAttribute('aria-busy');
    }
  }

  /** Our own error over a form, which keeps what was typed. @param {HTMLFormElement} form @param {Document} page */
  function trouble(form, page) {
    form.querySelector('[data-problem]')?.remove();
    const words = [...page.querySelectorAll('main h1, main p:not(.row)')].map((e) => e.textContent?.trim()).join('. ');
    const alert = Object.assign(document.createElement('div'), {className: 'alert error', tabIndex: -1});
    alert.setAttribute('data-problem', '');
    alert.append(document.createElement('span'), Object.assign(document.createElement('p'), {textContent: words}));
    form.prepend(alert);
    alert.focus();
  }

  /** @param {Document} page @param {string} to @param {'push' | ''} how @param {HTMLFormElement | null} form that led here @param {boolean} ok */
  function put(page, to, how, form, ok) {
    const before = at;
    go(to, how);
    document.title = page.title;
    const rooms = document.querySelector('nav.rooms'), fresh = page.querySelector('nav.rooms');
    if (rooms && fresh) morph(rooms, document.importNode(fresh, true));
    const client = document.getElementById('client'), comes = page.getElementById('client');
    if (client && comes && client.dataset.id === comes.dataset.id) {
      morph(client, document.importNode(comes, true));
      turnTo(page);
      if (panelOf(before) !== panelOf(to)) {
        stop();
        show(page.getElementById('panel-body')?.outerHTML || '');
        watch();
        if (document.activeElement === document.body) (document.getElementById('status-title') || by('open'))?.focus();
        return;
      }
      const after = ok && form?.dataset.after ? document.getElementById(form.dataset.after) : null;
      if (after) {
        after.focus();
        say(form?.dataset.said || '');
      } else if (!aim()) say(document.querySelector('.tabs [aria-current]')?.textContent || '');
      return;
    }
    stop();
    asking.abort();
    typed.clear();
    by('main').replaceChildren(...document.importNode(/** @type {HTMLElement} */ (page.getElementById('main')), true).childNodes);
    panel = by('panel');
    scrollTo(0, 0);
    ready();
    watch();
    if (aim()) return;
    const title = by('main').querySelector('h1');
    if (!title) return;
    title.tabIndex = -1;
    title.focus();
  }

  /** Turns to another tab of the same client. The tabs stay, with their focus. @param {Document} page */
  function turnTo(page) {
    const from = by('rest'), to = document.importNode(/** @type {HTMLElement} */ (page.getElementById('rest')), true);
    const held = document.activeElement && from.contains(document.activeElement) ? document.activeElement.id : '';
    const tabs = /** @type {HTMLElement} */ (from.firstElementChild);
    const fresh = /** @type {HTMLElement} */ (to.firstElementChild);
    morph(tabs, fresh);
    fresh.remove();
    while (tabs.nextSibling) tabs.nextSibling.remove();
    while (to.firstChild) from.append(to.firstChild);
    to.dataset.focus ? from.dataset.focus = to.dataset.focus : delete from.dataset.focus;
    restore(from);
    if (held && !(document.activeElement && from.contains(document.activeElement))) document.getElementById(held)?.focus();
  }

  document.addEventListener('click', (event) => {
    const link = /** @type {HTMLElement} */ (event.target).closest('a[href]');
    if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || link.target || link.hasAttribute('download')) return;
    const url = new URL(link.href);
    if (url.hash || !inPlace(url) || !inPlace(location)) return;
    event.preventDefault();
    if (link.hasAttribute('data-part') && panel) return request(onThisTab(link.href).href, {}, {history: 'push'});
    visit(link.closest('.tabs') || keepsPanel(link, url) ? beside(url.href) : url.href);
  });

  addEventListener('popstate', () => {
    if (location.href.split('#')[0] === at.split('#')[0]) return;
    if (inPlace(location)) visit(location.href, {history: ''});
    else location.reload();
  });

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
  document.addEventListener('close', (event) => {
    if (/** @type {Element} */ (event.target).id !== 'cancel-dialog') return;
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    opener = null;
  }, true);

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
    whose(whole && !own ? now : '');
  }

  // Whose else it is, is asked as soon as it is whole.
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let looking;
  let looked = ''; // the number that the form says this of
  const LOOK = 250; // ms after the last key
  /** @param {string} number ten digits, or '' for none to ask about */
  function whose(number) {
    if (number === looked) return;
    clearTimeout(looking);
    looked = number;
    const slot = by('number-check');
    if (!slot) return;
    if (!number) return slot.replaceChildren();
    looking = setTimeout(async () => {
      try {
        const response = await fetch('/plus/clients/' + by('client').dataset.id + '/number', {method: 'POST', body: new URLSearchParams({phone: number}), credentials: 'same-origin', cache: 'no-store', redirect: 'error', headers: {'X-Part': '1'}});
        const html = response.ok ? await response.text() : '';
        if (looked !== number || by('number-check') !== slot) return; // it was typed on
        const template = document.createElement('template');
        template.innerHTML = html.trim();
        slot.replaceChildren(template.content);
      } catch {
        looked = ''; // it is checked again when it is sent
      }
    }, LOOK);
  }
  document.addEventListener('input', (event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    if (field.id === 'phone') number();
    if (field.getAttribute('aria-invalid') && field.id !== 'days') { // it is being put right
      field.removeAttribute('aria-invalid');
      const error = document.getElementById(field.id + '-error');
      if (error) error.textContent = '';
    }
  });

  // A summary on show that nobody has sent follows the choice.
  document.addEventListener('change', (event) => {
    const form = /** @type {HTMLElement} */ (event.target).closest('form');
    if (!form || form.id !== 'take-choice' && (form.id !== 'choice' || !document.getElementById('send'))) return;
    keep(panel);
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) body.append(name, String(value));
    if (body.has('tab')) body.set('tab', tab());
    for (const field of panel.querySelectorAll('#send > fieldset, #take > fieldset')) /** @type {HTMLFieldSetElement} */ (field).disabled = true;
    request(form.action + '?' + body, {}, {quiet: true, kept: true, history: 'replace'});
  });

  // --- The call note ---

  document.addEventListener('click', (event) => {
    if (/** @type {HTMLElement} */ (event.target).closest('[data-print]')) print();
  });
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

  // --- What changes by itself: a stream tells it while somebody looks. Where no stream can be had, the link's status is asked for again and again ---

  const SILENT = 40000, PATIENT = 2000; // ms: a stream that says nothing for so long is gone; a short break is not worth a word
  const STREAMLESS = 15000; // ms until a stream is tried again after none could be had

  /** @type {EventSource | null} */
  let stream = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let notice;
  let pause = POLL;
  let turn = 0;
  let pollUntil = 0; // by performance.now()
  let endsAt = 0; // by performance.now(), of the countdown
  let out = false; // nobody is signed in any more

  function stop() {
    turn++;
    clearTimeout(timer);
    stream?.close();
    stream = null;
  }

  function watch() {
    stop();
    const client = document.getElementById('client');
    if (!client || document.hidden || busy || out) return;
    const mine = turn;
    const polls = pollUntil - performance.now();
    if (polls <= 0) return listen(client, mine);
    const status = document.getElementById('status');
    const asks = status && status.dataset.over !== 'true';
    timer = setTimeout(() => asks ? poll(mine) : watch(), asks ? pause : polls);
  }

  /** @param {HTMLElement} client @param {number} mine */
  function listen(client, mine) {
    const status = document.getElementById('status');
    const url = new URL('/plus/clients/' + encodeURIComponent(client.dataset.id || '') + '/live', at);
    for (const name of ['tab', ...PANEL]) {
      const value = new URL(at).searchParams.get(name);
      if (value !== null) url.searchParams.set(name, value);
    }
    url.searchParams.set('on', status?.dataset.payment || '');
    url.searchParams.set('have', client.dataset.pulse + '/' + (status?.dataset.version || ''));
    const source = stream = new EventSource(url);
    const heard = () => {
      connected(true);
      clearTimeout(timer);
      timer = setTimeout(() => { lost(); watch(); }, SILENT);
    };
    source.addEventListener('open', heard);
    source.addEventListener('error', () => {
      if (mine !== turn) return;
      lost();
      if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
      pollUntil = performance.now() + STREAMLESS;
      watch();
    });
    /** @param {string} name @param {(data: string) => void} f */
    const on = (name, f) => source.addEventListener(name, (event) => {
      if (mine !== turn) return;
      heard();
      f(/** @type {MessageEvent} */ (event).data);
    });
    on('status', change);
    on('page', refresh);
    on('panel', () => {
      keep(panel);
      request(at, {}, {quiet: true, kept: true}).then(() => say('A payment for this client is under way.'));
    });
    on('beat', (seconds) => { if (document.getElementById('left')) left(Number(seconds)); });
    on('over', over);
  }

  /** @param {number} mine */
  async function poll(mine) {
    const status = by('status');
    try {
      const response = await fetch(onThisTab(status.dataset.url || ''), {credentials: 'same-origin', cache: 'no-store', redirect: 'error', signal: AbortSignal.timeout(10000),
        headers: {'X-Part': '1', 'If-None-Match': '"' + status.dataset.version + '"'}});
      if (mine !== turn) return;
      if (response.status === 401) return over('session');
      if (response.status !== 200 && response.status !== 304) throw new Error(String(response.status));
      const html = response.status === 200 ? await response.text() : '';
      if (mine !== turn) return;
      connected(true);
      if (html) change(html);
      left(Number(response.headers.get('X-Seconds-Left')));
      if (by('status').dataset.over === 'true') refresh();
    } catch {
      if (mine !== turn) return;
      connected(false);
    }
    watch();
  }

  /** Nothing more is told. @param {string} why */
  function over(why) {
    out = true;
    stop();
    connected(true);
    const words = why === 'session' ? 'You are signed out. ' : 'You can’t see this any more. ';
    const note = document.getElementById('connection');
    if (!note) return toast(words);
    note.replaceChildren(words, Object.assign(document.createElement('a'), {href: location.href, textContent: why === 'session' ? 'Sign in to go on' : 'Load the page again'}));
  }

  function lost() {
    notice ??= setTimeout(() => connected(false), PATIENT);
  }

  /** @param {boolean} on */
  function connected(on) {
    clearTimeout(notice);
    notice = undefined;
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
  }

  let refreshing = false, stale = false;

  // What the page says of the client beside the link is asked for whole, and only what is marked data-live is put in place: forms are nobody's to change.
  async function refresh() {
    stale = true;
    if (refreshing) return;
    refreshing = true;
    while (stale) {
      stale = false;
      const asked = at;
      try {
        const response = await fetch(asked, {credentials: 'same-origin', cache: 'no-store', redirect: 'error'});
        if (!response.ok) break;
        const page = new DOMParser().parseFromString(await response.text(), 'text/html');
        if (asked !== at) continue; // somebody has gone on
        for (const from of document.querySelectorAll('[data-live]')) {
          const to = page.getElementById(from.id);
          if (to) morph(from, document.importNode(to, true));
        }
        number();
      } catch {
        break; // it is right when the page is next opened
      }
    }
    refreshing = false;
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
    tick();
    again();
  });
  const again = () => {
    pause = POLL;
    pollUntil = 0;
    watch();
  };
  addEventListener('online', again);
  addEventListener('offline', () => connected(false));
  addEventListener('pagehide', stop);
  addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });

  /** Takes up what a page brings. */
  function ready() {
    if (!panel) return;
    const field = /** @type {HTMLInputElement | null} */ (document.getElementById('phone'));
    looked = field && by('number-check').childElementCount ? field.value.replace(/\D/g, '').replace(/^1(?=\d{10}$)/, '') : ''; // the server has said it
    number();
    const pill = document.getElementById('left');
    endsAt = 0;
    if (pill) left(Number(pill.dataset.left));
  }

  ready();
  const dialog = /** @type {HTMLDialogElement | null} */ (document.querySelector('#panel dialog[data-open]'));
  if (dialog) ask(dialog);
  const first = document.getElementById('panel-body')?.dataset.focus;
  if (first && !dialog) document.getElementById(first)?.focus();
  watch();

  window.plus = {say, visit, beside, toast};
})();
