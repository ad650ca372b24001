package sqldb_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/desk/admin"
	"paylink/internal/lang"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// administered is the administrators' desk on a store, with two administrators.
func administered(b *books) (d *admin.Desk, one, two staff.Member) {
	b.Helper()
	one = staff.Member{ID: "s1", Login: "ana", Name: "Ana Ruiz", Role: staff.Admin, PasswordHash: "old", Version: 1}
	two = staff.Member{ID: "s2", Login: "ben", Name: "Ben Shaw", Role: staff.Admin, PasswordHash: "old", Version: 1}
	b.must(b.AddMember(b.ctx, one))
	b.must(b.AddMember(b.ctx, two))
	return &admin.Desk{Store: b.DB, NewID: newID, Password: func() string { return "a temporary password" }, Salt: func() []byte { return []byte("0123456789abcdef") }}, one, two
}

// waits returns once a transaction waits for another. SQLite's come one after the other by themselves.
func (b *books) waits() {
	b.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for b.postgres() && b.count(`SELECT COUNT(*) FROM pg_locks WHERE NOT granted`) == 0 {
		if time.Now().After(deadline) {
			b.Fatal("nobody waits")
		}
	}
}

// said is the last thing that the trail says of an object.
func (b *books) said(object string) string {
	b.Helper()
	var who, act, refused, detail string
	b.must(b.raw.QueryRowContext(b.ctx, `SELECT actor_id, act, refused, detail FROM trail WHERE object = $1 ORDER BY at_ms DESC, n DESC LIMIT 1`, object).Scan(&who, &act, &refused, &detail))
	return strings.Join([]string{who, act, refused, detail}, "|")
}

