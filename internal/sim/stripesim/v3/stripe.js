// @ts-check
/**
 * A stand-in for https://js.stripe.com/v3/ that runs on the page which asks for money.
 *
 * It offers the part of Stripe.js that this project uses (see DIVERGENCES.md), with the shapes of
 * @stripe/stripe-js 3.5, and no more. The one promise that matters is kept as Stripe keeps it: the
 * page's script never holds a card number. Every card field is an iframe of the simulator's origin;
 * a hidden controller iframe of that origin collects the parts over a BroadcastChannel, which the
 * page cannot join, and is the only one that calls the API. What crosses to the page are states,
 * errors and objects without secrets.
 *
 * Page and frame meet once: the frame says hello to its parent, the page answers with a MessagePort,
 * addressed to the simulator's origin only, and everything else goes through that port.
 */
(() => {
  'use strict';

  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const base = new URL('.', script.src);

  /** How long a frame may take to say hello before the call that needs it fails, in milliseconds. */
  const HELLO_LIMIT_MS = 30_000;

  const RESET =
    'margin: 0px !important; padding: 0px !important; border: none !important; display: block !important;' +
    ' background: transparent !important; position: relative !important; opacity: 1 !important;';
  // "light only": an iframe whose colour scheme differs from its document's is painted on an opaque
  // ground, which would put white boxes on a dark page. Colours come from the page's style object.
  const FIELD_FRAME =
    'border: none !important; margin: 0px !important; padding: 0px !important; width: 1px !important;' +
    ' min-width: 100% !important; overflow: hidden !important; display: block !important;' +
    ' user-select: none !important; transform: translate(0px) !important; color-scheme: light only !important;';
  const HIDDEN_FRAME =
    'border: none !important; margin: 0px !important; padding: 0px !important; width: 1px !important;' +
    ' min-width: 100% !important; overflow: hidden !important; display: block !important;' +
    ' visibility: hidden !important; position: fixed !important; height: 1px !important;' +
    ' pointer-events: none !important; user-select: none !important;';
  const DIALOG =
    'position: fixed !important; inset: 0px !important; width: 100% !important; height: 100% !important;' +
    ' max-width: none !important; max-height: none !important; margin: 0px !important; padding: 0px !important;' +
    ' border: none !important; background: transparent !important; overflow: hidden !important;' +
    ' color-scheme: light only !important;';
  const CHALLENGE_FRAME =
    'border: none !important; width: 100% !important; height: 100% !important; display: block !important;' +
    ' background: transparent !important; color-scheme: light only !important;';

  const CLASSES = {
    base: 'StripeElement',
    complete: 'StripeElement--complete',
    empty: 'StripeElement--empty',
    focus: 'StripeElement--focus',
    invalid: 'StripeElement--invalid',
    webkitAutofill: 'StripeElement--webkit-autofill',
  };

  /** @type {StripeStandIn.ElementType[]} */
  const TYPES = ['cardNumber', 'cardExpiry', 'cardCvc', 'postalCode'];

  const WORDS = {
    en: {
      titles: {
        cardNumber: 'Secure card number input frame',
        cardExpiry: 'Secure expiration date input frame',
        cardCvc: 'Secure CVC input frame',
        postalCode: 'Secure postal code input frame',
      },
      connection: 'The payment service could not be reached. Check your connection and try again.',
      challenge: '3-D Secure authentication',
      authentication: 'Your bank did not confirm that it is you. Choose another card and try again.',
    },
    es: {
      titles: {
        cardNumber: 'Marco seguro para introducir el número de tarjeta',
        cardExpiry: 'Marco seguro para introducir la fecha de vencimiento',
        cardCvc: 'Marco seguro para introducir el código CVC',
        postalCode: 'Marco seguro para introducir el código postal',
      },
      connection: 'No se pudo contactar con el servicio de pago. Revise su conexión e inténtelo de nuevo.',
      challenge: 'Autenticación 3-D Secure',
      authentication: 'Su banco no confirmó que sea usted. Elija otra tarjeta e inténtelo de nuevo.',
    },
  };

  /** @typedef {Exclude<keyof typeof CLASSES, 'base'>} State */

  /** A mistake of the page's author; thrown, as the real one throws it. What a payer or a network can cause is returned. */
  class IntegrationError extends Error {
    /** @param {string} message */
    constructor(message) {
      super(message);
      this.name = 'IntegrationError';
    }
  }

  /** Locales other than these two fall back to English, as an unknown locale does on the real one.
   * @param {string | undefined} locale @returns {'en' | 'es'} */
  function language(locale) {
    const wanted = !locale || locale === 'auto' ? navigator.language : locale;
    return /^es\b/i.test(wanted) ? 'es' : 'en';
  }

  /** 128 random bits. crypto.randomUUID is missing on a page that is neither https nor loopback, such as a phone on the same network. */
  function randomName() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
  }

  /** @param {Node} node @returns {HTMLElement | null} */
  function nearestElement(node) {
    return node instanceof HTMLElement ? node : node.parentElement;
  }

  let frames = 0;

  /** One iframe of the simulator's origin and the port to it. Messages sent before it says hello wait for it. */
  class Frame {
    /** @type {MessagePort | null} */ #port = null;
    /** @type {object[]} */ #waiting = [];
    /** @type {Map<number, (answer: any) => void>} */ #asked = new Map();
    #serial = 0;
    #init;
    #onMessage;
    /** @type {(() => void)[]} */ #onHello = [];
    #lost = false;

    /** @param {{path: string, style: string, title?: string, init: () => object, onMessage?: (message: any) => void}} options */
    constructor({ path, style, title, init, onMessage }) {
      this.#init = init;
      this.#onMessage = onMessage;
      const iframe = document.createElement('iframe');
      iframe.name = `__privateStripeFrame${++frames}`;
      iframe.setAttribute('style', style);
      iframe.setAttribute('frameborder', '0');
      iframe.setAttribute('scrolling', 'no');
      if (title) iframe.title = title;
      iframe.src = new URL(path, base).href;
      this.iframe = iframe;
      window.addEventListener('message', this.#hello);
    }

    /** @param {MessageEvent} event */
    #hello = (event) => {
      if (event.origin !== base.origin || event.source !== this.iframe.contentWindow || event.data?.stripesim !== 'hello') return;
      // A second hello means that the iframe was moved in the document and has loaded anew.
      this.#port?.close();
      const { port1, port2 } = new MessageChannel();
      this.#port = port1;
      port1.onmessage = ({ data }) => {
        if (data.answer === undefined) return this.#onMessage?.(data);
        this.#asked.get(data.answer)?.(data.result);
        this.#asked.delete(data.answer);
      };
      /** @type {Window} */ (event.source).postMessage({ stripesim: 'init', ...this.#init() }, base.origin, [port2]);
      for (const message of this.#waiting.splice(0)) port1.postMessage(message);
      for (const tell of this.#onHello.splice(0)) tell();
    };

    /** Resolves with whether the frame has said hello within the limit. */
    loaded() {
      if (this.#port) return Promise.resolve(true);
      if (this.#lost) return Promise.resolve(false);
      return /** @type {Promise<boolean>} */ (
        new Promise((resolve) => {
          const limit = setTimeout(() => {
            this.#lost = true;
            resolve(false);
          }, HELLO_LIMIT_MS);
          this.#onHello.push(() => {
            clearTimeout(limit);
            this.#lost = false;
            resolve(true);
          });
        })
      );
    }

    /** @param {object} message */
    send(message) {
      if (this.#port) this.#port.postMessage(message);
      else this.#waiting.push(message);
    }

    /** Resolves with the frame's answer, or with undefined if there is no frame to answer.
     * @param {string} action @param {object} params @returns {Promise<any>} */
    async ask(action, params) {
      if (!(await this.loaded())) return undefined;
      const ask = ++this.#serial;
      return new Promise((resolve) => {
        this.#asked.set(ask, resolve);
        this.send({ ask, action, params });
      });
    }

    remove() {
      window.removeEventListener('message', this.#hello);
      this.#port?.close();
      this.#port = null;
      this.iframe.remove();
    }
  }

  /** One card field. */
  class Element {
    /** @type {StripeStandIn.ElementType} */ #type;
    /** @type {StripeStandIn.ElementOptions} */ #options;
    #group;
    /** @type {'en' | 'es'} */ #language;
    #forget;
    /** @type {{event: string, handler: (event: any) => any, once: boolean}[]} */ #handlers = [];
    /** @type {HTMLElement | null} */ #node = null;
    /** @type {Frame | null} */ #frame = null;
    #destroyed = false;
    /** @type {Record<State, boolean>} */
    #state = { empty: true, complete: false, invalid: false, focus: false, webkitAutofill: false };

    /** @param {{type: StripeStandIn.ElementType, options: StripeStandIn.ElementOptions, group: string, language: 'en' | 'es', forget: () => void}} given */
    constructor({ type, options, group, language, forget }) {
      this.#type = type;
      this.#options = { ...options };
      this.#group = group;
      this.#language = language;
      this.#forget = forget;
    }

    get _type() {
      return this.#type;
    }

    get _group() {
      return this.#group;
    }

    get _mounted() {
      return this.#node !== null && this.#node.isConnected;
    }

    /** @param {string | HTMLElement} target @returns {void} */
    mount(target) {
      if (this.#destroyed) throw new IntegrationError('This Element has already been destroyed. Please create a new one.');
      const node = typeof target === 'string' ? document.querySelector(target) : target;
      if (!(node instanceof HTMLElement)) {
        throw new IntegrationError(
          `The selector you specified (${String(target)}) applies to no DOM elements that are currently on the page. ` +
            'Make sure the element exists on the page before calling mount().',
        );
      }
      if (node === this.#node) return;
      if (this.#node) this.unmount();
      if (node.firstChild) {
        console.warn('This Element will be mounted to a DOM element that contains child nodes; they are removed.');
        node.textContent = '';
      }
      this.#node = node;
      this.#frame = new Frame({
        path: 'field.html',
        style: FIELD_FRAME,
        title: WORDS[this.#language].titles[this.#type],
        init: () => ({ type: this.#type, group: this.#group, locale: this.#language, options: this.#frameOptions() }),
        onMessage: (message) => this.#hear(message),
      });
      const box = document.createElement('div');
      box.className = '__PrivateStripeElement';
      box.setAttribute('style', RESET);
      box.append(this.#frame.iframe);
      node.append(box);
      document.addEventListener('click', this.#click);
      this.#paint();
    }

    /** @returns {void} */
    unmount() {
      if (!this.#node) return;
      document.removeEventListener('click', this.#click);
      this.#frame?.iframe.parentElement?.remove();
      this.#frame?.remove();
      this.#frame = null;
      for (const name of Object.values(this.#classes()).flat()) this.#node.classList.remove(name);
      this.#node = null;
      this.#state = { empty: true, complete: false, invalid: false, focus: false, webkitAutofill: false };
    }

    /** @returns {void} */
    destroy() {
      this.unmount();
      this.#destroyed = true;
      this.#handlers = [];
      this.#forget();
    }

    /** @returns {void} */
    focus() {
      this.#frame?.iframe.contentWindow?.focus();
      this.#frame?.send({ do: 'focus' });
    }

    /** @returns {void} */
    blur() {
      this.#frame?.send({ do: 'blur' });
    }

    /** @returns {void} */
    clear() {
      this.#frame?.send({ do: 'clear' });
    }

    /** @param {StripeStandIn.ElementOptions} options @returns {void} */
    update(options) {
      if (this.#node) for (const name of Object.values(this.#classes()).flat()) this.#node.classList.remove(name);
      this.#options = { ...this.#options, ...options };
      this.#frame?.send({ do: 'update', options: this.#frameOptions() });
      this.#paint();
    }

    /** @param {string} event @param {(event: any) => any} handler @returns {this} */
    on(event, handler) {
      if (typeof handler !== 'function') throw new IntegrationError(`Missing argument. \`on\` requires a handler for '${event}'.`);
      this.#handlers.push({ event, handler, once: false });
      return this;
    }

    /** @param {string} event @param {(event: any) => any} handler @returns {this} */
    once(event, handler) {
      if (typeof handler !== 'function') throw new IntegrationError(`Missing argument. \`once\` requires a handler for '${event}'.`);
      this.#handlers.push({ event, handler, once: true });
      return this;
    }

    /** @param {string} event @param {(event: any) => any} [handler] @returns {this} */
    off(event, handler) {
      this.#handlers = this.#handlers.filter((h) => h.event !== event || (handler !== undefined && h.handler !== handler));
      return this;
    }

    #frameOptions() {
      const { style, placeholder, showIcon, disabled } = this.#options;
      // Through JSON, because a style object may hold what a port cannot carry.
      return JSON.parse(JSON.stringify({ style, placeholder, showIcon, disabled }));
    }

    /** @param {any} message */
    #hear(message) {
      const state = this.#state;
      switch (message.say) {
        case 'ready':
          this.#emit('ready', {});
          break;
        case 'height':
          this.#frame?.iframe.style.setProperty('height', `${Number(message.px)}px`, 'important');
          break;
        case 'change': {
          const { empty, complete, error, brand } = message;
          Object.assign(state, { empty, complete, invalid: Boolean(error) });
          this.#paint();
          this.#emit('change', { error, empty, complete, ...(this.#type === 'cardNumber' ? { brand } : {}) });
          break;
        }
        case 'autofill':
          state.webkitAutofill = Boolean(message.on);
          this.#paint();
          break;
        case 'focus':
        case 'blur':
          state.focus = message.say === 'focus';
          this.#paint();
          this.#emit(message.say, {});
          break;
        case 'escape':
          this.#emit('escape', {});
          break;
        case 'enter':
          this.#submitForm();
          break;
      }
    }

    /** @param {string} event @param {object} details */
    #emit(event, details) {
      const due = this.#handlers.filter((h) => h.event === event);
      this.#handlers = this.#handlers.filter((h) => h.event !== event || !h.once);
      for (const { handler } of due) {
        try {
          handler({ elementType: this.#type, ...details });
        } catch (failure) {
          reportError(failure);
        }
      }
    }

    /** @returns {Record<keyof typeof CLASSES, string[]>} */
    #classes() {
      const names = { ...CLASSES, ...this.#options.classes };
      return /** @type {any} */ (
        Object.fromEntries(Object.entries(names).map(([key, value]) => [key, String(value).split(/\s+/).filter(Boolean)]))
      );
    }

    #paint() {
      if (!this.#node) return;
      const names = this.#classes();
      this.#node.classList.add(...names.base);
      for (const state of /** @type {State[]} */ (Object.keys(this.#state))) {
        for (const name of names[state]) this.#node.classList.toggle(name, this.#state[state]);
      }
    }

    // A <div> is not labelable, so the browser does nothing when its label is clicked; nor does it
    // when the padding around the iframe is.
    /** @param {MouseEvent} event */
    #click = (event) => {
      const node = this.#node;
      const at = event.target instanceof Node ? nearestElement(event.target) : null;
      if (!node || !at || at.closest('a, button, input, select, textarea')) return;
      const label = at.closest('label');
      const pointed = label && ((node.id !== '' && label.htmlFor === node.id) || label.contains(node));
      if (pointed || node.contains(at)) this.focus();
    };

    // Enter in a field of a form presses the form's default button, if that can be pressed.
    #submitForm() {
      const form = this.#node?.closest('form');
      if (!form) return;
      const button = Array.from(form.elements).find(
        (el) => (el instanceof HTMLButtonElement || el instanceof HTMLInputElement) && (el.type === 'submit' || el.type === 'image'),
      );
      if (button instanceof HTMLElement) button.click();
      else form.requestSubmit();
    }
  }

  /** The fields of one card. */
  class Elements {
    /** @type {'en' | 'es'} */ #language;
    #group = randomName();
    /** @type {Map<string, Element>} */ #made = new Map();
    /** @type {(group: string, elements: Elements) => void} */ #register;

    /** @param {{locale: string | undefined, register: (group: string, elements: Elements) => void}} given */
    constructor({ locale, register }) {
      this.#language = language(locale);
      this.#register = register;
      this.#register(this.#group, this);
    }

    /** @param {string} type @param {StripeStandIn.ElementOptions} [options] @returns {Element} */
    create(type, options = {}) {
      const known = TYPES.find((t) => t === type);
      if (!known) throw new IntegrationError(`A valid Element name must be provided. The stand-in has ${TYPES.join(', ')}; you gave: ${type}.`);
      if (this.#made.has(type)) throw new IntegrationError(`Can only create one Element of type ${type} through an Elements instance.`);
      const element = new Element({
        type: known,
        options,
        group: this.#group,
        language: this.#language,
        forget: () => this.#made.delete(type),
      });
      this.#made.set(type, element);
      return element;
    }

    /** @param {string} type @returns {Element | null} */
    getElement(type) {
      return this.#made.get(type) ?? null;
    }

    /** @param {{locale?: string}} options @returns {void} */
    update(options) {
      if (options.locale) this.#language = language(options.locale);
    }

    get _mounted() {
      return [...this.#made.values()].filter((element) => element._mounted).map((element) => element._type);
    }
  }

  /** What `Stripe(key)` returns. Its promises resolve with an error where a payer, a bank or a network is at fault. */
  class StripeObject {
    #key;
    #account;
    #locale;
    #controller;
    /** @type {Map<string, Elements>} */ #groups = new Map();

    /** @param {string} key @param {StripeStandIn.Options} options */
    constructor(key, options) {
      this.#key = key;
      this.#account = options.stripeAccount;
      this.#locale = options.locale;
      this.#controller = new Frame({
        path: 'controller.html',
        style: HIDDEN_FRAME,
        init: () => ({ key: this.#key, account: this.#account, locale: language(this.#locale) }),
      });
      this.#controller.iframe.setAttribute('aria-hidden', 'true');
      this.#controller.iframe.tabIndex = -1;
      if (document.body) document.body.append(this.#controller.iframe);
      else document.addEventListener('DOMContentLoaded', () => document.body.append(this.#controller.iframe), { once: true });
    }

    /** @param {{locale?: string}} [options] @returns {Elements} */
    elements(options = {}) {
      return new Elements({
        locale: options.locale ?? this.#locale,
        register: (group, elements) => this.#groups.set(group, elements),
      });
    }

    /** @param {StripeStandIn.PaymentMethodData} data @returns {Promise<import('@stripe/stripe-js').PaymentMethodResult>} */
    async createPaymentMethod(data) {
      if (data?.type !== 'card') throw new IntegrationError('The stand-in creates payment methods of type card only.');
      const answer = await this.#ask('createPaymentMethod', { ...this.#fields(data.card), params: rest(data, 'card') });
      return answer.error ? { error: answer.error } : { paymentMethod: answer.object };
    }

    /** @param {string} clientSecret @returns {Promise<import('@stripe/stripe-js').PaymentIntentResult>} */
    async retrievePaymentIntent(clientSecret) {
      const answer = await this.#retrieve(secretOf(clientSecret, 'pi', 'retrievePaymentIntent'));
      return answer.error ? { error: answer.error } : { paymentIntent: answer.object };
    }

    /** @param {string} clientSecret @returns {Promise<import('@stripe/stripe-js').SetupIntentResult>} */
    async retrieveSetupIntent(clientSecret) {
      const answer = await this.#retrieve(secretOf(clientSecret, 'seti', 'retrieveSetupIntent'));
      return answer.error ? { error: answer.error } : { setupIntent: answer.object };
    }

    /** @param {string} clientSecret @returns {Promise<import('@stripe/stripe-js').PaymentIntentResult>} */
    async handleCardAction(clientSecret) {
      const secret = secretOf(clientSecret, 'pi', 'handleCardAction');
      const answer = await this.#retrieve(secret);
      if (answer.error) return { error: answer.error };
      if (answer.object.confirmation_method === 'automatic') {
        return {
          error: unexpected(
            answer.object,
            'handleCardAction: The PaymentIntent supplied does not require manual server-side confirmation. Please use confirmCardPayment instead.',
          ),
        };
      }
      const acted = await this.#act(secret, answer.object, 'handleCardAction');
      return acted.error ? { error: acted.error } : { paymentIntent: acted.object };
    }

    /** @param {{clientSecret: string}} options @returns {Promise<import('@stripe/stripe-js').PaymentIntentOrSetupIntentResult>} */
    async handleNextAction(options) {
      const secret = secretOf(options?.clientSecret, undefined, 'handleNextAction');
      const answer = await this.#retrieve(secret);
      if (answer.error) return { error: answer.error };
      const acted = await this.#act(secret, answer.object, 'handleNextAction');
      if (acted.error) return { error: acted.error };
      return secret.kind === 'pi' ? { paymentIntent: acted.object } : { setupIntent: acted.object };
    }

    /** @param {string} clientSecret @param {StripeStandIn.SetupData} [data] @param {{handleActions?: boolean}} [options]
     * @returns {Promise<import('@stripe/stripe-js').SetupIntentResult>} */
    async confirmCardSetup(clientSecret, data = {}, options = {}) {
      const secret = secretOf(clientSecret, 'seti', 'confirmCardSetup');
      const { payment_method: method } = data;
      let params = { ...rest(data, 'payment_method'), id: secret.id, client_secret: secret.value };
      if (typeof method === 'string') params = { ...params, ...{ payment_method: method } };
      const fields = method && typeof method !== 'string' ? { ...this.#fields(method.card), billing: rest(method, 'card') } : {};
      const answer = await this.#ask('confirmCardSetup', { ...fields, params });
      if (answer.error) return { error: answer.error };
      if (answer.object.status !== 'requires_action' || options.handleActions === false) return { setupIntent: answer.object };
      const acted = await this.#act(secret, answer.object, 'confirmCardSetup');
      return acted.error ? { error: acted.error } : { setupIntent: acted.object };
    }

    /** What the npm loader and the React bindings announce themselves with. */
    registerAppInfo() {}
    _registerWrapper() {}

    /** Which fields the controller is to collect, or the token to use instead.
     * @param {unknown} card */
    #fields(card) {
      if (card instanceof Element) {
        const elements = this.#groups.get(card._group);
        if (!elements || !card._mounted || card._type !== 'cardNumber') {
          throw new IntegrationError(
            'We could not retrieve data from the specified Element. Please make sure the cardNumber Element you are attempting to use is still mounted.',
          );
        }
        return { group: card._group, want: elements._mounted };
      }
      if (card && typeof card === 'object' && 'token' in card) return { token: String(card.token) };
      throw new IntegrationError('Invalid value for card: it should be an Element or an object with a token.');
    }

    /** @param {string} action @param {object} params @returns {Promise<{error: import('@stripe/stripe-js').StripeError, object?: undefined} | {error?: undefined, object: any}>} */
    async #ask(action, params) {
      // JSON also drops what is undefined, which a form must not send.
      const answer = await this.#controller.ask(action, JSON.parse(JSON.stringify(params)));
      return answer ?? { error: { type: 'api_connection_error', message: WORDS[language(this.#locale)].connection } };
    }

    /** @param {Secret} secret */
    #retrieve(secret) {
      return this.#ask('retrieve', { kind: secret.kind, id: secret.id, client_secret: secret.value });
    }

    /** Lets the payer authenticate and says what became of the intent.
     * @param {Secret} secret @param {any} intent @param {string} caller
     * @returns {Promise<{error: import('@stripe/stripe-js').StripeError, object?: undefined} | {error?: undefined, object: any}>} */
    async #act(secret, intent, caller) {
      if (intent.status !== 'requires_action') {
        return { error: unexpected(intent, `${caller}: The ${noun(intent)} supplied is not in the requires_action state.`) };
      }
      const refused = await this.#challenge(secret, intent);
      if (refused?.type === 'api_connection_error') return { error: refused };
      const answer = await this.#retrieve(secret);
      if (answer.error) return answer;
      const after = answer.object;
      const last = after.last_payment_error ?? after.last_setup_error;
      switch (after.status) {
        case 'requires_payment_method':
          return {
            error: {
              type: 'invalid_request_error',
              ...last,
              code: last?.code ?? (secret.kind === 'pi' ? 'payment_intent_authentication_failure' : 'setup_intent_authentication_failure'),
              message: WORDS[language(this.#locale)].authentication,
              ...naming(after),
            },
          };
        case 'canceled':
        case 'requires_action':
          return { error: { ...unexpected(after, `${caller}: The ${noun(after)} is ${after.status}.`), ...refused, ...naming(after) } };
      }
      return { object: after };
    }

    /** Shows the bank's page over everything until the payer has answered it. Resolves with the error if it could not be shown, or if the bank would not hear the answer.
     * @param {Secret} secret @param {any} intent @returns {Promise<import('@stripe/stripe-js').StripeError | undefined>} */
    async #challenge(secret, intent) {
      const words = WORDS[language(this.#locale)];
      /** @type {(error?: import('@stripe/stripe-js').StripeError) => void} */
      let done = () => {};
      const outcome = /** @type {Promise<import('@stripe/stripe-js').StripeError | undefined>} */ (new Promise((resolve) => (done = resolve)));
      const frame = new Frame({
        path: 'challenge',
        style: CHALLENGE_FRAME,
        title: words.challenge,
        init: () => ({ id: secret.id, clientSecret: secret.value, amount: intent.amount, currency: intent.currency }),
        onMessage: (message) => message.say === 'done' && done(message.error),
      });
      // A modal <dialog>: the page behind is inert and Tab stays within, without a line of ours.
      const dialog = document.createElement('dialog');
      dialog.setAttribute('style', DIALOG);
      dialog.setAttribute('aria-modal', 'true');
      dialog.setAttribute('aria-label', words.challenge);
      // Escape must not leave a payment between two states. A browser that closes all the same opens it again.
      dialog.setAttribute('closedby', 'none');
      dialog.addEventListener('cancel', (event) => event.preventDefault());
      let over = false;
      dialog.addEventListener('close', () => over || dialog.showModal());
      dialog.append(frame.iframe);
      document.body.append(dialog);
      dialog.showModal();
      frame.iframe.focus();
      const loaded = await frame.loaded();
      const error = loaded
        ? await outcome
        : /** @type {import('@stripe/stripe-js').StripeError} */ ({ type: 'api_connection_error', message: words.connection });
      over = true;
      dialog.close(); // gives the focus back to where it was
      frame.remove();
      dialog.remove();
      return error;
    }
  }

  /** @typedef {{value: string, id: string, kind: 'pi' | 'seti'}} Secret */

  /** @param {unknown} clientSecret @param {'pi' | 'seti' | undefined} kind @param {string} caller @returns {Secret} */
  function secretOf(clientSecret, kind, caller) {
    const value = typeof clientSecret === 'string' ? clientSecret : '';
    const [, id, prefix] = /^((pi|seti)_\w+?)_secret_\w+$/.exec(value) ?? [];
    if (!id || (kind && kind !== prefix)) {
      // Never with the value: it is a secret, and errors are logged.
      throw new IntegrationError(`Invalid value for stripe.${caller} intent secret: it should be a client secret of the form \${id}_secret_\${secret}.`);
    }
    return { value, id, kind: /** @type {'pi' | 'seti'} */ (prefix) };
  }

  /** @param {any} intent */
  function noun(intent) {
    return intent.object === 'setup_intent' ? 'SetupIntent' : 'PaymentIntent';
  }

  /** @param {any} intent */
  function naming(intent) {
    return intent.object === 'setup_intent' ? { setup_intent: intent } : { payment_intent: intent };
  }

  /** @param {any} intent @param {string} message @returns {import('@stripe/stripe-js').StripeError} */
  function unexpected(intent, message) {
    const code = intent.object === 'setup_intent' ? 'setup_intent_unexpected_state' : 'payment_intent_unexpected_state';
    return { type: 'invalid_request_error', code, message, ...naming(intent) };
  }

  /** @param {object} object @param {string} without @returns {Record<string, unknown>} */
  function rest(object, without) {
    return Object.fromEntries(Object.entries(object).filter(([key]) => key !== without));
  }

  /** @param {string} key @param {StripeStandIn.Options} [options] */
  function create(key, options = {}) {
    if (typeof key !== 'string' || key === '') throw new IntegrationError('Please call Stripe() with your publishable key. You used an empty string or no string.');
    if (!key.startsWith('pk_')) throw new IntegrationError('Stripe() takes a publishable key, which begins with pk_. A secret key must never reach a browser.');
    return new StripeObject(key, options);
  }

  // This annotation is the type check: what we made must be assignable to the part of the real types that we claim.
  /** @type {StripeStandIn.Constructor} */
  const Stripe = Object.assign(create, { version: 3 });
  /** @type {{Stripe: unknown}} */ (/** @type {unknown} */ (window)).Stripe = Stripe;
})();
