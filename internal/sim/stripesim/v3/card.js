// @ts-check
/** What is known of card numbers, dates and codes while they are typed. Pure: no page, no clock. */

/** @typedef {'visa' | 'mastercard' | 'amex' | 'discover' | 'diners' | 'jcb' | 'unionpay' | 'unknown'} Brand */
/** What was typed, read: `text` is how it is shown, `parts` what is sent, `problem` a code of words.js. `incomplete` is a problem only once the payer has left the field.
 * @typedef {{text: string, parts: Record<string, string>, empty: boolean, complete: boolean, problem: string, incomplete: string}} Reading */

/** First digits (inclusive ranges of equal width) and lengths, per brand. Issuer ranges as the networks publish them.
 * @type {{brand: Brand, ranges: [string, string][], lengths: number[]}[]} */
const BRANDS = [
  { brand: 'visa', ranges: [['4', '4']], lengths: [16] },
  { brand: 'mastercard', ranges: [['51', '55'], ['2221', '2720']], lengths: [16] },
  { brand: 'amex', ranges: [['34', '34'], ['37', '37']], lengths: [15] },
  { brand: 'discover', ranges: [['6011', '6011'], ['644', '649'], ['65', '65']], lengths: [16] },
  { brand: 'diners', ranges: [['36', '36']], lengths: [14, 16] },
  { brand: 'diners', ranges: [['300', '305'], ['309', '309'], ['38', '39']], lengths: [14, 16] },
  { brand: 'jcb', ranges: [['3528', '3589']], lengths: [16] },
  { brand: 'unionpay', ranges: [['62', '62'], ['81', '81']], lengths: [16, 17, 18, 19] },
];
const UNKNOWN = { brand: /** @type {Brand} */ ('unknown'), lengths: [16] };

/** @param {string} number digits, possibly the first few only */
function known(number) {
  return (
    BRANDS.find(({ ranges }) =>
      ranges.some(([from, to]) => {
        const head = number.slice(0, from.length);
        return head.length === from.length && head >= from && head <= to;
      }),
    ) ?? UNKNOWN
  );
}

/** @param {string} number @returns {Brand} */
export function brandOf(number) {
  return known(digits(number)).brand;
}

/** @param {string} text */
export function digits(text) {
  return text.replace(/\D/g, '');
}

/** @param {string} number digits */
export function luhn(number) {
  let sum = 0;
  for (let i = 0; i < number.length; i++) {
    let d = Number(number[number.length - 1 - i]);
    if (i % 2 === 1) d = d > 4 ? d * 2 - 9 : d * 2;
    sum += d;
  }
  return sum % 10 === 0;
}

/** @param {string} text @returns {Reading} */
export function readNumber(text) {
  const all = digits(text);
  const { brand, lengths } = known(all);
  const most = Math.max(...lengths);
  const number = all.slice(0, most);
  // 4-6-5 for American Express and 4-6-4 for the short Diners number, as embossed; fours otherwise.
  const grouping = brand === 'amex' || (brand === 'diners' && number.length <= 14) ? /^(\d{1,4})(\d{1,6})?(\d+)?$/ : null;
  const groups = grouping ? (grouping.exec(number) ?? []).slice(1).filter(Boolean) : number.match(/\d{1,4}/g) ?? [];
  const whole = lengths.includes(number.length);
  const valid = luhn(number);
  return {
    text: groups.join(' '),
    parts: { number },
    empty: number === '',
    complete: whole && valid,
    problem: number.length === most && !valid ? 'invalid_number' : '',
    incomplete: whole ? 'invalid_number' : 'incomplete_number',
  };
}

/**
 * A date is read as typed (1234), as pasted (2034-12) and as a browser fills it in (12/2034).
 * @param {string} text @param {Date} now @returns {Reading}
 */
export function readExpiry(text, now) {
  const yearFirst = /^\s*(20\d\d)\s*[/.-]\s*(\d{1,2})\s*$/.exec(text);
  const separated = /^\s*(\d{0,2})\s*[/.-]\s*(?:20(?=\d\d\s*$))?(\d{0,2})/.exec(text);
  let month = '';
  let year = '';
  if (yearFirst) [, year, month] = [...yearFirst];
  else if (separated) [, month, year] = [...separated];
  else {
    // A month that can only be one digit takes one: 4 is April, 13 is January and a year's first digit.
    const all = digits(text);
    const width = /^[2-9]/.test(all) || Number(all.slice(0, 2)) > 12 ? 1 : 2;
    month = all.slice(0, width);
    year = all.slice(width).replace(/^20(?=\d\d$)/, '').slice(0, 2);
    if (width === 2 && month.length === 1) return reading(month, '', now);
  }
  if (Number(month) > 12) [month, year] = [month[0], `${month[1]}${year}`.slice(0, 2)];
  if (month.length === 1 && month !== '0') month = `0${month}`;
  if (month === '00') month = '0';
  return reading(month, year.slice(-2), now);
}

/** @param {string} month @param {string} year both as far as typed @param {Date} now @returns {Reading} */
function reading(month, year, now) {
  const whole = month.length === 2 && year.length === 2;
  const [thisYear, thisMonth] = [now.getFullYear(), now.getMonth() + 1];
  const fullYear = 2000 + Number(year);
  let problem = '';
  if (whole && fullYear < thisYear) problem = 'invalid_expiry_year_past';
  else if (whole && fullYear === thisYear && Number(month) < thisMonth) problem = 'invalid_expiry_month_past';
  else if (whole && fullYear > thisYear + 50) problem = 'invalid_expiry_year';
  return {
    text: month.length === 2 || year ? `${month} / ${year}` : month,
    // The year in four digits: the API takes two as well, but four can't be misread.
    parts: { exp_month: month, exp_year: whole ? String(fullYear) : '' },
    empty: month === '' && year === '',
    complete: whole && problem === '',
    problem,
    incomplete: 'incomplete_expiry',
  };
}

/** Three digits always do: there are American Express cards with three. @param {string} text @param {Brand} brand @returns {Reading} */
export function readCvc(text, brand) {
  const most = brand === 'amex' || brand === 'unknown' ? 4 : 3;
  const cvc = digits(text).slice(0, 4);
  return {
    text: cvc,
    parts: { cvc },
    empty: cvc === '',
    complete: cvc.length >= 3 && cvc.length <= most,
    problem: cvc.length > most ? 'invalid_cvc' : '',
    incomplete: 'incomplete_cvc',
  };
}

/** Any country's: what a code must look like is the bank's matter. @param {string} text @returns {Reading} */
export function readPostalCode(text) {
  const postal_code = text.replace(/[^0-9A-Za-z -]/g, '').slice(0, 12);
  const significant = postal_code.replace(/[ -]/g, '').length;
  return { text: postal_code, parts: { postal_code }, empty: postal_code === '', complete: significant >= 3, problem: '', incomplete: 'incomplete_zip' };
}
