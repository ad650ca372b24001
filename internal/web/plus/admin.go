package plus

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paylink/internal/day"
	"paylink/internal/desk/admin"
	"paylink/internal/lang"
	"paylink/internal/staff"
	"paylink/internal/web"
)

const adminHome = "/plus/admin"

// adminRoutes are the administrators' and the auditors'.
func (s *server) adminRoutes(route func(path string, get, post http.Handler)) {
	route("/admin", s.acts(func(*web.Request, staff.Member) (web.Answer, error) { return web.Redirect(adminHome + "/staff"), nil }), nil)
	route("/admin/staff", s.acts(s.staffList), s.acts(s.addStaff))
	route("/admin/staff/new", s.acts(s.newPerson), nil)
	route("/admin/staff/{id}", s.acts(s.person), s.acts(s.changeStaff))
	for _, act := range []admin.StaffAct{admin.Disable, admin.Enable, admin.NewPassword, admin.EndSessions, admin.DropFactors} {
		route("/admin/staff/{id}/"+string(act), nil, s.acts(func(r *web.Request, who staff.Member) (web.Answer, error) { return s.staffAct(r, who, act) }))
	}
	route("/admin/locations", s.acts(s.locations), s.acts(s.addLocation))
	route("/admin/locations/new", s.acts(s.newLocation), nil)
	route("/admin/locations/{id}", s.acts(s.location), s.acts(s.changeLocation))
	route("/admin/locations/{id}/rates", s.acts(s.rates), s.acts(s.changeRates))
	route("/admin/locations/{id}/fees", s.acts(s.fees), s.acts(s.addFee))
	route("/admin/locations/{id}/fees/{fee}", s.acts(s.fee), s.acts(s.changeFee))
	route("/admin/locations/{id}/fees/{fee}/retire", nil, s.acts(s.retireFee))
	route("/admin/locations/{id}/fees/{fee}/restore", nil, s.acts(s.restoreFee))
	route("/admin/terms", s.acts(s.terms), s.acts(s.publishTerms))
	route("/admin/terms/new", s.acts(s.newTerms), nil)
	route("/admin/terms/{version}", s.acts(s.termsVersion), nil)
}

// adminPage is what the pages have in common. A refused form leaves an alert, or where the reader looks next.
func (s *server) adminPage(r *web.Request, who staff.Member, t typed) Admin {
	a := Admin{Chrome: s.chrome(r, who), May: who.May(staff.Manage) == nil, Focus: t.focus}
	for _, tab := range [][2]string{{"Staff", "/staff"}, {"Locations", "/locations"}, {"Terms", "/terms"}} {
		address := adminHome + tab[1]
		a.Tabs = append(a.Tabs, Tab{Name: tab[0], Address: address, Current: strings.HasPrefix(r.URL.Path, address)})
	}
	if t.alert != "" {
		a.Alert, a.Focus = &Alert{"error", t.alert}, "why-not"
	}
	return a
}

// typed is what a form leaves that was refused: everything typed, and what is wrong with it.
type typed struct {
	form  url.Values // nil: none was sent
	wrong admin.Wrong
	alert string
	focus string
	moved bool // somebody has changed it meanwhile
}

// value is what was typed, or what is kept where nothing was.
func (t typed) value(name, kept string) string {
	if t.form == nil {
		return kept
	}
	if t.wrong[name] == admin.CardWords {
		return ""
	}
	return t.form.Get(name)
}

func (t typed) values(name string, kept []string) []string {
	if t.form == nil {
		return kept
	}
	return t.form[name]
}

// sent reads a form.
func (s *server) sent(r *web.Request) (typed, error) {
	err := web.ReadForm(r)
	return typed{form: r.PostForm}, err
}

