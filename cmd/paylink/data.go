package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"paylink/internal/account"
	"paylink/internal/appointment"
	"paylink/internal/day"
	"paylink/internal/ledger"
	"paylink/internal/money"
	"paylink/internal/phone"
	"paylink/internal/seal"
	"paylink/internal/sqldb"
	"paylink/internal/staff"
)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// openDatabase opens the database of the settings for a command that needs nothing else, and migrates it. Where it can't, it says why, and the database is nil:
// the command returns status.
func openDatabase(ctx context.Context, args []string, getenv func(string) (string, bool), stderr io.Writer) (db *sqldb.DB, status int) {
	if db, status = openAsItIs(ctx, args, getenv, stderr); db == nil {
		return nil, status
	}
	if err := db.Migrate(ctx); err != nil {
		return nil, notStarted(stderr, errors.Join(err, db.Close()))
	}
	return db, done
}

// openAsItIs is openDatabase without migrating.
func openAsItIs(ctx context.Context, args []string, getenv func(string) (string, bool), stderr io.Writer) (db *sqldb.DB, status int) {
	v, err := read(args, getenv, stderr, "DATABASE_URL")
	if errors.Is(err, errHelp) {
		return nil, done
	}
	if err != nil {
		return nil, complain(stderr, err)
	}
	if err := sqldb.CheckURL(v["DATABASE_URL"]); err != nil {
		return nil, complain(stderr, err)
	}
	// Nothing that these commands write is sealed; the service's keys are not asked for.
	var none [seal.KeyBytes]byte
	unused, err := seal.New(none[:])
	if err != nil {
		return nil, notStarted(stderr, err)
	}
	db, err = sqldb.Open(ctx, sqldb.Config{URL: v["DATABASE_URL"], Now: time.Now, DatabaseClock: true, Keys: unused, NewID: newID, MaxConns: 2, Changed: func(string) {}})
	if err != nil {
		return nil, notStarted(stderr, err)
	}
	return db, done
}

func migrate(args []string, getenv func(string) (string, bool), stdout, stderr io.Writer) int {
	db, status := openDatabase(context.Background(), args, getenv, stderr)
	if db == nil {
		return status
	}
	fmt.Fprintln(stdout, "the schema is up to date")
	return closed(db, stderr)
}

func closed(db *sqldb.DB, stderr io.Writer) int {
	if err := db.Close(); err != nil {
		fmt.Fprintln(stderr, "paylink:", err)
		return failed
	}
	return done
}

// staffCommand is "staff add -login L -name N -role R [-team T] [-email E] [-own]", with the password on standard input, so that it stands in no shell history. It is a temporary one, which
// its owner changes at the first sign-in, within a week; with -own, its owner has typed it.
func staffCommand(args []string, getenv func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("paylink staff add", flag.ContinueOnError)
	flags.SetOutput(stderr)
	login, name := flags.String("login", "", "what the person signs in with"), flags.String("name", "", "first and last name")
	role, team := flags.String("role", "agent", "agent, lead, supervisor, finance, admin or auditor"), flags.String("team", "", "team")
	email := flags.String("email", "", "e-mail address, by which the company's own sign-in knows the person")
	own := flags.Bool("own", false, "the password is the person's own, and not a temporary one")
	if len(args) == 0 || args[0] != "add" {
		fmt.Fprintln(stderr, "paylink: the command is: paylink staff add -login LOGIN -name NAME -role ROLE [-team TEAM] [-email ADDRESS] [-own] < password")
		return misuse
	}
	if err := flags.Parse(args[1:]); err != nil {
		return misuse
	}
	roles := []staff.Role{staff.Agent, staff.Lead, staff.Supervisor, staff.Finance, staff.Admin, staff.Auditor}
	password, err := bufio.NewReader(io.LimitReader(stdin, 4096)).ReadString('\n')
	password = strings.TrimRight(password, "\r\n")
	var problems []error
	if err != nil && !errors.Is(err, io.EOF) {
		problems = append(problems, errors.New("the password can't be read from standard input"))
	}
	if *login == "" || *name == "" {
		problems = append(problems, errors.New("-login and -name are required"))
	}
	if !slices.Contains(roles, staff.Role(*role)) {
		problems = append(problems, errors.New("-role must be agent, lead, supervisor, finance, admin or auditor"))
	}
	m := staff.Member{
		ID: newID(), Login: strings.ToLower(*login), Name: *name, Team: *team, Email: strings.ToLower(strings.TrimSpace(*email)), Role: staff.Role(*role), MustChange: !*own,
	}
	if err := m.CheckNew(password, ""); err != nil {
		problems = append(problems, fmt.Errorf("the password on standard input can't be used: %w", err))
	}
	if len(problems) > 0 {
		return complain(stderr, errors.Join(problems...))
	}
	ctx := context.Background()
	db, status := openDatabase(ctx, nil, getenv, stderr)
	if db == nil {
		return status
	}
	salt := make([]byte, staff.SaltBytes)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	m.PasswordHash = staff.HashPassword(password, salt)
	err = db.AddMember(ctx, m)
	if err != nil {
		fmt.Fprintln(stderr, "paylink:", err)
		return max(failed, closed(db, stderr))
	}
	fmt.Fprintf(stdout, "%s may sign in as %s\n", *name, *role)
	if m.MustChange {
		fmt.Fprintln(stdout, "the password is a temporary one: it is good for a week, and is changed at the first sign-in")
	}
	return closed(db, stderr)
}

