// Package demo is the invented town: its locations, clients and staff, for the demonstration and for tests. Nobody in it exists.
package demo

import (
	"fmt"
	"sync"
	"time"

	"paylink/internal/account"
	"paylink/internal/ledger"
	"paylink/internal/money"
	"paylink/internal/phone"
	"paylink/internal/sqldb"
	"paylink/internal/staff"
)

// Password is what everybody in the town signs in with.
const Password = "interlane-demo"

// TampaAccount is the connected Stripe account that one location settles to; the others settle to the platform's.
const TampaAccount = "acct_1DemoTampaInterlane"

// Data is the town's facts. Paid To Dates are as of now at each location, so that a demonstration always begins today.
func Data(now time.Time) sqldb.Import {
	var in sqldb.Import
	eastern := "America/New_York"
	in.Locations = []account.Location{
		location("VA-RIC", "Richmond, VA", eastern, 60_000, 9_500),
		location("FL-TPA", "Tampa, FL", eastern, 75_000, 7_250),
		location("MD-BAL", "Baltimore, MD", eastern, 60_000, 0),
		location("PA-HAR", "Harrisburg, PA", eastern, 60_000, 9_000),
		location("OR-PDX", "Portland, OR", "America/Los_Angeles", 0, 0),
		location("NC-RAL", "Raleigh, NC", eastern, 72_500, 9_000),
		location("TN-KNX", "Knoxville, TN", eastern, 92_500, 12_500),
		location("VA-ORF", "Norfolk, VA", eastern, 60_000, 9_500),
		location("TN-NSH", "Nashville, TN", "America/Chicago", 92_500, 12_500),
	}
	in.Locations[1].StripeAccount = TampaAccount
	in.Locations[2].Payments = account.NotConfigured
	in.Locations[6].LaborFee = 2_500
	for i := range in.Locations {
		l := &in.Locations[i]
		l.IIDDaily, l.PAMDaily, l.LossProtectionDaily = 310, 500, 16
		if l.TaxPPM > 0 {
			l.TaxedFees = []account.FeeKind{account.EquipmentFee, account.ServiceFee}
		}
		for _, f := range []account.Fee{
			{Name: "Missed appointment", Kind: account.AdministrativeFee, Amount: 3_500},
			{Name: "Device relocation", Kind: account.ServiceFee, Amount: 4_500},
			{Name: "Lost handset", Kind: account.EquipmentFee, Amount: 12_500},
			{Name: "Mouthpieces, ten", Kind: account.EquipmentFee, Amount: 1_200},
			{Name: "Returned payment", Kind: account.AdministrativeFee, Amount: 2_500},
		} {
			f.ID, f.LocationID = fmt.Sprintf("fee-%s-%d", l.ID, len(in.Fees)), l.ID
			in.Fees = append(in.Fees, f)
		}
	}

	t := town{&in, now}
	t.client("100042", "Dana", "Whitfield", "en", "0142", "")
	t.vehicle("veh_dana_civic", "100042", "VA-RIC", "2016 Honda Civic", "ABC-1234", 310)
	t.client("100043", "Marcus", "Bell", "en", "0143", "Calls in the evening.")
	t.vehicle("veh_marcus_f150", "100043", "FL-TPA", "2014 Ford F-150", "KTL-7710", 241).LossProtectionDaily = 16
	t.vehicle("veh_marcus_camry", "100043", "FL-TPA", "2019 Toyota Camry", "KTL-7711", 241).LossProtectionDaily = 16
	t.client("100044", "Tess", "Okafor", "en", "0144", "")
	t.vehicle("veh_tess_rav4", "100044", "MD-BAL", "2018 Toyota RAV4", "5CM-0931", 250)
	t.client("100045", "Omar", "Haddad", "en", "0145", "")
	pam := t.vehicle("veh_omar_pam", "100045", "PA-HAR", "Portable monitor", "", 500)
	pam.Program, pam.PlateState = account.PAM, ""
	t.client("100046", "Lucía", "Serrano", "es", "0146", "Prefiere español.")
	t.vehicle("veh_lucia_sentra", "100046", "OR-PDX", "2015 Nissan Sentra", "604-KQR", 285)
	t.client("100047", "Hal", "Brandt", "en", "0147", "").AutoPayDays = 30
	t.vehicle("veh_hal_outback", "100047", "VA-RIC", "2017 Subaru Outback", "HVB-2204", 310)
	t.client("100048", "Ines", "Moreau", "en", "0148", "")
	t.vehicle("veh_ines_corolla", "100048", "NC-RAL", "2012 Toyota Corolla", "PDM-4416", 250)
	t.client("100049", "Paul", "Nakamura", "en", "0149", "")
	t.vehicle("veh_paul_ram", "100049", "VA-RIC", "2013 Ram 1500", "WQZ-5518", 310)
	t.client("100050", "Rita", "Kowalski", "en", "0150", "").Collections = true
	t.vehicle("veh_rita_focus", "100050", "VA-RIC", "2011 Ford Focus", "JTB-8093", 310)
	t.client("100051", "Gene", "Abernathy", "en", "0151", "")
	gene := t.vehicle("veh_gene_silverado", "100051", "TN-KNX", "2010 Chevrolet Silverado", "6R8-2K4", 335)
	gene.PaidTo = gene.PaidTo.AddDays(-8)

	t.client("100052", "Noor", "Castellanos", "en", "0152", "")
	t.vehicle("veh_noor_elantra", "100052", "VA-RIC", "2020 Hyundai Elantra", "NKC-3107", 310)
	t.client("100053", "June", "Calloway", "en", "0153", "")
	t.vehicle("veh_june_mazda3", "100053", "VA-RIC", "2018 Mazda 3", "JLC-6642", 295)
	t.client("100054", "Mateo", "Rivas", "es", "0154", "")
	t.vehicle("veh_mateo_corolla", "100054", "OR-PDX", "2017 Toyota Corolla", "821-MRV", 285)

	in.Entries = []ledger.Entry{
		ledger.Open("entry-demo-100043", "100043", 4_237, 0, now),
		ledger.Open("entry-demo-100048", "100048", 0, 13_455, now),
	}
	in.OptedOut = []phone.Number{number("0149")}
	for _, c := range in.Clients {
		if c.ID == "100053" || c.ID == "100054" { // not invited yet
			continue
		}
		in.Access = append(in.Access, account.Access{ClientID: c.ID, PasswordHash: hash(), PasswordAt: now})
	}
	t.history("100042", "veh_dana_civic", []past{{"link", 30, 30, 9_300, 558}, {"autopay", 60, 30, 9_300, 558}, {"center", 74, 14, 4_340, 260}})
	t.history("100052", "veh_noor_elantra", []past{{"autopay", 30, 30, 9_300, 558}, {"link", 60, 30, 9_300, 558}})
	t.owes("100052", "veh_noor_elantra", 9, ledger.Line{Kind: "fee_administrative", Label: "Missed appointment", Count: 1, Amount: 3_500}, 0)
	t.owes("100052", "veh_noor_elantra", 2, ledger.Line{Kind: "fee_equipment", Label: "Mouthpieces, ten", Count: 2, Amount: 2_400}, 144)
	t.history("100046", "veh_lucia_sentra", []past{{"center", 30, 30, 8_550, 0}})
	t.hours()
	t.appointments()
	return in
}