func TestStaffAreAddedChangedAndKeptOut(t *testing.T) {
	onBoth(t, func(b *books) {
		d, ana, ben := administered(b)
		p := admin.Person{Login: " JOrtiz ", Name: " J.  Ortiz ", Role: staff.Supervisor, Team: "Team East", Email: "J@Interlane.example", Phone: "804 555 0170", Teams: []string{"Team East"}, Locations: []string{"VA-RIC", "FL-TPA"}}
		m, password, err := d.AddStaff(b.ctx, ana, p)
		b.must(err)
		got, err := b.MemberByLogin(b.ctx, "jortiz")
		b.must(err)
		if fits, err := staff.CheckPassword(password, got.PasswordHash); err != nil || !fits || !got.MustChange {
			b.Errorf("the temporary password fits: %v, %v; it must be changed: %v", fits, err, got.MustChange)
		}
		if got.Name != "J. Ortiz" || got.Email != "j@interlane.example" || got.Phone != phone.Stored("+18045550170") || strings.Join(got.Locations, " ") != "FL-TPA VA-RIC" || strings.Join(got.Teams, " ") != "Team East" {
			b.Errorf("%+v", got)
		}
		if said := b.said(m.ID); !strings.HasPrefix(said, "s1|add staff||Login: jortiz; Name: J. Ortiz; Role: Supervisor") || !strings.Contains(said, "Phone: ••0170") || strings.Contains(said, password) || strings.Contains(said, "5550170") {
			b.Errorf("the trail says %q", said)
		}
		var wrong admin.Wrong
		if _, _, err := d.AddStaff(b.ctx, ana, admin.Person{Login: "jortiz", Name: "Jo", Role: staff.Agent}); !errors.As(err, &wrong) || wrong["login"] == "" {
			b.Errorf("a login that is taken: %v", err)
		}
		if _, _, err := d.AddStaff(b.ctx, ana, admin.Person{Login: "jo", Name: "Jo", Role: staff.Agent, Email: "j@interlane.example"}); !errors.As(err, &wrong) || wrong["email"] == "" {
			b.Errorf("an address that is taken: %v", err)
		}

		p.Role, p.Phone = staff.Lead, "804 555 0171"
		b.must(d.ChangeStaff(b.ctx, ben, m.ID, 1, p))
		if said, want := b.said(m.ID), "s2|change staff||Role: Supervisor → Lead; Teams seen: Team East → none; Phone: ••0170 → ••0171"; said != want {
			b.Errorf("the trail says %q, want %q", said, want)
		}
		b.must(d.ChangeStaff(b.ctx, ben, m.ID, 2, p)) // nothing is different
		if n := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'change staff'`); n != 1 {
			b.Errorf("%d entries of one change", n)
		}
		if err := d.ChangeStaff(b.ctx, ana, m.ID, 1, p); !errors.Is(err, admin.ErrChanged) {
			b.Errorf("a form that shows what was before: %v", err)
		}
		if said := b.said(m.ID); said != "s1|change staff|"+admin.ErrChanged.Error()+"|" {
			b.Errorf("the trail says %q", said)
		}

		for _, table := range []string{
			`INSERT INTO totp (owner_kind, owner_id, box, last_step, since_ms) VALUES ('staff', $1, 'box', 0, 1)`,
			`INSERT INTO recovery_codes (owner_kind, owner_id, digest, used_ms) VALUES ('staff', $1, 'digest', 0)`,
			`INSERT INTO passkeys (id, owner_kind, owner_id, name, credential, added_ms, used_ms) VALUES ('key of ' || $1, 'staff', $1, 'Phone', '{}', 1, 0)`,
			`INSERT INTO sign_on (issuer, subject, staff_id) VALUES ('https://id.example', $1, $1)`,
		} {
			b.must(b.exec(table, m.ID))
			b.must(b.exec(table, "s2"))
		}
		version, last := int64(2), got.Since
		for _, c := range []struct {
			act      admin.StaffAct
			over     bool
			disabled bool
			said     string
		}{
			{admin.EndSessions, true, false, "s1|end sessions||"},
			{admin.NewPassword, true, false, "s1|give temporary password||"},
			{admin.DropFactors, true, false, "s1|remove second factors||Authenticator app: on → off; Passkeys: 1 → 0; Company accounts: 1 → 0"},
			{admin.Disable, true, true, "s1|disable staff||Disabled: no → yes"},
			{admin.Enable, false, false, "s1|enable staff||Disabled: yes → no"},
		} {
			if _, err := d.Act(b.ctx, ana, m.ID, version-1, c.act); !errors.Is(err, admin.ErrChanged) {
				b.Errorf("%s, of a page that shows what was before: %v", c.act, err)
			}
			password, err := d.Act(b.ctx, ana, m.ID, version, c.act)
			b.must(err)
			now, err := b.Member(b.ctx, m.ID)
			b.must(err)
			if now.Since.After(last) != c.over || now.Disabled != c.disabled || now.Version != version+1 || (password != "") != (c.act == admin.NewPassword) {
				b.Errorf("%s: %+v", c.act, now)
			}
			if said := b.said(m.ID); said != c.said {
				b.Errorf("the trail says %q, want %q", said, c.said)
			}
			version, last = now.Version, now.Since
		}
		for table, id := range map[string]string{"totp": "owner_id", "recovery_codes": "owner_id", "passkeys": "owner_id", "sign_on": "staff_id"} {
			if n, others := b.count(`SELECT COUNT(*) FROM `+table+` WHERE `+id+` = $1`, m.ID), b.count(`SELECT COUNT(*) FROM `+table+` WHERE `+id+` = 's2'`); n != 0 || others != 1 {
				b.Errorf("%s: %d are left, and %d of somebody else", table, n, others)
			}
		}
		for name, f := range map[string]func() error{
			"an agent":          func() error { _, err := d.Act(b.ctx, got, "s2", 1, admin.Disable); return err },
			"nobody to disable": func() error { _, err := d.Act(b.ctx, ana, "nobody", 1, admin.Disable); return err },
		} {
			if err := f(); !errors.Is(err, staff.ErrNotAllowed) && !errors.Is(err, staff.ErrNotFound) {
				b.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Two administrators who take each other away at the same moment: one of them is too late.
func TestTheLastAdministratorCantBeLost(t *testing.T) {
	onBoth(t, func(b *books) {
		d, ana, ben := administered(b)
		for _, f := range []func() error{
			func() error { _, err := d.Act(b.ctx, ana, "s1", 1, admin.Disable); return err },
			func() error {
				return d.ChangeStaff(b.ctx, ana, "s1", 1, admin.Person{Name: "Ana Ruiz", Role: staff.Auditor})
			},
			func() error { _, err := d.Act(b.ctx, ana, "s1", 1, admin.NewPassword); return err },
			func() error { _, err := d.Act(b.ctx, ana, "s1", 1, admin.DropFactors); return err },
		} {
			if err := f(); !errors.Is(err, admin.ErrSelf) {
				b.Errorf("to oneself: %v", err)
			}
		}
		var errs [2]error
		var both sync.WaitGroup
		for i, c := range [][2]staff.Member{{ana, ben}, {ben, ana}} {
			both.Go(func() {
				if i == 0 {
					_, errs[i] = d.Act(b.ctx, c[0], c[1].ID, 1, admin.Disable)
				} else {
					errs[i] = d.ChangeStaff(b.ctx, c[0], c[1].ID, 1, admin.Person{Name: c[1].Name, Role: staff.Agent})
				}
			})
		}
		both.Wait()
		if n := b.count(`SELECT COUNT(*) FROM staff WHERE role = 'admin' AND disabled = 0`); n != 1 {
			b.Errorf("%d administrators are left (%v, %v)", n, errs[0], errs[1])
		}
		if (errs[0] == nil) == (errs[1] == nil) {
			b.Errorf("they end as %v and %v", errs[0], errs[1])
		}
	})
}

func TestALocationIsChangedAgainstWhatWasShown(t *testing.T) {
	onBoth(t, func(b *books) {
		d, ana, ben := administered(b)
		site := admin.Site{ID: "oh-cle", Name: "Cleveland, OH", State: "OH", Zone: "America/New_York", Payments: account.Configured, StripeAccount: "acct_1ClevelandInterlane", TaxedFees: []account.FeeKind{account.EquipmentFee}}
		id, err := d.AddLocation(b.ctx, ana, site)
		b.must(err)
		var wrong admin.Wrong
		if _, err := d.AddLocation(b.ctx, ana, site); !errors.As(err, &wrong) || wrong["id"] == "" {
			b.Errorf("an id that is taken: %v", err)
		}
		site.Payments = account.Suspended
		b.must(d.ChangeLocation(b.ctx, ana, id, 1, site))
		if said := b.said(id); said != "s1|change location||Payments: Configured → Suspended" {
			b.Errorf("the trail says %q", said)
		}
		if err := d.ChangeLocation(b.ctx, ben, id, 1, site); !errors.Is(err, admin.ErrChanged) {
			b.Errorf("the second: %v", err)
		}
		l, err := b.Location(b.ctx, "OH-CLE")
		b.must(err)
		if l.Payments != account.Suspended || l.StripeAccount != site.StripeAccount || len(l.TaxedFees) != 1 || l.Version != 2 || l.Zone != site.Zone {
			b.Errorf("%+v", l)
		}
		for _, bad := range []admin.Site{{Zone: "America/Nowhere"}, {Zone: ""}, {Zone: "Local"}} {
			bad.Name, bad.State, bad.Payments = "X", "OH", account.Configured
			if err := d.ChangeLocation(b.ctx, ana, id, 2, bad); !errors.As(err, &wrong) || wrong["zone"] == "" {
				b.Errorf("zone %q: %v", bad.Zone, err)
			}
		}

		// A Stripe account stays while a payment of the location is under way.
		p := b.sent("100042", "veh_dana_civic")
		richmond := admin.Site{Name: "Richmond, VA", State: "VA", Zone: "America/New_York", Payments: account.Configured, StripeAccount: "acct_1RichmondInterlane"}
		if err := d.ChangeLocation(b.ctx, ana, "VA-RIC", 1, richmond); !errors.Is(err, admin.ErrInFlight) {
			b.Errorf("the account, while a link is live: %v", err)
		}
		b.must(b.change(p.ID, func(_ pay.View, c *pay.Change) { c.Life.State, c.Life.CancelDue = pay.Expired, true }))
		if err := d.ChangeLocation(b.ctx, ana, "VA-RIC", 1, richmond); !errors.Is(err, admin.ErrInFlight) {
			b.Errorf("the account, while a cancel is due: %v", err)
		}
		b.must(b.exec(`UPDATE payments SET next_ms = NULL WHERE id = $1`, p.ID))
		b.must(d.ChangeLocation(b.ctx, ana, "VA-RIC", 1, richmond))
	})
}

// What was read of a location before it was suspended begins no payment after.
func TestNothingBeginsAtALocationThatIsSuspendedMeanwhile(t *testing.T) {
	onBoth(t, func(b *books) {
		d, ana, _ := administered(b)
		suspend := admin.Site{Name: "Richmond, VA", State: "VA", Zone: "America/New_York", Payments: account.Suspended, TaxedFees: []account.FeeKind{account.EquipmentFee, account.ServiceFee}}
		suspended := make(chan error, 1)
		asked := 0
		_, err := b.Begin(b.ctx, "100042", "veh_dana_civic", newID(), func(s pay.Start) (pay.Begin, error) {
			if asked++; asked == 1 {
				go func() { suspended <- d.ChangeLocation(context.WithoutCancel(b.ctx), ana, "VA-RIC", 1, suspend) }()
				b.waits()
			}
			return b.first(s)
		})
		b.must(err) // it had begun before
		b.must(<-suspended)
		l, err := b.Location(b.ctx, "VA-RIC")
		b.must(err)
		if l.Payments != account.Suspended {
			b.Error("it was not suspended")
		}
	})
}

func TestVehiclesFollowAListPriceTheyPayExactly(t *testing.T) {
	onBoth(t, func(b *books) {
		d, ana, ben := administered(b)
		b.must(b.exec(`UPDATE vehicles SET daily_rate = 305 WHERE id = 'veh_hal_outback'`)) // pays something else
		l, err := b.Location(b.ctx, "VA-RIC")
		b.must(err)
		rates := admin.RatesOf(l)
		rates.TaxPPM, rates.IIDDaily, rates.LossProtectionDaily = 62_501, 325, 20
		look, err := d.LookAtRates(b.ctx, ana, "VA-RIC", 1, rates)
		b.must(err)
		paid := b.count(`SELECT COUNT(*) FROM vehicles WHERE location_id = 'VA-RIC' AND program = 'iid' AND daily_rate = 310`)
		if len(look.Changes) != 3 || len(look.Moves) != 1 || look.Moves[0] != (admin.Move{Price: admin.IIDPrice, From: 310, To: 325, Vehicles: paid}) || paid < 2 {
			b.Fatalf("%+v", look)
		}
		for name, follow := range map[string]map[admin.Price]int{"fewer": {admin.IIDPrice: paid - 1}, "what nobody pays": {admin.LossProtectionPrice: 1}, "what is not changed": {admin.PAMPrice: 1}} {
			if err := d.ChangeRates(b.ctx, ana, "VA-RIC", 1, rates, follow); !errors.Is(err, admin.ErrChanged) {
				b.Errorf("%s: %v", name, err)
			}
		}
		if n := b.count(`SELECT COUNT(*) FROM vehicles WHERE daily_rate = 325`); n != 0 {
			b.Fatalf("%d vehicles were moved", n)
		}
		p := b.sent("100042", "veh_dana_civic")
		b.must(d.ChangeRates(b.ctx, ana, "VA-RIC", 1, rates, map[admin.Price]int{admin.IIDPrice: paid}))
		if n := b.count(`SELECT COUNT(*) FROM vehicles WHERE location_id = 'VA-RIC' AND daily_rate = 325`); n != paid {
			b.Errorf("%d vehicles follow, want %d", n, paid)
		}
		if n := b.count(`SELECT COUNT(*) FROM vehicles WHERE (id = 'veh_hal_outback' AND daily_rate = 305) OR (location_id <> 'VA-RIC' AND daily_rate = 325)`); n != 1 {
			b.Errorf("others: %d", n)
		}
		if said, want := b.said("VA-RIC"), "Tax: 6% → 6.2501%; Interlock, a day: $3.10 → $3.25; Loss protection, a day: $0.16 → $0.20; Interlock, a day: also "; !strings.HasPrefix(said, "s1|change rates||"+want) {
			b.Errorf("the trail says %q", said)
		}
		if n := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'change daily rate' AND object = 'veh_dana_civic' AND client_id = '100042' AND detail LIKE '%$3.10 → $3.25%'`); n != 1 {
			b.Errorf("the client's trail says it %d times", n)
		}
		if err := d.ChangeRates(b.ctx, ben, "VA-RIC", 1, rates, nil); !errors.Is(err, admin.ErrChanged) {
			b.Errorf("the second administrator: %v", err)
		}
		v, err := b.View(b.ctx, p.ID)
		b.must(err)
		if v.Payment.Frozen.Input.Vehicle.DailyRate != 310 || v.Payment.Frozen.Input.Location.TaxPPM != 60_000 || !v.Payment.Holds(v.Facts) {
			b.Error("a payment that was sent does not keep its quote")
		}
		if problems, err := b.Verify(b.ctx, nil, func(string) {}); err != nil || problems.Broken > 0 {
			b.Errorf("the trail does not hold together: %v, %v", problems, err)
		}
	})
}