// importFile is the form of an import: amounts in cents, rates in parts per million, dates as 2006-01-02. What is in the database already stays as it is.
type importFile struct {
	Locations []struct {
		account.Location
		Name          string `json:"name"`
		State         string `json:"state"`
		Zone          string `json:"time_zone"`
		StripeAccount string `json:"stripe_account"`

		Address string `json:"address"`
		Phone   string `json:"phone"` // of its desk; "": not known
		Hours   []struct {
			Days   []string `json:"days"`   // "mon"
			Opens  string   `json:"opens"`  // "08:00", by the location's clock
			Closes string   `json:"closes"` // "24:00" is midnight
			Bays   int      `json:"bays"`
		} `json:"hours"`

		IIDDaily            money.Cents       `json:"iid_daily"`
		PAMDaily            money.Cents       `json:"pam_daily"`
		LossProtectionDaily money.Cents       `json:"loss_protection_daily"`
		TaxedFees           []account.FeeKind `json:"taxed_fees"`
		Fees                []struct {
			ID     string          `json:"id"`
			Name   string          `json:"name"`
			Kind   account.FeeKind `json:"kind"`
			Amount money.Cents     `json:"amount"`
		} `json:"fees"`
	} `json:"locations"`
	Clients []struct {
		ID          string      `json:"id"`
		FirstName   string      `json:"first_name"`
		LastName    string      `json:"last_name"`
		Language    string      `json:"language"`
		Email       string      `json:"email"`
		Phone       string      `json:"phone"`
		TaxExempt   bool        `json:"tax_exempt"`
		Collections bool        `json:"collections"`
		AutoPayDays int         `json:"auto_pay_days"`
		Notes       string      `json:"notes"`
		PastDue     money.Cents `json:"past_due"` // opening balance
		Credit      money.Cents `json:"credit"`   // opening balance
		OptedOut    bool        `json:"opted_out_of_texts"`
		Vehicles    []struct {
			account.Vehicle
			ID         string `json:"id"`
			LocationID string `json:"location"`
			Label      string `json:"label"`
			Plate      string `json:"plate"`
			PlateState string `json:"plate_state"`
		} `json:"vehicles"`
	} `json:"clients"`
}

func importFiles(args []string, getenv func(string) (string, bool), stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprintln(stderr, "paylink: the command is: paylink import FILE…")
		return misuse
	}
	var in sqldb.Import
	var problems []error
	now := time.Now()
	for _, name := range args {
		b, err := os.ReadFile(name) // #nosec G304 G703 -- the operator names the files to import
		if err != nil {
			problems = append(problems, err)
			continue
		}
		var f importFile
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.DisallowUnknownFields()
		if err := d.Decode(&f); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
			continue
		}
		if err := f.addTo(&in, now); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		for _, one := range flatten(err) {
			fmt.Fprintln(stderr, "paylink import:", one)
		}
		return failed
	}
	ctx := context.Background()
	db, status := openDatabase(ctx, nil, getenv, stderr)
	if db == nil {
		return status
	}
	if err := db.Import(ctx, in); err != nil {
		fmt.Fprintln(stderr, "paylink import: nothing was imported:", err)
		return max(failed, closed(db, stderr))
	}
	fmt.Fprintf(stdout, "imported %d locations, %d clients, %d vehicles; those that were in the database already stay as they were\n", len(in.Locations), len(in.Clients), len(in.Vehicles))
	return closed(db, stderr)
}

// weekdays are the days of the week in the order of time.Weekday.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// minutes reads a time of day, "08:30", as minutes after midnight; "24:00" is the next midnight.
func minutes(s string) (int, error) {
	if s == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", s)
	return t.Hour()*60 + t.Minute(), err
}

