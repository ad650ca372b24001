package post

// The kinds of letter.
const (
	Invitation Kind = "invitation" // to My Account; its secret is the temporary password
	Reset      Kind = "reset"      // of a forgotten password; its secret is the token of the link
	Confirm    Kind = "confirm"    // that an address is read by whoever says so; its secret is the code
	Changed    Kind = "changed"    // something in the account was: see Change

	CardUpdated     Kind = "card_updated"       // by its bank
	CardGone        Kind = "card_gone"          // at Stripe
	CardGoneAutoPay Kind = "card_gone_auto_pay" // and Auto Pay used it
	CardExpires     Kind = "card_expires"       // a month ahead

	AutoPaySoon     Kind = "auto_pay_soon"     // three days before
	AutoPayPaid     Kind = "auto_pay_paid"     //
	AutoPayDeclined Kind = "auto_pay_declined" // and tried again
	AutoPayLast     Kind = "auto_pay_last"     // declined, and not tried again
	AutoPayStopped  Kind = "auto_pay_stopped"  // not charged, for another reason
)

// forms has one line for each kind. A text's first three arguments are the brand, the support telephone and the secret.
var forms = map[Kind]form{
	Invitation: {values: []string{"id"}, path: "/my/?lang={lang}"},
	Reset:      {path: "/my/reset?lang={lang}#{secret}"},
	Confirm:    {path: "/my/profile/mail"},
	Changed:    {values: []string{"what", "said"}, path: "/my/"},

	CardUpdated:     {values: []string{"brand", "last4", "expires"}, path: "/my/cards"},
	CardGone:        {values: []string{"brand", "last4"}, path: "/my/cards"},
	CardGoneAutoPay: {values: []string{"brand", "last4"}, path: "/my/cards"},
	CardExpires:     {values: []string{"brand", "last4", "expires"}, path: "/my/cards"},

	AutoPaySoon:     {values: []string{"vehicle", "amount", "date", "card"}, path: "/my/auto-pay"},
	AutoPayPaid:     {values: []string{"vehicle", "amount", "paid_to", "reference"}, path: "/my/invoices"},
	AutoPayDeclined: {values: []string{"vehicle", "amount", "card", "why", "next", "vehicle_id"}, path: "/my/pay?vehicle={vehicle_id}"},
	AutoPayLast:     {values: []string{"vehicle", "amount", "card", "why", "vehicle_id"}, path: "/my/pay?vehicle={vehicle_id}"},
	AutoPayStopped:  {values: []string{"vehicle", "why", "vehicle_id"}, path: "/my/pay?vehicle={vehicle_id}"},
}
