// @ts-check
/** One card field. What is typed here leaves for the controller only, over the group's channel; the page hears states. */

import { digits, brandOf, readCvc, readExpiry, readNumber, readPostalCode } from './card.js';
import { groupChannel, meetPage } from './port.js';
import { WORDS } from './words.js';

const { init, port } = await meetPage();
/** @type {'cardNumber' | 'cardExpiry' | 'cardCvc' | 'postalCode'} */
const type = init.type;
const words = WORDS[/** @type {'en' | 'es'} */ (init.locale)] ?? WORDS.en;
const channel = groupChannel(init.group);

/** As a password manager, a phone's keyboard and a test written for the real fields expect them. */
const ATTRIBUTES = {
  cardNumber: { name: 'cardnumber', autocomplete: 'cc-number', inputmode: 'numeric' },
  cardExpiry: { name: 'exp-date', autocomplete: 'cc-exp', inputmode: 'numeric' },
  cardCvc: { name: 'cvc', autocomplete: 'cc-csc', inputmode: 'numeric' },
  postalCode: { name: 'postal', autocomplete: 'billing postal-code', inputmode: init.locale === 'en' ? 'numeric' : 'text' },
}[type];

document.documentElement.lang = init.locale;
const box = document.createElement('div');
box.className = 'field';
const input = document.createElement('input');
input.type = 'text';
for (const [name, value] of Object.entries({ ...ATTRIBUTES, autocorrect: 'off', autocapitalize: 'none', spellcheck: 'false' })) input.setAttribute(name, value);
input.setAttribute('aria-label', words.labels[type]);
input.setAttribute('aria-required', 'true');
const brandMark = document.createElement('span');
brandMark.className = 'brand';
brandMark.setAttribute('aria-hidden', 'true'); // the page says the brand, from the change event
brandMark.hidden = true;
box.append(brandMark, input);
document.body.append(box);

/** @type {import('./card.js').Brand} */
let brand = 'unknown';
let left = false; // the payer has left the field, or pressed Pay: what is incomplete is now an error
let told = '';

const read = {
  cardNumber: () => readNumber(input.value),
  cardExpiry: () => readExpiry(input.value, new Date()),
  cardCvc: () => readCvc(input.value, brand),
  postalCode: () => readPostalCode(input.value),
}[type];

/** @param {{evenIfEmpty?: boolean}} [submit] */
function problemNow({ evenIfEmpty = false } = {}) {
  const reading = read();
  if (reading.problem) return reading.problem;
  if (!left || reading.complete || (reading.empty && !evenIfEmpty)) return '';
  return reading.incomplete;
}

/** Tells the page how the field stands. @param {{always?: boolean, submitted?: boolean}} [why] */
function tell({ always = false, submitted = false } = {}) {
  const reading = read();
  const code = problemNow({ evenIfEmpty: submitted });
  const error = code ? { code, type: 'validation_error', message: words.problems[code] } : undefined;
  const state = { empty: reading.empty, complete: reading.complete, error, brand: type === 'cardNumber' ? brand : undefined };
  input.classList.toggle('empty', state.empty);
  input.classList.toggle('complete', state.complete);
  input.classList.toggle('invalid', Boolean(error));
  input.setAttribute('aria-invalid', String(Boolean(error)));
  const now = JSON.stringify(state);
  if (always || now !== told) port.postMessage({ say: 'change', ...state });
  told = now;
  return error;
}

// Editing. The text is rewritten after every change, so the caret is kept behind the same character as before.
const isSeparator = (/** @type {string | undefined} */ c) => c === ' ' || c === '/';

/** What a caret is counted by. @param {string} text */
const significant = (text) => (type === 'postalCode' ? text : digits(text));

/** The place behind the n-th digit, and behind the separator that follows it, when the payer is typing forward.
 * @param {string} text @param {number} n @param {boolean} forward */
function caretAfter(text, n, forward) {
  let at = 0;
  for (let seen = 0; at < text.length && seen < n; at++) if (!isSeparator(text[at]) || type === 'postalCode') seen++;
  if (forward && n > 0) while (type !== 'postalCode' && isSeparator(text[at])) at++;
  return at;
}

// Backspace behind a separator takes the digit before it, Delete before one the digit after it.
input.addEventListener('beforeinput', (event) => {
  const at = input.selectionStart ?? 0;
  if (type === 'postalCode' || at !== input.selectionEnd) return;
  let to = at;
  if (event.inputType === 'deleteContentBackward') while (isSeparator(input.value[to - 1])) to--;
  if (event.inputType === 'deleteContentForward') while (isSeparator(input.value[to])) to++;
  if (to !== at) input.setSelectionRange(to, to);
});

input.addEventListener('input', (event) => {
  const deleting = event instanceof InputEvent && event.inputType.startsWith('delete');
  const typed = input.value;
  const caret = input.selectionStart ?? typed.length;
  const atEnd = caret === typed.length;
  let behind = significant(typed.slice(0, caret)).length;
  let { text } = read();
  // Deleting the year's only digit or the month's last one takes the slash along, which would else come back for ever.
  if (deleting && type === 'cardExpiry' && /^\d{1,2}\D*$/.test(typed)) text = digits(typed);
  // While the month before a year is being rewritten, 1 is not January yet.
  const month = type === 'cardExpiry' && caret <= 1 ? /^([01]?) *\/ *\d/.exec(typed) : null;
  if (month) text = text.replace(/^\d*/, month[1]);
  // A month typed as 4 is shown as 04: the caret goes behind both.
  if (type === 'cardExpiry') behind += Math.max(0, digits(text).length - digits(typed).length);
  if (text !== typed) {
    input.value = text;
    const to = atEnd ? text.length : caretAfter(text, behind, !deleting);
    input.setSelectionRange(to, to);
  }
  left = false;
  setBrand();
  tell({ always: true });
  tellAutofill();
});