// version is of the row that a form shows. One that can't be read is none that is there.
func (t typed) version() int64 {
	n, err := strconv.ParseInt(t.form.Get("version"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// no says what is wrong with a form, and its status; fields are in the order of the form. known is false for what is no refusal of this kind.
func (t *typed) no(err error, fields ...string) (status int, known bool) {
	switch {
	case errors.As(err, &t.wrong):
		for _, name := range fields {
			if t.wrong[name] != "" {
				t.focus = name
				break
			}
		}
		return http.StatusUnprocessableEntity, true
	case errors.Is(err, admin.ErrChanged):
		t.moved = true
		t.alert = "Nothing was saved: this was changed while you had it open."
	case errors.Is(err, admin.ErrSelf):
		t.alert = "Nothing was done: you can’t do this to yourself. Another administrator can."
	case errors.Is(err, admin.ErrInFlight):
		t.wrong, t.focus = admin.Wrong{"stripe_account": "It can’t be changed now: a payment of this location is live or not settled yet, and it is of the account that stands here. Try again in a while."}, "stripe_account"
	default:
		return 0, false
	}
	return web.ProblemOf(err).Status, true
}

// changed is what others did since the version that a form showed.
func (t *typed) changed(h admin.History, now int64) {
	if !t.moved {
		return
	}
	t.alert += " Look at what stands here now, and save again if it is still right."
	for _, e := range h.Since(now - t.version()) {
		t.alert += " " + byWords(e.Actor, h.Names) + ": " + strings.TrimSuffix(e.Act+", "+e.Detail, ", ") + "."
	}
}

// acts are a trail as rows. Times are the reader's to place: the administrators' pages are of no location.
func trailRows(h admin.History) []TrailRow {
	var out []TrailRow
	for _, e := range h.Acts {
		out = append(out, TrailRow{At: utc(e.At), Who: byWords(e.Actor, h.Names), Act: upper(e.Act), Refused: e.Refused, Detail: e.Detail})
	}
	return out
}

func utc(t time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	t = t.UTC()
	return Moment{lang.English.Date(day.Of(t)), t.Format("15:04:05") + " UTC", t.Format(time.RFC3339)}
}

func (t typed) text(name, label, kept string, most int) Input {
	return Input{Kind: "text", Name: name, Label: label, Value: t.value(name, kept), Error: t.wrong[name], Most: most}
}

func (t typed) options(kind, name, label string, kept []string, options ...InputOption) Input {
	chosen := t.values(name, kept)
	for i := range options {
		options[i].Chosen = slices.Contains(chosen, options[i].Value)
	}
	return Input{Kind: kind, Name: name, Label: label, Error: t.wrong[name], Options: options}
}

func (i Input) hint(words string) Input { i.Hint = words; return i }

func (i Input) wide() Input { i.Long = true; return i }

// --- Staff -----------------------------------------------------------------------------------------------------------------------------------

func staffAddress(id string, more ...string) string {
	return adminHome + "/staff/" + url.PathEscape(id) + strings.Join(more, "")
}

// staffList is GET /plus/admin/staff.
func (s *server) staffList(r *web.Request, who staff.Member) (web.Answer, error) {
	q := r.URL.Query()
	search := admin.StaffSearch{Words: strings.TrimSpace(q.Get("words")), Role: staff.Role(q.Get("role")), Team: q.Get("team"), Disabled: q.Get("disabled") != ""}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 0 && n < 1000 {
		search.Page = n
	}
	list, err := s.Admin.Staff(r.Context(), who, search)
	if err != nil {
		return web.Answer{}, err
	}
	page := StaffList{Admin: s.adminPage(r, who, typed{}), Words: search.Words, Disabled: search.Disabled, Found: list.Found, Filtered: search.Words != "" || search.Role != "" || search.Team != "" || search.Disabled}
	for _, role := range staff.Roles() {
		page.Roles = append(page.Roles, InputOption{Value: string(role), Label: admin.RoleName(role), Chosen: role == search.Role})
	}
	for _, team := range list.Teams {
		page.Teams = append(page.Teams, InputOption{Value: team, Label: team, Chosen: team == search.Team})
	}
	turn := func(n int) string {
		q.Set("page", strconv.Itoa(n))
		return adminHome + "/staff?" + q.Encode()
	}
	if search.Page > 0 {
		page.Back = turn(search.Page - 1)
	}
	if list.More {
		page.Next = turn(search.Page + 1)
	}
	for _, m := range list.Members {
		row := StaffRow{Address: staffAddress(m.ID), Name: m.Name, Login: m.Login, Role: admin.RoleName(m.Role), Team: m.Team, Email: m.Email, Phone: m.Phone.String()}
		row.State, row.Tone = staffState(m)
		page.Rows = append(page.Rows, row)
	}
	return s.Pages.Page(http.StatusOK, StaffPage, page)
}

func staffState(m staff.Member) (words, tone string) {
	switch {
	case m.Disabled:
		return "Disabled", "bad"
	case m.MustChange:
		return "Temporary password", "warning"
	}
	return "Enabled", "good"
}

// newPerson is GET /plus/admin/staff/new.
func (s *server) newPerson(r *web.Request, who staff.Member) (web.Answer, error) {
	return s.blankPerson(r, who, http.StatusOK, typed{})
}

func (s *server) blankPerson(r *web.Request, who staff.Member, status int, t typed) (web.Answer, error) {
	choices, err := s.Admin.Choices(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	form := staffForm(t, staff.Member{Role: staff.Agent}, choices)
	form.Action, form.Do = adminHome+"/staff", "Add"
	form.Inputs = append([]Input{t.text("login", "Login", "", 40).hint("What the person signs in with, such as jortiz. It can’t be changed later.")}, form.Inputs...)
	return s.Pages.Page(status, PersonPage, Person{Admin: s.adminPage(r, who, t), Form: &form})
}

// staffForm is the form of one of the staff, without a login.
func staffForm(t typed, m staff.Member, choices admin.StaffChoices) Form {
	var roles, teams, places []InputOption
	for _, role := range staff.Roles() {
		roles = append(roles, InputOption{Value: string(role), Label: admin.RoleName(role) + ": " + roleHint(role)})
	}
	for _, team := range choices.Teams {
		teams = append(teams, InputOption{Value: team, Label: team})
	}
	for _, l := range choices.Places {
		places = append(places, InputOption{Value: l.ID, Label: l.Name})
	}
	team := t.text("team", "Team", m.Team, 60)
	team.Suggest = choices.Teams
	email, number := t.text("email", "E-mail", m.Email, 200), t.text("phone", "Phone", m.Phone.National(), 40)
	email.Mode, number.Mode = "email", "tel"
	return Form{Version: m.Version, Do: "Save", Inputs: []Input{
		t.text("name", "Name", m.Name, 80),
		t.options("select", "role", "Role", []string{string(m.Role)}, roles...),
		team, email, number.hint("Their own mobile number, to tell when somebody texts a link to themselves."),
		t.options("checks", "teams", "Teams seen", m.Teams, teams...).hint("For supervisors. None chosen: all teams.").wide(),
		t.options("checks", "locations", "Locations seen", m.Locations, places...).hint("For leads and supervisors. None chosen: all locations.").wide(),
	}}
}

func roleHint(r staff.Role) string {
	switch r {
	case staff.Agent:
		return "clients, links, take payment"
	case staff.Lead:
		return "also the team’s links"
	case staff.Supervisor:
		return "also reports"
	case staff.Finance:
		return "refunds, reconciliation"
	case staff.Admin:
		return "staff, locations, rates, terms"
	case staff.Auditor:
		return "reads everything"
	}
	return ""
}

var staffFields = []string{"login", "name", "role", "team", "email", "phone", "teams", "locations"}

func personOf(f url.Values) admin.Person {
	return admin.Person{
		Login: f.Get("login"), Name: f.Get("name"), Role: staff.Role(f.Get("role")), Team: f.Get("team"), Email: f.Get("email"), Phone: f.Get("phone"), Teams: f["teams"], Locations: f["locations"],
	}
}

// addStaff is POST /plus/admin/staff. The temporary password is in this answer and nowhere else: it can't be kept for a page after it.
func (s *server) addStaff(r *web.Request, who staff.Member) (web.Answer, error) {
	t, err := s.sent(r)
	if err != nil {
		return web.Answer{}, err
	}
	m, password, err := s.Admin.AddStaff(r.Context(), who, personOf(t.form))
	if err != nil {
		status, known := t.no(err, staffFields...)
		if !known {
			return web.Answer{}, err
		}
		return s.blankPerson(r, who, status, t)
	}
	return s.Pages.Page(http.StatusCreated, SecretPage, Secret{Admin: s.adminPage(r, who, typed{}), Who: m.Name, Login: m.Login, Password: password, Back: staffAddress(m.ID), New: true})
}

// person is GET /plus/admin/staff/{id}.
func (s *server) person(r *web.Request, who staff.Member) (web.Answer, error) {
	return s.personPage(r, who, http.StatusOK, typed{})
}

func (s *server) personPage(r *web.Request, who staff.Member, status int, t typed) (web.Answer, error) {
	seat, err := s.Admin.Seat(r.Context(), who, mux.Vars(r.Request)["id"])
	if err != nil {
		return web.Answer{}, err
	}
	m := seat.Member
	t.changed(seat.History, m.Version)
	page := Person{Admin: s.adminPage(r, who, t), Who: m.Name, Login: m.Login, Self: seat.Self}
	page.State, page.Tone = staffState(m)
	page.Trail = trailRows(seat.History)
	for _, f := range admin.StaffFields(m)[2:] {
		page.Reads = append(page.Reads, Reads{f.Name, f.Value})
	}
	page.Reads = append(page.Reads, Reads{"Signs in with", factorWords(seat.Factors)})
	if page.May {
		form := staffForm(t, m, seat.StaffChoices)
		form.Action = staffAddress(m.ID)
		page.Form = &form
		page.Acts = personActs(seat)
	}
	return s.Pages.Page(status, PersonPage, page)
}

func factorWords(f admin.Factors) string {
	words := []string{"password"}
	if f.Codes {
		words = append(words, "authenticator app")
	}
	if f.Passkeys > 0 {
		words = append(words, countOf(f.Passkeys, "passkey"))
	}
	if f.Accounts > 0 {
		words = append(words, countOf(f.Accounts, "company account"))
	}
	return strings.Join(words, ", ")
}

// personActs are what may be done to somebody now.
func personActs(seat admin.Seat) []PersonAct {
	act := func(a admin.StaffAct) PersonAct {
		p := actWords(a, seat.Member.Name)
		p.Action = staffAddress(seat.ID, "/", string(a))
		return p
	}
	out := []PersonAct{act(admin.EndSessions)}
	if seat.Self {
		return out
	}
	out = append([]PersonAct{act(admin.NewPassword)}, out...)
	if seat.Factors != (admin.Factors{}) {
		out = append(out, act(admin.DropFactors))
	}
	if seat.Disabled {
		return append(out, act(admin.Enable))
	}
	return append(out, act(admin.Disable))
}

// actWords are the title of an act, what it does, and its button.
func actWords(a admin.StaffAct, name string) PersonAct {
	switch a {
	case admin.NewPassword:
		return PersonAct{Title: "New temporary password", Text: "The password that they have stops working, and they are signed out everywhere. You see the new one once; at the first sign-in they choose their own.", Do: "Make a password"}
	case admin.EndSessions:
		return PersonAct{Title: "Sign out everywhere", Text: "They are signed out on every device at once, and can sign in again.", Do: "Sign out everywhere"}
	case admin.DropFactors:
		return PersonAct{Title: "Remove second factors", Text: "For a lost phone: authenticator app, recovery codes, passkeys and company account are removed, and they are signed out everywhere. Until they set them up again, the password is enough.", Do: "Remove", Tone: "danger"}
	case admin.Disable:
		return PersonAct{Title: "Disable " + name, Text: "They are signed out everywhere at once and can’t sign in. What they did stays as it is.", Do: "Disable", Tone: "danger"}
	}
	return PersonAct{Title: "Enable " + name, Text: "They can sign in again, with the password that they had.", Do: "Enable"}
}

// changeStaff is POST /plus/admin/staff/{id}.
func (s *server) changeStaff(r *web.Request, who staff.Member) (web.Answer, error) {
	t, err := s.sent(r)
	if err != nil {
		return web.Answer{}, err
	}
	id := mux.Vars(r.Request)["id"]
	if err := s.Admin.ChangeStaff(r.Context(), who, id, t.version(), personOf(t.form)); err != nil {
		status, known := t.no(err, staffFields...)
		if !known {
			return web.Answer{}, err
		}
		return s.personPage(r, who, status, t)
	}
	return web.Redirect(staffAddress(id, "#trail")), nil
}

// staffAct is POST /plus/admin/staff/{id}/…: it comes twice, first to be read again and then, confirmed, to act.
func (s *server) staffAct(r *web.Request, who staff.Member, act admin.StaffAct) (web.Answer, error) {
	t, err := s.sent(r)
	if err != nil {
		return web.Answer{}, err
	}
	id := mux.Vars(r.Request)["id"]
	if act != admin.Enable && t.form.Get("confirmed") == "" && who.May(staff.Manage) == nil {
		seat, err := s.Admin.Seat(r.Context(), who, id)
		if err != nil {
			return web.Answer{}, err
		}
		words := actWords(act, seat.Member.Name)
		page := Sure{
			Admin: s.adminPage(r, who, typed{}), Crumb: seat.Member.Name, Back: staffAddress(id), Action: staffAddress(id, "/", string(act)), Title: words.Title + "?", Texts: []string{words.Text}, Do: words.Do, Tone: words.Tone,
			Hidden: []Reads{{"version", strconv.FormatInt(t.version(), 10)}},
		}
		if act != admin.Disable {
			page.Title = words.Title + " for " + seat.Member.Name + "?"
		}
		return s.Pages.Page(http.StatusOK, SurePage, page)
	}
	password, err := s.Admin.Act(r.Context(), who, id, t.version(), act)
	if err != nil {
		status, known := t.no(err)
		if !known {
			return web.Answer{}, err
		}
		return s.personAgain(r, who, status, t)
	}
	if password == "" {
		return web.Redirect(staffAddress(id, "#trail")), nil
	}
	seat, err := s.Admin.Seat(r.Context(), who, id)
	if err != nil {
		return web.Answer{}, err
	}
	return s.Pages.Page(http.StatusOK, SecretPage, Secret{Admin: s.adminPage(r, who, typed{}), Who: seat.Member.Name, Login: seat.Login, Password: password, Back: staffAddress(id)})
}

// personAgain draws somebody's page after an act that was refused: its form shows what is kept.
func (s *server) personAgain(r *web.Request, who staff.Member, status int, t typed) (web.Answer, error) {
	if t.moved {
		t.alert = "Nothing was done: this was changed while you had it open. Look at what stands here now, and try again."
		t.moved = false
	}
	t.form = nil
	return s.personPage(r, who, status, t)
}
