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
/** The button of such a page, and the box by which the terms are agreed to. */
interface CardButton {
  busy: boolean; // something is on its way: nothing else may start
  /** Politely, to a screen reader. */
  say(words: string): void;
  /** What stands on the button. */
  shows(words: string): void;
  /** Looks whether anything is missing still. */
  weigh(): void;
  work(on: boolean): void;
  /** Says what is missing, and goes there; false: nothing is. */
  stops(): boolean;
  /** For another try: nobody is blamed for what is missing yet. */
  anew(): void;
}
interface Window {
  /** gaps, beside the terms; able: it could be pressed now, if nothing is missing; held: the rest of the page while it works. */
  cardButton(
    id: string,
    texts: Record<string, string>,
    page: { gaps: () => { words: string; focus: () => void }[]; tried: () => void; able: () => boolean; held: (on: boolean) => void },
  ): CardButton;
  cardFields(
    config: { stripeJs: string; publishableKey: string; stripeAccount?: string; locale: "en" | "es"; texts: Record<string, string> },
    told: { changed: () => void; mounted: () => void; blocked: () => void },
  ): CardFields;
}