function setBrand() {
  if (type !== 'cardNumber') return;
  const now = brandOf(input.value);
  brandMark.textContent = { visa: 'VISA', mastercard: 'MC', amex: 'AMEX', discover: 'DISC', diners: 'DIN', jcb: 'JCB', unionpay: 'UP', unknown: '····' }[now];
  if (now === brand) return;
  brand = now;
  channel.postMessage({ brand });
}

let filled = false;
function tellAutofill() {
  const now = input.matches(':autofill');
  if (now !== filled) port.postMessage({ say: 'autofill', on: (filled = now) });
}
input.addEventListener('animationstart', tellAutofill);

input.addEventListener('focus', () => port.postMessage({ say: 'focus' }));
input.addEventListener('blur', () => {
  left = true;
  input.value = read().text; // a month left as 1 is January now
  port.postMessage({ say: 'blur' });
  // An error that a submit showed on an empty field stays until something is typed.
  if (!(read().empty && input.classList.contains('invalid'))) tell();
});
input.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') port.postMessage({ say: 'escape' });
  if (event.key === 'Enter' && !event.isComposing) port.postMessage({ say: 'enter' });
});

// Looks. Only these properties pass, and through CSSOM, so a style object can neither load nor inject anything.
const PROPERTIES = /** @type {Record<string, string>} */ ({
  backgroundColor: 'background-color',
  color: 'color',
  fontFamily: 'font-family',
  fontSize: 'font-size',
  fontSmoothing: '-webkit-font-smoothing',
  fontStyle: 'font-style',
  fontVariant: 'font-variant',
  fontWeight: 'font-weight',
  letterSpacing: 'letter-spacing',
  lineHeight: 'line-height',
  padding: 'padding',
  textAlign: 'text-align',
  textDecoration: 'text-decoration',
  textShadow: 'text-shadow',
  textTransform: 'text-transform',
});
const PSEUDO = [':hover', ':focus', '::placeholder', ':focus::placeholder', '::selection', ':-webkit-autofill', ':disabled'];
const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [sheet];

/** @param {string} selector @param {Record<string, unknown>} properties */
function addRule(selector, properties) {
  const at = sheet.insertRule(`${selector} {}`, sheet.cssRules.length);
  const { style } = /** @type {CSSStyleRule} */ (sheet.cssRules[at]);
  for (const [name, value] of Object.entries(properties)) {
    if (Object.hasOwn(PROPERTIES, name)) style.setProperty(PROPERTIES[name], String(value));
  }
}

/** @param {{style?: Record<string, any>, placeholder?: string, showIcon?: boolean, disabled?: boolean}} options */
function apply({ style = {}, placeholder, showIcon = false, disabled = false }) {
  sheet.replaceSync('');
  for (const variant of ['base', 'complete', 'empty', 'invalid']) {
    const properties = style[variant];
    if (!properties) continue;
    const selector = variant === 'base' ? 'input' : `input.${variant}`;
    addRule(selector, properties);
    for (const pseudo of PSEUDO) if (properties[pseudo]) addRule(selector + pseudo, properties[pseudo]);
    if (properties.iconColor) addRule(variant === 'base' ? '.brand' : `.brand:has(~ input.${variant})`, { color: properties.iconColor });
  }
  input.placeholder = placeholder ?? words.placeholders[type];
  if (disabled && document.activeElement === input) input.blur(); // a disabled field loses the focus without an event
  input.disabled = disabled;
  brandMark.hidden = !(showIcon && type === 'cardNumber');
  setBrand();
}

new ResizeObserver(() => port.postMessage({ say: 'height', px: Math.ceil(box.getBoundingClientRect().height) })).observe(box);

port.onmessage = (/** @type {MessageEvent} */ { data }) => {
  switch (data.do) {
    case 'focus':
      return input.focus();
    case 'blur':
      return input.blur();
    case 'update':
      return apply(data.options);
    case 'clear':
      input.value = '';
      left = false;
      setBrand();
      tell();
      tellAutofill();
  }
};

channel.onmessage = (/** @type {MessageEvent} */ { data }) => {
  if (data.collect !== undefined) {
    left = true;
    const error = tell({ submitted: true });
    const { complete, parts } = read();
    channel.postMessage({ collected: data.collect, type, error, parts: complete ? parts : {} });
  }
  if (type === 'cardCvc' && data.brand && data.brand !== brand) {
    brand = data.brand;
    // The number was changed under a code already typed: it may now be too long.
    if (!read().empty) tell();
  }
  if (type === 'cardNumber' && data.whichBrand) channel.postMessage({ brand });
};

apply(init.options);
input.classList.add('empty');
told = JSON.stringify({ empty: true, complete: false, error: undefined, brand: type === 'cardNumber' ? brand : undefined });
if (type === 'cardCvc') channel.postMessage({ whichBrand: true });
port.postMessage({ say: 'ready' });