func TestAFeeThatIsChangedIsAnotherFee(t *testing.T) {
	onBoth(t, func(b *books) {
		d, ana, ben := administered(b)
		fee := func(name string) (f account.Fee) {
			b.Helper()
			at, err := b.ReadLocation(b.ctx, "VA-RIC")
			b.must(err)
			for _, one := range at.Fees {
				if one.Name == name && !one.Retired {
					f = one
				}
			}
			return f
		}
		old := fee("Lost handset")
		typed := admin.FeeTyped{Name: "Lost handset", Kind: account.EquipmentFee, Amount: 130_00}
		b.must(d.ChangeFee(b.ctx, ana, "VA-RIC", 1, old.ID, typed))
		now := fee("Lost handset")
		if now.ID == old.ID || now.Amount != 130_00 || b.count(`SELECT amount FROM fees WHERE id = $1 AND retired = 1`, old.ID) != 125_00 {
			b.Errorf("%+v after %+v", now, old)
		}
		if said := b.said("VA-RIC"); said != "s1|change fee||Lost handset: Amount: $125.00 → $130.00" {
			b.Errorf("the trail says %q", said)
		}
		var wrong admin.Wrong
		if err := d.AddFee(b.ctx, ana, "VA-RIC", 2, admin.FeeTyped{Name: " lost  HANDSET", Kind: account.EquipmentFee, Amount: 1}); !errors.As(err, &wrong) || wrong["name"] == "" {
			b.Errorf("a name that the list has: %v", err)
		}
		if err := d.RestoreFee(b.ctx, ana, "VA-RIC", 2, old.ID); !errors.As(err, &wrong) {
			b.Errorf("the old one, beside the new: %v", err)
		}
		if err := d.RetireFee(b.ctx, ben, "VA-RIC", 1, now.ID); !errors.Is(err, admin.ErrChanged) {
			b.Errorf("the second administrator: %v", err)
		}
		if err := d.ChangeFee(b.ctx, ana, "VA-RIC", 2, old.ID, typed); !errors.Is(err, admin.ErrChanged) {
			b.Errorf("one that is retired: %v", err)
		}
		b.must(d.RetireFee(b.ctx, ben, "VA-RIC", 2, now.ID))
		b.must(d.RestoreFee(b.ctx, ben, "VA-RIC", 3, old.ID))
		b.must(d.AddFee(b.ctx, ana, "VA-RIC", 4, admin.FeeTyped{Name: "Report", Kind: account.AdministrativeFee, Amount: 10_00}))
		if fee("Lost handset").ID != old.ID || fee("Report").Amount != 10_00 {
			b.Error("the list is not as it should be")
		}
	})
}

