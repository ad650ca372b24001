// @ts-check
// What every page has on which a card is entered: Stripe's three frames and our ZIP code, the terms, and the button, which says what is still missing. The page says what becomes of it.
'use strict';
(() => {
  const own = document.currentScript;

  /** @param {string} id */
  const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

  /** @type {Window['cardFields']} */
  window.cardFields = ({stripeJs, publishableKey, stripeAccount, locale, texts}, {changed, mounted, blocked}) => {
    const zip = /** @type {HTMLInputElement} */ (byId('zip'));
    /** @typedef {{id: string, missing: string, complete: boolean, refused: boolean, element?: any}} Field */
    /** @type {Record<'number' | 'expiry' | 'code', Field>} */
    const card = {
      number: {id: 'card-number', missing: texts.missingNumber, complete: false, refused: false},
      expiry: {id: 'card-expiry', missing: texts.missingExpiry, complete: false, refused: false},
      code: {id: 'card-code', missing: texts.missingCode, complete: false, refused: false},
    };
    const fields = Object.values(card);
    const zipGood = () => /^\d{5}(-?\d{4})?$/.test(zip.value.trim());

    /** @param {string} id @param {string} words */
    function fault(id, words) {
      const line = byId(id + '-error');
      if (line.textContent !== words) line.textContent = words;
      const input = /** @type {HTMLElement} */ (byId(id).closest('.input'));
      input.classList.toggle('invalid', !!words);
      if (input === zip) zip.setAttribute('aria-invalid', String(!!words));
    }

    function look() {
      const ours = getComputedStyle(zip);
      const tokens = getComputedStyle(document.documentElement);
      return {
        base: {color: ours.color, fontFamily: ours.fontFamily, fontSize: ours.fontSize, '::placeholder': {color: tokens.getPropertyValue('--ink-2').trim()}},
        invalid: {color: tokens.getPropertyValue('--bad').trim()},
      };
    }

    /** @param {any} event Stripe's change event */
    function typed(event) {
      const field = /** @type {Field} */ ({cardNumber: card.number, cardExpiry: card.expiry, cardCvc: card.code}[/** @type {string} */ (event.elementType)]);
      field.complete = event.complete;
      let words = event.error ? event.error.message : '';
      if (event.elementType === 'cardNumber') {
        const known = event.brand && event.brand !== 'unknown';
        field.refused = known && event.brand !== 'visa' && event.brand !== 'mastercard';
        const name = texts['brand_' + event.brand] || '';
        if (field.refused) words = texts.brandRefused.replace('%s', name || texts.otherBrand);
        byId('brand').textContent = known ? name : '';
      }
      fault(field.id, words);
      changed();
    }

    /** Shows the card's form, or why there is none. @param {boolean} on */
    function offer(on) {
      byId('blocked').hidden = on;
      byId('card-form').classList.toggle('off', !on);
    }

    function lost() {
      offer(false);
      blocked();
    }

    function mount() {
      if (!window.Stripe) return lost();
      try {
        form.stripe = window.Stripe(publishableKey, {locale, ...(stripeAccount && {stripeAccount})});
        const elements = form.stripe.elements({locale});
        const style = look();
        card.number.element = elements.create('cardNumber', {style, showIcon: false});
        card.expiry.element = elements.create('cardExpiry', {style});
        card.code.element = elements.create('cardCvc', {style});
      } catch {
        return lost();
      }
      offer(true);
      for (const field of fields) {
        const box = /** @type {HTMLElement} */ (byId(field.id).parentElement);
        field.element.mount('#' + field.id);
        field.element.on('change', typed);
        field.element.on('focus', () => box.classList.add('focused'));
        field.element.on('blur', () => box.classList.remove('focused'));
        box.addEventListener('click', () => field.element.focus());
      }
      matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
        for (const field of fields) field.element.update({style: look()});
      });
      mounted();
    }

    zip.addEventListener('input', () => {
      if (zipGood()) fault('zip', '');
      changed();
    });
    zip.addEventListener('blur', () => fault('zip', zip.value && !zipGood() ? texts.zipWrong : ''));
    byId('reload').addEventListener('click', () => location.reload());

    /** @type {CardFields} */
    const form = {
      gaps() {
        const list = fields.filter((f) => !f.complete || f.refused).map((f) => ({words: f.missing, focus: () => f.element && f.element.focus()}));
        if (!zipGood()) list.push({words: texts.missingZip, focus: () => zip.focus()});
        return list;
      },
      tried() {
        if (zip.value && !zipGood()) fault('zip', texts.zipWrong);
      },
      details() {
        return {card: card.number.element, billing_details: {address: {postal_code: zip.value.trim()}}};
      },
      disable(on) {
        zip.readOnly = on;
        for (const field of fields) if (field.element) field.element.update({disabled: on});
      },
      again() {
        for (const field of fields) {
          field.element.clear();
          field.complete = field.refused = false;
          fault(field.id, '');
        }
        byId('brand').textContent = '';
      },
      focus() {
        card.number.element.focus();
      },
      destroy() {
        for (const field of fields) if (field.element) field.element.destroy();
      },
      load() {
        const script = document.createElement('script');
        const late = setTimeout(lost, 12000);
        script.src = stripeJs;
        if (own) script.nonce = own.nonce;
        script.onload = () => { clearTimeout(late); mount(); };
        script.onerror = () => { clearTimeout(late); lost(); };
        document.head.append(script);
      },
    };
    return form;
  };

  /** @type {Window['cardButton']} */
  window.cardButton = (id, texts, {gaps, tried, able, held}) => {
    const button = byId(id);
    const text = /** @type {HTMLElement} */ (button.firstElementChild);
    const words = text.textContent || '';
    const missing = byId('missing');
    const agree = /** @type {HTMLInputElement} */ (byId('agree'));
    const terms = /** @type {HTMLDialogElement} */ (byId('terms'));

    const lacks = () => agree.checked ? gaps() : [...gaps(), {words: texts.missingTerms, focus: () => agree.focus()}];

    /** @type {CardButton} */
    const form = {
      busy: false,
      say(what) {
        byId('live').textContent = what;
      },
      shows(what) {
        text.textContent = what;
      },
      weigh() {
        const list = lacks();
        missing.textContent = list.length ? texts.missing.replace('%s', list.map((gap) => gap.words).join(', ')) : '';
        const ready = !list.length && able();
        if (ready && !form.busy && button.hasAttribute('aria-disabled')) form.say(texts.ready);
        if (ready || form.busy) button.removeAttribute('aria-disabled');
        else button.setAttribute('aria-disabled', 'true');
      },
      work(on) {
        form.busy = on;
        button.setAttribute('aria-busy', String(on));
        form.shows(on ? texts.working : words);
        agree.disabled = on;
        held(on);
        form.weigh();
        if (on) form.say(texts.working);
      },
      stops() {
        const [first] = lacks();
        if (!first) return false;
        missing.classList.add('tried');
        tried();
        form.say('');
        form.say(missing.textContent || '');
        first.focus();
        return true;
      },
      anew() {
        missing.classList.remove('tried');
        form.weigh();
      },
    };
    agree.addEventListener('change', () => form.weigh());
    byId('terms-link').addEventListener('click', (event) => {
      event.preventDefault();
      terms.showModal();
    });
    return form;
  };
})();