type town struct {
	in  *sqldb.Import
	now time.Time
}

func location(id, name, zone string, taxPPM int64, monthlyCap money.Cents) account.Location {
	l := account.Location{
		ID: id, Name: name, State: id[:2], Zone: zone, Payments: account.Configured, TaxPPM: taxPPM, LossProtectionTaxable: true,
	}
	if monthlyCap > 0 {
		l.MonitoringCapMonthly = &monthlyCap
	}
	return l
}

func number(last4 string) phone.Number { return phone.Stored("+1804555" + last4) }

func (t town) client(id, first, last, language, last4, notes string) *account.Client {
	t.in.Clients = append(t.in.Clients, account.Client{
		ID: id, FirstName: first, LastName: last, Language: language, Email: id + "@clients.interlane.example", Phone: number(last4), Notes: notes,
	})
	return &t.in.Clients[len(t.in.Clients)-1]
}

func (t town) vehicle(id, clientID, locationID, label, plate string, daily money.Cents) *account.Vehicle {
	v := account.Vehicle{ID: id, ClientID: clientID, LocationID: locationID, Label: label, Plate: plate, PlateState: locationID[:2], Program: account.IID, DailyRate: daily}
	for _, l := range t.in.Locations {
		if l.ID == locationID {
			v.PaidTo = l.Today(t.now)
		}
	}
	t.in.Vehicles = append(t.in.Vehicles, v)
	return &t.in.Vehicles[len(t.in.Vehicles)-1]
}