var errFeeKind = errors.New("must be service, equipment or administrative")

func (f importFile) addTo(in *sqldb.Import, now time.Time) error {
	var problems []error
	for _, l := range f.Locations {
		if _, err := time.LoadLocation(l.Zone); err != nil || l.Zone == "" {
			problems = append(problems, fmt.Errorf("location %s: time_zone must be one such as America/New_York", l.ID))
		}
		l.Location.Name, l.Location.State, l.Location.Zone, l.Location.StripeAccount = l.Name, l.State, l.Zone, l.StripeAccount
		l.Location.IIDDaily, l.Location.PAMDaily, l.Location.LossProtectionDaily, l.Location.TaxedFees = l.IIDDaily, l.PAMDaily, l.LossProtectionDaily, l.TaxedFees
		l.Location.Address = l.Address
		if l.Phone != "" {
			number, err := phone.ParseLine(l.Phone)
			if err != nil {
				problems = append(problems, fmt.Errorf("location %s: phone: %w", l.ID, err))
			}
			l.Location.Phone = number
		}
		for _, h := range l.Hours {
			opens, err := minutes(h.Opens)
			closes, closesErr := minutes(h.Closes)
			if err != nil || closesErr != nil || closes <= opens || h.Bays < 1 || len(h.Days) == 0 {
				problems = append(problems, fmt.Errorf("location %s: hours need days, opens before closes, as in 08:00, and at least one bay", l.ID))
				continue
			}
			for _, name := range h.Days {
				weekday := slices.Index(weekdays, name)
				if weekday < 0 {
					problems = append(problems, fmt.Errorf("location %s: hours: days are %s", l.ID, strings.Join(weekdays, ", ")))
				}
				in.Hours = append(in.Hours, appointment.Hours{LocationID: l.ID, Weekday: time.Weekday(weekday), Opens: opens, Closes: closes, Bays: h.Bays})
			}
		}
		in.Locations = append(in.Locations, l.Location)
		if l.IIDDaily < 0 || l.PAMDaily < 0 || l.LossProtectionDaily < 0 {
			problems = append(problems, fmt.Errorf("location %s: list prices must not be negative", l.ID))
		}
		for _, kind := range l.TaxedFees {
			if !slices.Contains(account.FeeKinds(), kind) {
				problems = append(problems, fmt.Errorf("location %s: taxed_fees: %w", l.ID, errFeeKind))
			}
		}
		for _, one := range l.Fees {
			if !slices.Contains(account.FeeKinds(), one.Kind) {
				problems = append(problems, fmt.Errorf("fee %s: kind: %w", one.ID, errFeeKind))
			}
			if one.ID == "" || one.Name == "" || one.Amount <= 0 {
				problems = append(problems, fmt.Errorf("location %s: a fee needs an id, a name and an amount above zero", l.ID))
			}
			in.Fees = append(in.Fees, account.Fee{ID: one.ID, LocationID: l.ID, Name: one.Name, Kind: one.Kind, Amount: one.Amount})
		}
	}
	for _, c := range f.Clients {
		number, err := phone.Parse(c.Phone)
		if err != nil {
			problems = append(problems, fmt.Errorf("client %s: phone: %w", c.ID, err))
		}
		if c.PastDue < 0 || c.Credit < 0 {
			problems = append(problems, fmt.Errorf("client %s: past_due and credit must not be negative", c.ID))
		}
		in.Clients = append(in.Clients, account.Client{
			ID: c.ID, FirstName: c.FirstName, LastName: c.LastName, Language: c.Language, Email: c.Email, Phone: number, TaxExempt: c.TaxExempt, Collections: c.Collections,
			AutoPayDays: c.AutoPayDays, Notes: c.Notes,
		})
		if e := ledger.Open(newID(), c.ID, c.PastDue, c.Credit, now); len(e.Postings) > 0 {
			in.Entries = append(in.Entries, e)
		}
		if c.OptedOut {
			in.OptedOut = append(in.OptedOut, number)
		}
		for _, v := range c.Vehicles {
			if _, err := day.Parse(string(v.PaidTo)); err != nil {
				problems = append(problems, fmt.Errorf("vehicle %s: paid_to: %w", v.ID, err))
			}
			v.Vehicle.ID, v.Vehicle.ClientID, v.Vehicle.LocationID, v.Vehicle.Label, v.Vehicle.Plate, v.Vehicle.PlateState = v.ID, c.ID, v.LocationID, v.Label, v.Plate, v.PlateState
			in.Vehicles = append(in.Vehicles, v.Vehicle)
		}
	}
	return errors.Join(problems...)
}
