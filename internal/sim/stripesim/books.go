package stripesim

import "maps"

// Books is what the simulator holds, for tests to compare with their own: by account id, the platform's own included.
type Books struct {
	Platform string                  `json:"platform"` // its account id
	Accounts map[string]AccountBooks `json:"accounts"`
}

// AccountBooks lists one account's objects, oldest first. Amounts are in the currency's smallest unit, times in Unix seconds.
type AccountBooks struct {
	Intents  []Intent  `json:"intents"`
	Charges  []Charge  `json:"charges"`
	Refunds  []Refund  `json:"refunds"`
	Disputes []Dispute `json:"disputes"`
}

type Intent struct {
	ID            string            `json:"id"`
	Status        string            `json:"status"`
	Amount        int64             `json:"amount"`
	Received      int64             `json:"received"`
	Currency      string            `json:"currency"`
	Customer      string            `json:"customer"`
	PaymentMethod string            `json:"payment_method"`
	LatestCharge  string            `json:"latest_charge"`
	Metadata      map[string]string `json:"metadata"`
	Created       int64             `json:"created"`
}

type Charge struct {
	ID            string `json:"id"`
	Intent        string `json:"intent"`
	PaymentMethod string `json:"payment_method"`
	Status        string `json:"status"` // succeeded, pending, failed
	Amount        int64  `json:"amount"`
	Captured      int64  `json:"captured"`
	Refunded      int64  `json:"refunded"`
	Fee           int64  `json:"fee"`
	Disputed      bool   `json:"disputed"`
	DeclineCode   string `json:"decline_code"`
	Brand         string `json:"brand"`
	Last4         string `json:"last4"`
	Created       int64  `json:"created"`
}

type Refund struct {
	ID       string            `json:"id"`
	Charge   string            `json:"charge"`
	Intent   string            `json:"intent"`
	Status   string            `json:"status"`
	Amount   int64             `json:"amount"`
	Metadata map[string]string `json:"metadata"`
	Created  int64             `json:"created"`
}

type Dispute struct {
	ID     string `json:"id"`
	Charge string `json:"charge"`
	Intent string `json:"intent"`
	Status string `json:"status"`
	Amount int64  `json:"amount"`
}

// Books returns a copy of everything at one moment.
func (s *Server) Books() Books {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := Books{Platform: s.platform.id, Accounts: map[string]AccountBooks{}}
	for id, a := range s.accounts {
		var books AccountBooks
		for _, pi := range all[*paymentIntent](a, "payment_intent") {
			books.Intents = append(books.Intents, Intent{ID: pi.id, Status: pi.status, Amount: pi.amount, Received: pi.received, Currency: pi.currency,
				Customer: pi.customer, PaymentMethod: pi.method, LatestCharge: pi.latestCharge, Metadata: maps.Clone(pi.metadata), Created: pi.created})
		}
		for _, ch := range all[*charge](a, "charge") {
			row := Charge{ID: ch.id, Intent: ch.intent, PaymentMethod: ch.method, Status: ch.status, Amount: ch.amount, Captured: ch.amountCaptured,
				Refunded: ch.refunded, Disputed: ch.disputed, Brand: ch.card.brand, Last4: ch.card.last4(), Created: ch.created}
			if ch.failure != nil {
				row.DeclineCode = ch.failure.declineCode
			}
			if t, ok := find[*balanceTransaction](a, ch.balance); ok {
				row.Fee = t.fee
			}
			books.Charges = append(books.Charges, row)
		}
		for _, f := range all[*refund](a, "refund") {
			books.Refunds = append(books.Refunds, Refund{ID: f.id, Charge: f.charge, Intent: f.intent, Status: f.status, Amount: f.amount,
				Metadata: maps.Clone(f.metadata), Created: f.created})
		}
		for _, d := range all[*dispute](a, "dispute") {
			books.Disputes = append(books.Disputes, Dispute{ID: d.id, Charge: d.charge.id, Intent: d.charge.intent, Status: d.status, Amount: d.charge.amountCaptured})
		}
		b.Accounts[id] = books
	}
	return b
}
