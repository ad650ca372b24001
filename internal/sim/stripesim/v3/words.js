// @ts-check
/** What the frames say, in our own words. Codes are Stripe's. */

/** @type {Record<'en' | 'es', {labels: Record<string, string>, placeholders: Record<string, string>, problems: Record<string, string>}>} */
export const WORDS = {
  en: {
    labels: {
      cardNumber: 'Credit or debit card number',
      cardExpiry: 'Credit or debit card expiration date',
      cardCvc: 'Credit or debit card CVC/CVV',
      postalCode: 'ZIP',
    },
    placeholders: { cardNumber: '1234 1234 1234 1234', cardExpiry: 'MM / YY', cardCvc: 'CVC', postalCode: '12345' },
    problems: {
      incomplete_number: 'The card number is not complete.',
      invalid_number: 'The card number is not valid.',
      incomplete_expiry: 'The expiration date is not complete.',
      invalid_expiry_month_past: 'The expiration date is in the past.',
      invalid_expiry_year_past: 'The expiration year is in the past.',
      invalid_expiry_year: 'The expiration year is not valid.',
      incomplete_cvc: 'The security code is not complete.',
      invalid_cvc: 'The security code is too long for this card.',
      incomplete_zip: 'The ZIP code is not complete.',
      connection: 'The payment service could not be reached. You have not been charged. Check your connection and try again.',
      api: 'The payment service had a problem. Please try again.',
    },
  },
  es: {
    labels: {
      cardNumber: 'Número de tarjeta de crédito o débito',
      cardExpiry: 'Fecha de vencimiento de la tarjeta de crédito o débito',
      cardCvc: 'CVC/CVV de la tarjeta de crédito o débito',
      postalCode: 'Código postal',
    },
    placeholders: { cardNumber: '1234 1234 1234 1234', cardExpiry: 'MM / AA', cardCvc: 'CVC', postalCode: '12345' },
    problems: {
      incomplete_number: 'El número de tarjeta está incompleto.',
      invalid_number: 'El número de tarjeta no es válido.',
      incomplete_expiry: 'La fecha de vencimiento está incompleta.',
      invalid_expiry_month_past: 'La fecha de vencimiento ya pasó.',
      invalid_expiry_year_past: 'El año de vencimiento ya pasó.',
      invalid_expiry_year: 'El año de vencimiento no es válido.',
      incomplete_cvc: 'El código de seguridad está incompleto.',
      invalid_cvc: 'El código de seguridad es demasiado largo para esta tarjeta.',
      incomplete_zip: 'El código postal está incompleto.',
      connection: 'No se pudo contactar con el servicio de pago. No se le ha cobrado. Revise su conexión e inténtelo de nuevo.',
      api: 'El servicio de pago tuvo un problema. Inténtelo de nuevo.',
    },
  },
};