// past is an invoice from before the demonstration: how it was paid, how many days ago, for how many days.
type past struct {
	door          string
	ago, days     int
	subtotal, tax money.Cents
}

func (t town) history(clientID, vehicleID string, invoices []past) {
	for i, p := range invoices {
		at := t.now.AddDate(0, 0, -p.ago)
		id := fmt.Sprintf("inv-demo-%s-%d", vehicleID, i)
		issued := ledger.Invoice{
			ID: id, Number: at.Format("060102-") + ledger.Code(id), ClientID: clientID, VehicleID: vehicleID, Door: p.door, IssuedAt: at,
			Lines: []ledger.Line{{Kind: "monitoring", Days: p.days, Amount: p.subtotal}}, Subtotal: p.subtotal, Tax: p.tax, Total: p.subtotal + p.tax,
		}
		for _, v := range t.in.Vehicles {
			if v.ID == vehicleID {
				issued.PaidToFrom = v.PaidTo.AddDays(-p.ago)
				issued.PaidTo = issued.PaidToFrom.AddDays(p.days)
				issued.Vehicle = v.Label
				t.issuedAt(&issued, v.LocationID)
			}
		}
		t.in.Invoices = append(t.in.Invoices, issued)
	}
}

// owes adds an invoice of a fee that is not paid yet, issued some days ago.
func (t town) owes(clientID, vehicleID string, ago int, line ledger.Line, tax money.Cents) {
	at := t.now.AddDate(0, 0, -ago)
	id := fmt.Sprintf("inv-demo-%s-fee-%d", clientID, ago)
	i := ledger.Invoice{
		ID: id, Number: at.Format("060102-") + ledger.Code(id), ClientID: clientID, VehicleID: vehicleID, IssuedAt: at, Lines: []ledger.Line{line}, Subtotal: line.Amount, Tax: tax, Total: line.Amount + tax,
	}
	for _, v := range t.in.Vehicles {
		if v.ID == vehicleID {
			i.Vehicle = v.Label
			t.issuedAt(&i, v.LocationID)
		}
	}
	e := ledger.Entry{ID: "entry-" + id, ClientID: clientID, Cause: "invoice " + id, At: at}
	e.Add(ledger.Receivable, i.Total)
	e.Add(ledger.RevenueFees, -i.Subtotal)
	e.Add(ledger.TaxPayable, -i.Tax)
	t.in.Invoices, t.in.Entries = append(t.in.Invoices, i), append(t.in.Entries, e)
}

// issuedAt says where an invoice was issued, at what rate.
func (t town) issuedAt(i *ledger.Invoice, locationID string) {
	for _, l := range t.in.Locations {
		if l.ID == locationID {
			i.LocationID, i.Location, i.Zone, i.TaxPPM = l.ID, l.Name, l.Zone, l.TaxPPM
		}
	}
}

// hash is Password's, salted by a constant and made once: demonstrations start quickly, and so do the many towns of a test.
var hash = sync.OnceValue(func() string { return staff.HashPassword(Password, []byte("interlane-salt-0")) })

// Staff is everybody who works in the town; the login is the role's name. Their passwords are Password.
func Staff() []staff.Member {
	var out []staff.Member
	for role, name := range map[staff.Role]string{
		staff.Agent: "J. Ortiz", staff.Lead: "M. Castellano", staff.Supervisor: "P. Lindqvist", staff.Finance: "A. Rahman", staff.Admin: "K. Duarte", staff.Auditor: "S. Whitcombe",
	} {
		out = append(out, staff.Member{
			ID: "staff-" + string(role), Login: string(role), Name: name, Team: "Team East", Role: role, PasswordHash: hash(), Email: string(role) + "@interlane.example",
		})
	}
	return out
}
