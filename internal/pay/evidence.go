package pay

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/quote"
	"paylink/internal/sms"
	"paylink/internal/trail"
)

// Record is what belongs to a payment beyond its view.
type Record struct {
	Links    []link.Link   // oldest first
	Messages []sms.Message // oldest first, without their boxes
	Terms    []Agreement   // every version and language that an attempt names
	Trail    []trail.Entry // oldest first
}

// Agreement is a version of the terms as it was shown.
type Agreement struct {
	Version  string `json:"version"`
	Language string `json:"language"`
	SHA256   string `json:"sha256"`
	Text     string `json:"text"`
}

// Evidence is the file that is kept for a dispute: everything that shows what was sold, to whom it was shown, who agreed to it and what the bank said; and its
// SHA-256 in hex. It holds no token, no card number and no whole phone number.
func Evidence(v View, r Record, now time.Time) (text, hash string, err error) {
	p := v.Payment
	f := EvidenceFile{
		Reference: p.Reference(), Payment: p.ID, Chain: p.ChainID, Door: p.Door, State: p.State, Reason: p.Reason, MadeAt: now,
		Client: EvidenceClient{ID: v.Facts.Client.ID, Name: v.Facts.Client.FirstName + " " + v.Facts.Client.LastName}, Vehicle: p.Frozen.Vehicle, Location: p.Frozen.Location,
		Input: p.Frozen.Input, Summary: p.Frozen.Summary, SummarySHA256: p.SummaryHash, Amount: p.Amount(), Charged: p.Charged, GivenBack: p.GivenBack,
		SentBy: p.CreatedBy, SentAt: p.CreatedAt, OpenedAt: timeOf(p.OpenedAt), ClosedAt: timeOf(p.ClosedAt),
		Stripe: EvidenceStripe{Account: p.StripeAccount, PaymentIntent: p.IntentID}, Terms: r.Terms,
	}
	for _, l := range r.Links {
		f.Links = append(f.Links, EvidenceLink{SentAt: l.CreatedAt, OpenedAt: timeOf(l.OpenedAt), ExpiresAt: l.ExpiresAt, State: string(l.State), Language: l.Language, Phone: l.Phone.String(), OwnNumber: l.OwnNumber, SentBy: l.SentBy})
	}
	for _, m := range r.Messages {
		f.Texts = append(f.Texts, EvidenceText{Kind: string(m.Kind), Phone: m.Phone.String(), CreatedAt: m.CreatedAt, HandedOverAt: timeOf(m.HandedAt), Status: string(m.Status), Carrier: m.SID, EndedAt: timeOf(m.EndedAt)})
	}
	for _, a := range v.Attempts {
		f.Attempts = append(f.Attempts, EvidenceAttempt{
			N: a.N, SubmittedAt: a.StartedAt, AnsweredAt: timeOf(a.EndedAt), Outcome: string(a.State), Code: a.Code, Charge: a.ChargeID, Brand: a.Card.Brand, Last4: a.Card.Last4, Funding: a.Card.Funding,
			ZIPCheck: a.Card.AVS, CVCCheck: a.Card.CVC, TermsVersion: a.TermsVersion, TermsLanguage: a.TermsLanguage, AgreedAt: a.StartedAt, Address: a.Address, UserAgent: a.UserAgent,
		})
	}
	for _, b := range v.Refunds {
		f.Refunds = append(f.Refunds, EvidenceRefund{ID: b.StripeID, Amount: b.Amount, State: string(b.State), Why: b.Why, AskedAt: b.AskedAt, EndedAt: timeOf(b.EndedAt)})
	}
	for _, e := range r.Trail {
		f.Trail = append(f.Trail, EvidenceAct{At: e.At, By: string(e.Actor.Kind), Who: e.Actor.ID, Act: e.Act, Refused: e.Refused, Detail: e.Detail})
	}
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return "", "", err
	}
	sum := sha256.Sum256(b)
	return string(b), hex.EncodeToString(sum[:]), nil
}

// ReadEvidence reads what Evidence has written, now or when a dispute became known.
func ReadEvidence(text string) (EvidenceFile, error) {
	var f EvidenceFile
	err := json.Unmarshal([]byte(text), &f)
	return f, err
}

