package ledger

import (
	"crypto/sha256"
	"encoding/base32"

	"paylink/internal/money"
)

// Standing says where an invoice stands with what the account owes.
type Standing string

const (
	Settled Standing = "paid"
	PartDue Standing = "part_due"
	AllDue  Standing = "due"
)

// Later says whether an invoice was added to be paid later. Every other one was issued by the payment that paid it, or takes money back.
func (i Invoice) Later() bool { return i.Door == "" && i.Total > 0 }

// Due says how much of an invoice is still owed. Nothing in the books ties money to a charge (docs/decisions/due-is-derived.md): whatever comes pays the oldest
// first, so what the account owes is owed for the newest. newer is the sum of all invoices to be paid later that are newer than this one; owed is the account's
// balance now, negative for a credit.
func (i Invoice) Due(newer, owed money.Cents) money.Cents {
	if !i.Later() {
		return 0
	}
	return min(max(owed-newer, 0), i.Total)
}

// Standing puts what Due says into a word.
func (i Invoice) Standing(due money.Cents) Standing {
	switch {
	case due <= 0:
		return Settled
	case due < i.Total:
		return PartDue
	}
	return AllDue
}

// Code is what people quote on the phone for an id, such as "7K2Q-4821": eight characters that can't be misheard (Crockford's base 32), made from the id.
func Code(id string) string {
	sum := sha256.Sum256([]byte(id))
	code := codes.EncodeToString(sum[:5])
	return code[:4] + "-" + code[4:]
}

var codes = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)