func TestTermsArePublishedOneAfterTheOther(t *testing.T) {
	onBoth(t, func(b *books) {
		d, ana, ben := administered(b)
		first := "Payment terms, version 1\nA note.\n\nOne\nText for {brand}.\n"
		for _, l := range lang.All {
			b.must(b.Terms(b.ctx, "1", string(l), first, admin.Version{Texts: map[lang.Lang]admin.Text{l: {SHA256: "hash"}}}.Texts[l].SHA256))
		}
		b.must(b.FirstTerms(b.ctx, "1"))
		b.must(b.FirstTerms(b.ctx, "1"))
		draft, err := d.NewTerms(b.ctx, ana, account.PaymentTerms)
		b.must(err)
		if draft.After != "1" || !strings.HasPrefix(draft.Sources[lang.English], "Payment terms, version 2\nA note.") {
			b.Errorf("%+v", draft)
		}
		var wrong admin.Wrong
		if err := d.Publish(b.ctx, ana, draft); !errors.As(err, &wrong) {
			b.Errorf("the text in force: %v", err)
		}
		for _, l := range lang.All {
			draft.Sources[l] = "Terms, version 2\r\n\r\nOne\r\nText for {brand}, other than before. Call {phone}."
		}
		var errs [2]error
		var both sync.WaitGroup
		for i, who := range []staff.Member{ana, ben} {
			both.Go(func() { errs[i] = d.Publish(b.ctx, who, draft) })
		}
		both.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || errs[0] != nil && !errors.Is(errs[0], admin.ErrChanged) || errs[1] != nil && !errors.Is(errs[1], admin.ErrChanged) {
			b.Errorf("two publish at once: %v and %v", errs[0], errs[1])
		}
		if err := b.PublishTerms(b.ctx, "1", admin.Version{Number: "3"}, trail.Entry{ID: newID()}); !errors.Is(err, admin.ErrChanged) {
			b.Errorf("after a version that is not the last: %v", err)
		}
		all, err := b.TermsVersions(b.ctx, account.PaymentTerms, 10)
		b.must(err)
		if len(all) != 2 || all[0].Number != "2" || all[1].Number != "1" || all[1].By != "" || all[0].By == "" {
			b.Errorf("%+v", all)
		}
		v, err := d.TermsVersion(b.ctx, ana, "2")
		b.must(err)
		if v.Texts[lang.Spanish].Source != "Terms, version 2\n\nOne\nText for {brand}, other than before. Call {phone}.\n" || v.Before == nil || v.Before.Texts[lang.English].Source != first {
			b.Errorf("%+v", v.Texts)
		}
		p := b.sent("100042", "veh_dana_civic")
		seen, err := b.View(b.ctx, p.ID)
		b.must(err)
		glance, err := b.Glance(b.ctx, p.ID, seen.Link.ID)
		b.must(err)
		if seen.Terms != "2" || glance.Terms != "2" {
			b.Errorf("in force is %q, and %q for the payer", seen.Terms, glance.Terms)
		}
	})
}

// Whoever publishes waits for a payer who is agreeing to the version before, so that nobody agrees to it after.
func TestTermsWaitForWhoAgreesToTheOnesBefore(t *testing.T) {
	onBoth(t, func(b *books) {
		d, _, _ := administered(b)
		b.must(b.Terms(b.ctx, "1", "en", "text", "hash"))
		b.must(b.FirstTerms(b.ctx, "1"))
		p := b.sent("100042", "veh_dana_civic")
		published := make(chan error, 1)
		b.must(b.Apply(b.ctx, p.ID, func(v pay.View) (pay.Change, error) {
			if v.Terms == "1" {
				go func() {
					published <- d.Store.PublishTerms(b.ctx, "1", admin.Version{Number: "2"}, trail.Entry{ID: newID(), Act: "publish terms", Object: "terms 2"})
				}()
				b.waits()
			}
			if n := b.count(`SELECT COUNT(*) FROM terms_in_force`); n != 1 {
				b.Error("they did not wait")
			}
			return pay.Change{Life: v.Payment.Life}, nil
		}))
		b.must(<-published)
	})
}
