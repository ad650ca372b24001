/**
 * The part of Stripe.js that the stand-in claims to be, in terms of @stripe/stripe-js.
 *
 * stripe.js assigns what it made to StripeStandIn.Constructor, which proves that it keeps the claim;
 * claims.ts proves that the claim is a part of the real thing, so a page that runs on one runs on the other.
 */
declare namespace StripeStandIn {
  type RealStripe = import('@stripe/stripe-js').Stripe;
  type RealElements = import('@stripe/stripe-js').StripeElements;

  type ElementType = 'cardNumber' | 'cardExpiry' | 'cardCvc' | 'postalCode';

  type ElementOptions = Partial<import('@stripe/stripe-js').StripeCardNumberElementOptions>;
  type Options = Pick<import('@stripe/stripe-js').StripeConstructorOptions, 'stripeAccount'> & {locale?: string};
  type PaymentMethodData = import('@stripe/stripe-js').CreatePaymentMethodCardData;
  type SetupData = import('@stripe/stripe-js').ConfirmCardSetupData;

  /** The overloads of StripeElements that we have; the real interface's other overloads are for other fields. */
  interface Elements {
    create(
      elementType: 'cardNumber',
      options?: import('@stripe/stripe-js').StripeCardNumberElementOptions
    ): import('@stripe/stripe-js').StripeCardNumberElement;
    create(
      elementType: 'cardExpiry',
      options?: import('@stripe/stripe-js').StripeCardExpiryElementOptions
    ): import('@stripe/stripe-js').StripeCardExpiryElement;
    create(
      elementType: 'cardCvc',
      options?: import('@stripe/stripe-js').StripeCardCvcElementOptions
    ): import('@stripe/stripe-js').StripeCardCvcElement;
    getElement(elementType: 'cardNumber'): import('@stripe/stripe-js').StripeCardNumberElement | null;
    getElement(elementType: 'cardExpiry'): import('@stripe/stripe-js').StripeCardExpiryElement | null;
    getElement(elementType: 'cardCvc'): import('@stripe/stripe-js').StripeCardCvcElement | null;
    update: RealElements['update'];
  }

  interface Stripe
    extends Pick<
      RealStripe,
      | 'retrievePaymentIntent'
      | 'retrieveSetupIntent'
      | 'handleCardAction'
      | 'handleNextAction'
      | 'confirmCardSetup'
    > {
    /** Of three overloads, the one for a card field; the others are the Payment Element's. */
    createPaymentMethod(data: PaymentMethodData): Promise<import('@stripe/stripe-js').PaymentMethodResult>;
    elements(options?: import('@stripe/stripe-js').StripeElementsOptionsClientSecret): Elements;
  }

  interface Constructor {
    (publishableKey: string, options?: import('@stripe/stripe-js').StripeConstructorOptions): Stripe;
  }
}
