package pdf_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	reader "github.com/ledongthuc/pdf"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/lang"
	"paylink/internal/ledger"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/pdf"
	"paylink/internal/quote"
	"paylink/internal/trail"
)

var (
	printer = pdf.Printer{Brand: "Interlane", Support: "(804) 555-0100"}
	sold    = time.Date(2026, 11, 27, 18, 14, 0, 0, time.UTC)
)

// pages reads the words of each page, as somebody who selects and copies them would: every string is looked up in the map that its font gives to a reader.
func pages(t *testing.T, file []byte) (out []string) {
	t.Helper()
	r, err := reader.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= r.NumPage(); n++ {
		p := r.Page(n)
		for _, name := range p.Fonts() {
			m, err := io.ReadAll(p.Font(name).V.Key("ToUnicode").Reader())
			if err != nil || !strings.Contains(string(m), "<0000> <FFFF> <0000>") { // codes are UTF-16: what is copied is what was set
				t.Fatalf("page %d: the font %s does not say what its letters are: %v", n, name, err)
			}
		}
		var words []string
		reader.Interpret(p.V.Key("Contents"), func(stack *reader.Stack, op string) {
			var all []reader.Value
			for stack.Len() > 0 {
				all = append(all, stack.Pop())
			}
			if op != "Tj" {
				return
			}
			raw := all[0].RawString()
			var units []uint16
			for i := 0; i+1 < len(raw); i += 2 {
				units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
			}
			words = append(words, string(utf16.Decode(units)))
		})
		out = append(out, strings.Join(words, "\n"))
	}
	return out
}

