// What templates/card.js lends the pages on which a card is entered.
interface CardFields {
  stripe?: import("@stripe/stripe-js").Stripe; // once its script has loaded
  /** What is still missing, in words, and how to get there. */
  gaps(): { words: string; focus: () => void }[];
  /** Says what is wrong with the ZIP code, which nobody was told while it was typed. */
  tried(): void;
  /** What Stripe's methods take as a card. */
  details(): { card: any; billing_details: { address: { postal_code: string } } };
  disable(on: boolean): void;
  /** Empties the card's own fields for another one. */
  again(): void;
  focus(): void;
  destroy(): void;
  /** Loads Stripe.js and mounts the fields; then says mounted, or blocked. */
  load(): void;
}
interface Window {
  cardFields(
    config: { stripeJs: string; publishableKey: string; stripeAccount?: string; locale: "en" | "es"; texts: Record<string, string> },
    told: { changed: () => void; mounted: () => void; blocked: () => void },
  ): CardFields;
}