// EvidenceName is the name of a payment's evidence file.
func (p Payment) EvidenceName() string { return "evidence-" + p.Reference() + ".json" }

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// EvidenceFile is what the evidence file says, as it is written and read.
type EvidenceFile struct {
	Reference     string            `json:"reference"`
	Payment       string            `json:"payment"`
	Chain         string            `json:"chain"`
	Door          Door              `json:"door"`
	State         State             `json:"state"`
	Reason        Reason            `json:"reason,omitempty"`
	MadeAt        time.Time         `json:"file_made_at"`
	Client        EvidenceClient    `json:"client"`
	Vehicle       string            `json:"vehicle"`
	Location      string            `json:"location"`
	Input         quote.Input       `json:"priced_from"`
	Summary       quote.Summary     `json:"summary"`
	SummarySHA256 string            `json:"summary_sha256"`
	Amount        money.Cents       `json:"amount_shown"`
	Charged       money.Cents       `json:"amount_charged"`
	GivenBack     money.Cents       `json:"amount_given_back"`
	SentBy        trail.Actor       `json:"sent_by"`
	SentAt        time.Time         `json:"sent_at"`
	OpenedAt      *time.Time        `json:"first_opened_at,omitempty"`
	ClosedAt      *time.Time        `json:"closed_at,omitempty"`
	Stripe        EvidenceStripe    `json:"stripe"`
	Links         []EvidenceLink    `json:"links"`
	Texts         []EvidenceText    `json:"texts"`
	Attempts      []EvidenceAttempt `json:"attempts"`
	Terms         []Agreement       `json:"terms"`
	Refunds       []EvidenceRefund  `json:"refunds,omitempty"`
	Trail         []EvidenceAct     `json:"trail"`
}

// EvidenceClient is whose account was paid for.
type EvidenceClient struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// EvidenceStripe is where the charge is found at Stripe.
type EvidenceStripe struct {
	Account       string `json:"account,omitempty"`
	PaymentIntent string `json:"payment_intent"`
}

// EvidenceLink is a link that was texted.
type EvidenceLink struct {
	SentAt    time.Time  `json:"sent_at"`
	OpenedAt  *time.Time `json:"opened_at,omitempty"`
	ExpiresAt time.Time  `json:"expires_at"`
	State     string     `json:"state"`
	Language  string     `json:"language"`
	Phone     string     `json:"phone"` // its last four digits
	OwnNumber bool       `json:"clients_own_number"`
	SentBy    string     `json:"sent_by"`
}

// EvidenceText is a text, and what became of it.
type EvidenceText struct {
	Kind         string     `json:"kind"`
	Phone        string     `json:"phone"`
	CreatedAt    time.Time  `json:"created_at"`
	HandedOverAt *time.Time `json:"handed_over_at,omitempty"`
	Status       string     `json:"status"`
	Carrier      string     `json:"carrier_id"`
	EndedAt      *time.Time `json:"ended_at,omitempty"`
}

// EvidenceAttempt is a try with a card, and what was agreed to with it.
type EvidenceAttempt struct {
	N             int        `json:"n"`
	SubmittedAt   time.Time  `json:"submitted_at"`
	AnsweredAt    *time.Time `json:"answered_at,omitempty"`
	Outcome       string     `json:"outcome"`
	Code          string     `json:"code,omitempty"`
	Charge        string     `json:"charge,omitempty"`
	Brand         string     `json:"card_brand"`
	Last4         string     `json:"card_last4"`
	Funding       string     `json:"card_funding"`
	ZIPCheck      string     `json:"zip_check"`
	CVCCheck      string     `json:"security_code_check"`
	TermsVersion  string     `json:"terms_version"`
	TermsLanguage string     `json:"terms_language"`
	AgreedAt      time.Time  `json:"agreed_at"`
	Address       string     `json:"network_address"`
	UserAgent     string     `json:"user_agent"`
}

// EvidenceRefund is money that went back.
type EvidenceRefund struct {
	ID      string      `json:"stripe_id"`
	Amount  money.Cents `json:"amount"`
	State   string      `json:"state"`
	Why     string      `json:"reason"`
	AskedAt time.Time   `json:"asked_at"`
	EndedAt *time.Time  `json:"ended_at,omitempty"`
}

// EvidenceAct is a line of the trail.
type EvidenceAct struct {
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Who     string    `json:"who,omitempty"`
	Act     string    `json:"act"`
	Refused string    `json:"refused,omitempty"`
	Detail  string    `json:"detail,omitempty"`
}
