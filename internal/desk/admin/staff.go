package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"paylink/internal/phone"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// ErrEmailTaken is returned where another person has the e-mail address.
var ErrEmailTaken = errors.New("somebody else has this e-mail address")

// Factors is what somebody proves who they are with, besides the password.
type Factors struct {
	Codes    bool // an authenticator app
	Passkeys int
	Accounts int // company accounts, of single sign-on
}

// StaffFacts is one of the staff within a change.
type StaffFacts struct {
	Member  staff.Member
	By      staff.Member // who changes them, as they are now, and stay until the change is done
	Factors Factors
	Now     time.Time
}

// StaffChange is how one of the staff is to be.
type StaffChange struct {
	Member      staff.Member // name, role, team, e-mail, phone, scopes, and whether disabled
	Hash        string       // of a temporary password; "": theirs stays
	Over        bool         // every session of theirs is over
	DropFactors bool
	Trail       trail.Entry
}

// Person is what an administrator types of somebody.
type Person struct {
	Login     string // of somebody new
	Name      string
	Role      staff.Role
	Team      string
	Email     string
	Phone     string // "": none
	Teams     []string
	Locations []string
}

// The lists are by commas where they are kept.
var (
	loginShape = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,39}$`)
	emailShape = regexp.MustCompile(`^[^\s@,]+@[^\s@,]+\.[^\s@,]+$`)
)

// member is m as typed.
func (p Person) member(m staff.Member, places []Place, w Wrong) staff.Member {
	m.Name = w.words("name", p.Name, "Enter first and last name.", 80)
	m.Team = w.words("team", p.Team, "", 60)
	if strings.Contains(m.Team, ",") {
		w["team"] = "A team’s name can’t hold a comma."
	}
	m.Role = p.Role
	if !slices.Contains(staff.Roles(), p.Role) {
		w["role"] = "Choose a role."
	}
	m.Email = strings.ToLower(strings.TrimSpace(p.Email))
	if m.Email != "" && (!emailShape.MatchString(m.Email) || len(m.Email) > 200 || trail.HoldsCardNumber(m.Email)) {
		w["email"] = "Enter an e-mail address such as j.ortiz@interlane.example."
	}
	m.Phone = phone.Number{}
	if typed := strings.TrimSpace(p.Phone); typed != "" {
		number, err := phone.Parse(typed)
		if err != nil {
			w["phone"] = "Enter a number with area code, such as 804 555 0142."
		}
		m.Phone = number
	}
	m.Teams, m.Locations = nil, nil
	switch p.Role { // for everybody else they would mean nothing
	case staff.Supervisor:
		m.Teams, m.Locations = p.Teams, p.Locations
	case staff.Lead:
		m.Locations = p.Locations
	}
	slices.Sort(m.Teams)
	slices.Sort(m.Locations)
	for _, id := range m.Locations {
		if !slices.ContainsFunc(places, func(l Place) bool { return l.ID == id }) {
			w["locations"] = "Choose from the list."
		}
	}
	if slices.ContainsFunc(m.Teams, func(team string) bool {
		return strings.Contains(team, ",") || strings.TrimSpace(team) == "" || len(team) > 200
	}) {
		w["teams"] = "Choose from the list."
	}
	return m
}

// StaffFields are what is told of one of the staff.
func StaffFields(m staff.Member) []Field {
	email := m.Email
	return []Field{
		{Name: "Login", Value: m.Login}, {Name: "Name", Value: trail.Masked(m.Name), exact: m.Name}, {Name: "Role", Value: RoleName(m.Role)}, {Name: "Team", Value: trail.Masked(m.Team), exact: m.Team},
		{Name: "Teams seen", Value: strings.Join(m.Teams, ", ")}, {Name: "Locations seen", Value: strings.Join(m.Locations, ", ")},
		{Name: "E-mail", Value: trail.Masked(email), exact: email}, {Name: "Phone", Value: m.Phone.String(), exact: m.Phone.E164()},
	}
}

// RoleName is a role as people read it.
func RoleName(r staff.Role) string {
	if r == "" {
		return ""
	}
	return strings.ToUpper(string(r[:1])) + string(r[1:])
}

// StaffSearch is which of the staff are listed.
type StaffSearch struct {
	Words    string
	Role     staff.Role // "": all
	Team     string     // "": all
	Disabled bool       // those alone
	Page     int        // from 0
}

// StaffList is a page of the staff, by name.
type StaffList struct {
	Members []staff.Member
	Found   int // on all pages
	More    bool
	Teams   []string
}

// StaffPage is how many are on a page.
const StaffPage = 50

// Staff lists those who work here. Errors: staff.ErrNotAllowed.
func (d *Desk) Staff(ctx context.Context, who staff.Member, s StaffSearch) (StaffList, error) {
	var out StaffList
	if err := d.may(ctx, who, staff.SeeAdmin, "see staff", ""); err != nil {
		return out, err
	}
	all, err := d.Store.Staff(ctx, listMost)
	if err != nil {
		return out, err
	}
	out.Teams = teams(all)
	words := strings.Fields(strings.ToLower(s.Words))
	for _, m := range all {
		text := strings.ToLower(m.Name + " " + m.Login + " " + m.Email)
		if s.Role != "" && m.Role != s.Role || s.Team != "" && m.Team != s.Team || s.Disabled && !m.Disabled ||
			slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) }) {
			continue
		}
		out.Members = append(out.Members, m)
	}
	slices.SortFunc(out.Members, func(a, b staff.Member) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Login, b.Login))
	})
	out.Found = len(out.Members)
	out.Members = out.Members[min(max(s.Page, 0)*StaffPage, out.Found):]
	if out.More = len(out.Members) > StaffPage; out.More {
		out.Members = out.Members[:StaffPage]
	}
	return out, nil
}

// teams are everybody's, each once.
func teams(all []staff.Member) []string {
	var out []string
	for _, m := range all {
		for _, team := range append([]string{m.Team}, m.Teams...) {
			if team != "" {
				out = append(out, team)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Desk's choices for a form of somebody's.
type StaffChoices struct {
	Teams  []string
	Places []Place
}

// Choices are what a form of somebody's offers. Errors: staff.ErrNotAllowed.
func (d *Desk) Choices(ctx context.Context, who staff.Member) (StaffChoices, error) {
	var out StaffChoices
	if err := d.may(ctx, who, staff.Manage, addStaff, ""); err != nil {
		return out, err
	}
	return d.choices(ctx)
}

func (d *Desk) choices(ctx context.Context) (StaffChoices, error) {
	var out StaffChoices
	all, err := d.Store.Staff(ctx, listMost)
	if err != nil {
		return out, err
	}
	out.Teams = teams(all)
	out.Places, err = d.places(ctx)
	return out, err
}

// Seat is one of the staff, with all that is administered of them.
type Seat struct {
	staff.Member
	Factors Factors
	StaffChoices
	History
	Self bool // it is whoever looks
}

// Seat returns one of the staff. Errors: staff.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Seat(ctx context.Context, who staff.Member, id string) (Seat, error) {
	out := Seat{Self: who.ID == id}
	err := d.may(ctx, who, staff.SeeAdmin, "see staff", id)
	if err != nil {
		return out, err
	}
	if out.Member, err = d.Store.Member(ctx, id); err != nil {
		return out, err
	}
	if out.Factors, err = d.Store.FactorsOf(ctx, id); err != nil {
		return out, err
	}
	if out.StaffChoices, err = d.choices(ctx); err != nil {
		return out, err
	}
	out.History, err = d.history(ctx, id)
	return out, err
}

const (
	addStaff    = "add staff"
	changeStaff = "change staff"
)

// AddStaff adds somebody and returns them with a temporary password, which is told once and kept nowhere: it must be changed at the first sign-in.
// Errors: a Wrong, staff.ErrNotAllowed.
func (d *Desk) AddStaff(ctx context.Context, who staff.Member, p Person) (staff.Member, string, error) {
	if err := d.may(ctx, who, staff.Manage, addStaff, ""); err != nil {
		return staff.Member{}, "", err
	}
	places, err := d.places(ctx)
	if err != nil {
		return staff.Member{}, "", err
	}
	w := Wrong{}
	m := p.member(staff.Member{ID: d.NewID(), Login: strings.ToLower(strings.TrimSpace(p.Login)), MustChange: true}, places, w)
	if !loginShape.MatchString(m.Login) || trail.HoldsCardNumber(m.Login) {
		w["login"] = "Use 2 to 40 letters, digits, dots, dashes or underscores, such as jortiz."
	}
	password := d.Password()
	if err = w.orNil(); err == nil {
		now, nowErr := d.Store.Now(ctx)
		if nowErr != nil {
			return staff.Member{}, "", nowErr
		}
		m.PasswordHash = staff.HashPassword(password, d.Salt())
		err = d.Store.AddStaff(ctx, m, d.entry(who, now, addStaff, m.ID, told(StaffFields(m))))
		switch {
		case errors.Is(err, staff.ErrTaken):
			err = Wrong{"login": "Somebody has this login already. Choose another."}
		case errors.Is(err, ErrEmailTaken):
			err = emailTaken()
		}
	}
	if err != nil {
		return staff.Member{}, "", d.refused(ctx, who, addStaff, "", err)
	}
	return m, password, nil
}

func emailTaken() Wrong { return Wrong{"email": "Somebody has this e-mail address already."} }

// ChangeStaff changes what is typed of somebody. Where nothing is different, nothing is done. version is of the row that the form showed.
// Errors: a Wrong, ErrChanged, ErrSelf, staff.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) ChangeStaff(ctx context.Context, who staff.Member, id string, version int64, p Person) error {
	if err := d.may(ctx, who, staff.Manage, changeStaff, id); err != nil {
		return err
	}
	places, err := d.places(ctx)
	if err != nil {
		return err
	}
	err = d.Store.ChangeStaff(ctx, who.ID, id, func(f StaffFacts) (StaffChange, error) {
		if err := f.ready(version); err != nil {
			return StaffChange{}, err
		}
		w := Wrong{}
		m := p.member(f.Member, places, w)
		if err := w.orNil(); err != nil {
			return StaffChange{}, err
		}
		if m.Role != staff.Admin {
			if err := f.notSelf(); err != nil {
				return StaffChange{}, err
			}
		}
		changes := changesOf(StaffFields(f.Member), StaffFields(m))
		if len(changes) == 0 {
			return StaffChange{}, errSame
		}
		return StaffChange{Member: m, Trail: d.entry(who, f.Now, changeStaff, id, detail(changes))}, nil
	})
	switch {
	case errors.Is(err, errSame):
		return nil
	case errors.Is(err, ErrEmailTaken):
		err = emailTaken()
	}
	return d.refused(ctx, who, changeStaff, id, err)
}

// errSame: there is nothing to do.
var errSame = errors.New("nothing is different")

// ready refuses whoever may not do it any more, and a form that shows what was before.
func (f StaffFacts) ready(version int64) error {
	if err := f.By.May(staff.Manage); err != nil {
		return err
	}
	if f.Member.Version != version {
		return ErrChanged
	}
	return nil
}

// notSelf refuses to take an administrator away who does it themselves. Whoever takes another away stays one (ready): so somebody is always left.
func (f StaffFacts) notSelf() error {
	if f.Member.Role == staff.Admin && f.By.ID == f.Member.ID {
		return ErrSelf
	}
	return nil
}

// StaffAct is something that an administrator does to somebody, besides changing what is known of them.
type StaffAct string

const (
	Disable     StaffAct = "disable"
	Enable      StaffAct = "enable"
	NewPassword StaffAct = "password"
	EndSessions StaffAct = "sessions"
	DropFactors StaffAct = "factors"
)

// staffActs are their names in the trail.
var staffActs = map[StaffAct]string{
	Disable: "disable staff", Enable: "enable staff", NewPassword: "give temporary password", EndSessions: "end sessions", DropFactors: "remove second factors",
}

// Act does something to somebody, and returns the temporary password if it makes one, which is told once. All but enabling end every session of theirs.
// Errors: ErrChanged, ErrSelf, staff.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Act(ctx context.Context, who staff.Member, id string, version int64, act StaffAct) (password string, err error) {
	name := staffActs[act]
	if err := d.may(ctx, who, staff.Manage, name, id); err != nil {
		return "", err
	}
	var hash string
	if act == NewPassword {
		password = d.Password()
		hash = staff.HashPassword(password, d.Salt())
	}
	err = d.Store.ChangeStaff(ctx, who.ID, id, func(f StaffFacts) (StaffChange, error) {
		if err := f.ready(version); err != nil {
			return StaffChange{}, err
		}
		c := StaffChange{Member: f.Member, Over: act != Enable, Hash: hash}
		what := ""
		switch act {
		case Disable:
			if err := f.notSelf(); err != nil {
				return c, err
			}
			c.Member.Disabled = true
		case Enable:
			c.Member.Disabled = false
		case DropFactors:
			c.DropFactors = true
			what = "Authenticator app: " + map[bool]string{true: "on", false: "off"}[f.Factors.Codes] + fmt.Sprintf(" → off; Passkeys: %d → 0; Company accounts: %d → 0", f.Factors.Passkeys, f.Factors.Accounts)
		}
		if f.By.ID == id && (act == NewPassword || act == DropFactors) { // who took over a session could stay for ever
			return c, ErrSelf
		}
		if c.Member.Disabled != f.Member.Disabled {
			what = "Disabled: " + yes(f.Member.Disabled) + " → " + yes(c.Member.Disabled)
		}
		c.Trail = d.entry(who, f.Now, name, id, what)
		return c, nil
	})
	if err != nil {
		return "", d.refused(ctx, who, name, id, err)
	}
	return password, nil
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
