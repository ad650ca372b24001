// The claim of standin.d.ts is a part of the real Stripe.js: whatever real Stripe.js returns can be used as the claim says.
import type {Stripe, StripeConstructor, StripeElements} from '@stripe/stripe-js';

type Extends<Real extends Claim, Claim> = [Real, Claim];

export type Claims = [
  Extends<StripeElements, StripeStandIn.Elements>,
  Extends<Stripe, StripeStandIn.Stripe>,
  Extends<StripeConstructor, StripeStandIn.Constructor>,
];

declare global {
  // A page's classic script may name it without `window.`; it is undefined where the script was blocked.
  var Stripe: StripeConstructor | undefined;
}
