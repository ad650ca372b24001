package plus

// Finance is GET /plus/finance: what waits for a person.
type Finance struct {
	Chrome
	Rows  []WaitRow
	First bool   // it is the first page
	Count string // of all pages; "" for none
	Next  string // address of the next page; "": this is the last
	May   bool   // who reads may decide
	Days  []DayRow
}

// DayRow is how the books of a day compared with the card processor's.
type DayRow struct{ Day, Words, Tone string }

// WaitRow is a payment that waits.
type WaitRow struct {
	Address, Reference, Client, ClientID, Vehicle, Amount string
	Waits, Since, SinceWords                              string // how long, and since when, for a machine and a person
	Causes                                                []CauseRow
}

// CauseRow is why a payment waits, and what to do about it.
type CauseRow struct {
	Badge, Tone, Text, Do string
	Due                   string // a date that is set; "" for none
}

// Moment is a time as read, and for a machine.
type Moment struct{ Day, Clock, Machine string }

// Payment is GET /plus/payments/{id}: one payment whole.
type Payment struct {
	Chrome
	Reference, Client, ClientID, ClientPage string
	State, Tone, Where                      string
	Facts                                   []Fact
	Causes                                  []CauseRow
	Alert                                   *Alert
	Heading, Zone                           string
	Lines                                   []Line
	Total, PaidTo                           string
	Rebuilt                                 bool
	Hash, Intent, Account                   string
	Terms                                   int // versions and languages of the terms that were agreed to
	Attempts                                []AttemptRow
	Texts                                   []TextRow
	Invoices                                []NoteRow
	Refunds                                 []RefundRow
	Disputes                                []DisputeRow
	Trail                                   []TrailRow
	Evidence, EvidencePDF                   string // addresses of the file; "" for who may not have it
	Refund                                  *RefundForm
	Decide, Drop, Clear                     *ReasonForm
	Focus                                   string
}

// Acts says whether there is something to do for who reads.
func (p Payment) Acts() bool {
	return p.Refund != nil || p.Decide != nil || p.Drop != nil || p.Clear != nil || p.Evidence != ""
}

// AttemptRow is one try with one card.
type AttemptRow struct {
	At                                   Moment
	Card, Funding, Outcome, Tone, Detail string
}

// TextRow is a text and the link that it carried.
type TextRow struct {
	At                          Moment
	What, To, Whose, Text, Tone string
	Opened                      Moment
}

// NoteRow is an invoice or a credit note.
type NoteRow struct {
	At                   Moment
	Number, What, Amount string
}

// RefundRow is money given back, or asked for.
type RefundRow struct {
	At                                       Moment
	Amount, State, Tone, Detail, Why, By, ID string
}

// DisputeRow is a charge that its card's owner contests.
type DisputeRow struct {
	At, Due                                                Moment
	Amount, State, Tone, Reason, ID, Evidence, EvidencePDF string
}

// TrailRow is one act.
type TrailRow struct {
	At                        Moment
	Who, Act, Refused, Detail string
}

// ReasonForm asks for a reason, and what is to be done where there is a choice.
type ReasonForm struct {
	Action, Name, Title, Text, Do string
	Choices                       []Choice
	Choice, ChoiceError           string
	Why, WhyError                 string
}

// Choice is one of several.
type Choice struct{ Value, Label, Hint string }

// RefundForm asks how much goes back, and why.
type RefundForm struct {
	ReasonForm
	Key                 string
	Left, Charged       string
	Partly              bool // a part has gone back before
	Amount, AmountError string
}

// Confirm repeats a refund before it is made.
type Confirm struct {
	Chrome
	Back, Action                            string
	Client, ClientID, Reference, What, Card string
	Amount, Of, Rest                        string
	Cents                                   int64
	Whole                                   bool
	Why, Then, Key                          string
}
