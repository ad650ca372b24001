package pay

// AlarmName says what a person has to look at. docs/operations.md has the steps for each.
type AlarmName string

const (
	LateMoney      AlarmName = "late_money"       // money came after a payment had closed
	LateMoneyHeld  AlarmName = "late_money_held"  // … and a person decides what becomes of it
	Mismatch       AlarmName = "mismatch"         // Stripe shows another amount, account, currency or end than the books
	Unsettled      AlarmName = "unsettled"        // a quarter of an hour of asking has not told what became of a payment
	SetUpRefused   AlarmName = "set_up_refused"   // Stripe refuses to make PaymentIntents
	RefundRefused  AlarmName = "refund_refused"   // Stripe will not give money back
	RefundUnclear  AlarmName = "refund_unclear"   // Stripe does not say whether a refund was made
	RefundCameBack AlarmName = "refund_came_back" // money that went back has come back
	Disputed       AlarmName = "disputed"         // a charge is disputed, or its dispute is lost
	DateLeft       AlarmName = "date_left"        // a refunded payment's Paid To Date has moved on
	UnknownCharge  AlarmName = "unknown_charge"   // a charge of ours that the books did not know
)

// Alarms lists every alarm and what it says.
func Alarms() map[AlarmName]string {
	return map[AlarmName]string{
		LateMoney:      "money came after a payment had closed",
		LateMoneyHeld:  "money that came after a payment had closed waits for a person",
		Mismatch:       "Stripe shows something else than the books do",
		Unsettled:      "it could not be found out for a quarter of an hour what became of a payment",
		SetUpRefused:   "Stripe refused to set a payment up",
		RefundRefused:  "Stripe refused a refund",
		RefundUnclear:  "Stripe does not say whether a refund was made",
		RefundCameBack: "a refund failed after it had been made",
		Disputed:       "a charge is disputed, or its dispute was lost",
		DateLeft:       "a refunded payment's Paid To Date has moved on since",
		UnknownCharge:  "a charge was found that the books did not know",
	}
}

// Alarm is something that a person has to look at. It holds no secrets.
type Alarm struct {
	Name      AlarmName
	PaymentID string
	State     State
	Reason    Reason
	Detail    string // what the supplier said, without secrets
}

func alarm(name AlarmName) Effect { return Effect{Kind: RaiseAlarm, Alarm: name} }