func says(t *testing.T, text string, wants ...string) {
	t.Helper()
	flat := strings.ReplaceAll(text, "\n", " ")
	for _, want := range wants {
		if !strings.Contains(flat, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

// sale is an invoice that a link has paid, with 42.37 past due.
func sale() pay.Bill {
	paidTo := day.Date("2026-12-27")
	summary := quote.Summary{
		Lines: []quote.Line{{Kind: quote.Monitoring, Days: 30, Amount: 7_230}, {Kind: quote.LossProtection, Days: 30, Amount: 480}}, Subtotal: 7_710, Tax: 578, PastDue: 4_237, TotalDue: 12_525, PaidTo: &paidTo,
	}
	p := pay.Payment{ID: "pay_1", Door: pay.ByLink, ClientID: "100043", VehicleID: "veh_1", Frozen: pay.Frozen{Summary: summary}}
	p.State, p.Charged = pay.Paid, 12_525
	return pay.Bill{
		Invoice: ledger.Invoice{
			ID: "inv_1", Number: "261127-7K2Q-4821", ClientID: "100043", VehicleID: "veh_1", PaymentID: "pay_1", Door: "link", IssuedAt: sold, Location: "Tampa, FL", Zone: "America/New_York", Vehicle: "2014 Ford F-150",
			TaxPPM: 75_000, Subtotal: 7_710, Tax: 578, Total: 8_288, PaidToFrom: "2026-11-27", PaidTo: paidTo,
			Lines: []ledger.Line{{Kind: "monitoring", Days: 30, Amount: 7_230}, {Kind: "loss_protection", Days: 30, Amount: 480}},
		},
		Client: account.Client{ID: "100043", FirstName: "Marcus", LastName: "Bell", Language: "en"}, Payment: &p, Card: pay.Card{Brand: "visa", Last4: "4242"},
	}
}

func invoice(t *testing.T, b pay.Bill, l lang.Lang) []string {
	t.Helper()
	file, err := printer.Invoice(b, l)
	if err != nil {
		t.Fatal(err)
	}
	again, err := printer.Invoice(b, l)
	if err != nil || !bytes.Equal(file, again) {
		t.Errorf("printed twice, it is not the same: %v", err)
	}
	return pages(t, file)
}

func TestAnInvoiceIsOnePageWithAllFacts(t *testing.T) {
	got := invoice(t, sale(), lang.English)
	if len(got) != 1 {
		t.Fatalf("%d pages", len(got))
	}
	says(t, got[0], "Interlane", "Invoice", "261127-7K2Q-4821", "Paid", "Date Nov 27, 2026", "Client Marcus Bell", "Client id 100043", "Vehicle 2014 Ford F-150", "Service location Tampa, FL", "Dec 27, 2026, moved from Nov 27, 2026",
		"Monitoring, 30 days × $2.41 $72.30", "Loss protection, 30 days × $0.16 $4.80", "Before tax $77.10", "Tax 7.5% $5.78", "Invoice total $82.88", "Past due, paid at the same time $42.37",
		"Paid Nov 27, 2026, 1:14 PM, by payment link, Visa ending in 4242, reference "+sale().Payment.Reference()+" $125.25", "Questions about this invoice? Call (804) 555-0100.", "Page 1 of 1")
}

func TestAnInvoiceSpeaksSpanish(t *testing.T) {
	b := sale()
	b.Client.FirstName, b.Client.LastName = "Lucía", "Ñáñez Güell"
	got := invoice(t, b, lang.Spanish)
	says(t, got[0], "Factura", "Pagada", "Fecha 27 nov 2026", "Cliente Lucía Ñáñez Güell", "Vehículo", "Lugar de servicio", "27 dic 2026 (antes, 27 nov 2026)", "Monitoreo, 30 días × $2.41", "Impuesto 7.5%",
		"por enlace de pago, Visa terminada en 4242", "¿Preguntas sobre esta factura?", "Página 1 de 1")
}

func TestAnInvoiceOfManyLinesAndLongNamesGoesOnOverPages(t *testing.T) {
	b := sale()
	b.Payment, b.Invoice.PaymentID, b.Invoice.Door, b.Due = nil, "", "", 100
	b.Client.FirstName, b.Client.LastName = strings.Repeat("Maximiliana ", 9), "von und zu "+strings.Repeat("Hohen", 30)
	b.Invoice.Lines = nil
	for i := range 70 {
		b.Invoice.Lines = append(b.Invoice.Lines, ledger.Line{Kind: "fee_service", Label: fmt.Sprintf("Fee number %d", i), Count: i%3 + 1, Amount: money.Cents(100 * (i%3 + 1))})
	}
	got := invoice(t, b, lang.English)
	if len(got) < 2 || len(got) > 4 {
		t.Fatalf("%d pages", len(got))
	}
	for i, p := range got {
		says(t, p, fmt.Sprintf("Page %d of %d", i+1, len(got)))
	}
	all := strings.Join(got, "\n")
	for i := range 70 {
		says(t, all, fmt.Sprintf("Fee number %d", i))
	}
	says(t, all, "Fee number 1, 2 × $1.00 $2.00", "Part due", "Still due $1.00", "It is paid with the account’s next payment.")
	if n := strings.Count(strings.ReplaceAll(all, "\n", ""), "Hohen"); n < 30 {
		t.Errorf("of a long name, %d parts of 30 are there", n)
	}
}

func TestCreditNotesAndTheirInvoiceNameOneAnother(t *testing.T) {
	b := sale()
	note := b.Invoice
	note.ID, note.Number, note.Subtotal, note.Tax, note.Total, note.PaidTo, note.PaidToFrom = "inv_2", "261128-7K2Q-4821-R1", -3_721, -279, -4_000, "", ""
	note.Lines = []ledger.Line{{Kind: "monitoring", Days: 30, Amount: -3_489}, {Kind: "loss_protection", Days: 30, Amount: -232}}
	b.Notes = []ledger.Invoice{note}
	says(t, invoice(t, b, lang.English)[0], "Partly given back", "Credit notes", "261128-7K2Q-4821-R1, Nov 27, 2026 ($40.00)")
	of := b.Invoice
	got := invoice(t, pay.Bill{Invoice: note, Client: b.Client, Payment: b.Payment, Of: &of}, lang.English)[0]
	says(t, got, "Credit note", "Belongs to invoice 261127-7K2Q-4821", "Monitoring ($34.89)", "Total of the note ($40.00)")
	if strings.Contains(got, "by payment link") {
		t.Error("a credit note says how it was paid")
	}
}

// A name is printed as it is written where the font has its letters, and is copied as it is written wherever it is printed.
func TestNoNameBecomesGarbage(t *testing.T) {
	for _, name := range []string{"Zoë O’Brien", "Łukasz Żółć", "Nguyễn Thị Hường", "Đorđe Šašić", "Ğül İpek Çelik", "Ольга Иванова", "李明"} {
		b := sale()
		b.Client.FirstName, b.Client.LastName = name, ""
		says(t, invoice(t, b, lang.English)[0], strings.TrimSpace(name))
	}
	b := sale()
	b.Client.FirstName, b.Client.LastName = "Jose\u0301", "Smile \U0001F600\x07\u202Eevil" // composed; no plane beyond the font's; no control characters, nothing that turns the line
	says(t, invoice(t, b, lang.English)[0], "José Smile □evil")
}

func TestTheEvidenceSaysWhatItsFileSays(t *testing.T) {
	b := sale()
	p := *b.Payment
	p.IntentID, p.SummaryHash, p.ChainID, p.CreatedAt, p.ClosedAt = "pi_1", strings.Repeat("ab", 32), "pay_1", sold, sold.Add(time.Minute)
	p.Frozen.Vehicle, p.Frozen.Location, p.Frozen.Input.Days, p.Frozen.Input.AsOf = "2014 Ford F-150", "Tampa, FL", 30, "2026-11-27"
	terms := "One payment.\n\n" + strings.Repeat("The terms are kept whole, word for word, however long they are. ", 120) + "END OF TERMS"
	v := pay.View{Payment: p, Facts: pay.Facts{Client: b.Client, Now: sold.Add(time.Hour)}, Attempts: []pay.Attempt{
		{N: 1, State: pay.WasNo, Code: "insufficient_funds", Card: pay.Card{Brand: "visa", Last4: "9995", Funding: "debit", AVS: "pass", CVC: "fail"}, TermsVersion: "1", TermsLanguage: "en", Address: "198.51.100.7", UserAgent: "A phone (x)", StartedAt: sold, EndedAt: sold},
		{N: 2, State: pay.Succeeded, ChargeID: "ch_1", Card: pay.Card{Brand: "visa", Last4: "4242", Funding: "credit", AVS: "pass", CVC: "pass"}, TermsVersion: "1", TermsLanguage: "en", Address: "198.51.100.7", UserAgent: "A phone (x)", StartedAt: sold.Add(30 * time.Second), EndedAt: sold.Add(time.Minute)},
	}, Refunds: []pay.Refund{{StripeID: "re_1", Amount: 4_000, State: pay.RefundDone, Why: "returned early", AskedAt: sold.Add(time.Hour)}}}
	r := pay.Record{Terms: []pay.Agreement{{Version: "1", Language: "en", SHA256: strings.Repeat("cd", 32), Text: terms}}}
	for i := range 60 {
		r.Trail = append(r.Trail, trail.Entry{At: sold.Add(time.Duration(i) * time.Second), Actor: trail.BySystem, Act: fmt.Sprintf("act %d", i), Detail: "a detail of some length, which takes more than one line in its narrow column"})
	}
	text, hash, err := pay.Evidence(v, r, sold.Add(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	f, err := pay.ReadEvidence(text)
	if err != nil {
		t.Fatal(err)
	}
	file, err := printer.Evidence(f, hash)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := printer.Evidence(f, hash); err != nil || !bytes.Equal(file, again) {
		t.Errorf("printed twice, it is not the same: %v", err)
	}
	got := pages(t, file)
	for i, page := range got {
		says(t, page, fmt.Sprintf("Page %d of %d", i+1, len(got)), "Evidence for payment "+p.Reference())
		lines := strings.Split(page, "\n")
		got[i] = strings.Join(lines[:len(lines)-2], "\n") // without its foot
	}
	all := strings.Join(got, "\n")
	says(t, got[0], "Amount charged $125.25", "Account of Marcus Bell, client 100043", "2014 Ford F-150, 30 days, paid to Dec 27, 2026", "Visa credit, ending 4242", "ZIP and security code pass, pass", "pi_1", "ch_1",
		"Monitoring, 30 days × $2.41 $72.30", "Past due $42.37", "Total shown $125.25", "agreed to version 1 of the terms, in English, and submitted the card at Nov 27, 2026, 18:14:30 UTC, from network address 198.51.100.7")
	says(t, all, "declined: insufficient funds", "Refunds", "returned early", "re_1", "END OF TERMS", "act 0", "act 59", "Evidence file", "Frozen summary")
	flat := strings.ReplaceAll(all, "\n", "")
	for _, h := range []string{hash, p.SummaryHash, r.Terms[0].SHA256} {
		if !strings.Contains(flat, h) {
			t.Errorf("the hash %s is not there", h)
		}
	}
	if n := strings.Count(strings.ReplaceAll(all, "\n", " "), "word for word"); n != 120 {
		t.Errorf("%d of 120 sentences of the terms are there", n)
	}
}
