package plus

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"paylink/internal/day"
	"paylink/internal/desk/office"
	"paylink/internal/phone"
	"paylink/internal/staff"
	"paylink/internal/trail"
	"paylink/internal/web"
)

// Trail is GET /plus/trail: who did what.
type Trail struct {
	Chrome
	Who, Client, Object string // as typed
	From, To            string
	Refused, On         bool
	Acts                []Option
	WhoError, Error     string // Error: of the form as a whole, or of its dates
	People              []TrailPerson
	Rows                []TrailLine
	First, Next, File   string // addresses; "" for none
	FileMost            int
	Focus               string
}

// TrailPerson is one of several whom a name may mean.
type TrailPerson struct{ Name, Login, Role, Address string }

// TrailLine is an entry of the trail.
type TrailLine struct {
	Day, Clock, Machine     string // in UTC
	Who, WhoAddress         string
	Act, Refused, Detail    string
	Object, ObjectAddress   string
	ClientID, ClientAddress string
}

const (
	trailPath  = "/plus/trail"
	trailTyped = 100 // characters of a field
)

// trail is GET /plus/trail.
func (s *server) trail(r *web.Request, who staff.Member) (web.Answer, error) {
	return s.searchTrail(r, who, r.URL.Query(), false)
}

// askTrail is POST /plus/trail: the form. What may stand in an address goes on to one; a telephone number may not.
func (s *server) askTrail(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	return s.searchTrail(r, who, r.PostForm, true)
}

// trailFile is GET /plus/trail.csv. It changes nothing but the trail, which says who took the file.
func (s *server) trailFile(r *web.Request, who staff.Member) (web.Answer, error) {
	ask, page := readTrail(r.URL.Query())
	if page.Error != "" || page.WhoError != "" {
		return web.Answer{}, web.ErrBadRequest
	}
	list, err := s.Office.TrailFile(r.Context(), who, ask)
	if err != nil {
		return web.Answer{}, err
	}
	rows := [][]string{{"Time (UTC)", "Kind", "Who", "Id", "Act", "Object", "Is", "Client id", "Refused", "Detail"}}
	for _, e := range list.Entries {
		rows = append(rows, []string{
			e.At.UTC().Format("2006-01-02 15:04:05.000"), string(e.Actor.Kind), byWords(e.Actor, list.Names), e.Actor.ID, e.Act, e.Object, list.Things[e.Object].Name, e.ClientID, e.Refused, e.Detail,
		})
	}
	return web.CSV("paylink-trail-"+s.door.Now().UTC().Format(time.DateOnly)+".csv", rows)
}

// readTrail reads what is asked for, into the form too. Error and WhoError say what can't be read.
func readTrail(q url.Values) (ask office.TrailAsk, page Trail) {
	typed := func(name string) string { return strings.TrimSpace(q.Get(name)) }
	ask = office.TrailAsk{Who: typed("who"), ClientID: typed("client"), Object: typed("object"), Act: typed("act"), Refused: q.Get("refused") != ""}
	page = Trail{Who: ask.Who, Client: ask.ClientID, Object: ask.Object, From: typed("from"), To: typed("to"), Refused: ask.Refused, FileMost: office.TrailFileMost}
	for _, value := range []string{ask.Who, ask.ClientID, ask.Object, ask.Act} {
		if len(value) > trailTyped {
			page.Error = "That is too long to be a name or an id."
		}
		if n, err := phone.Parse(value); err == nil && !n.IsZero() {
			page.Error = "The trail holds no telephone numbers. Find the client by the number first, and then search for the client’s id."
		}
	}
	var noFrom, noTo error
	if page.From != "" {
		ask.From, noFrom = day.Parse(page.From)
	}
	if page.To != "" {
		ask.To, noTo = day.Parse(page.To)
	}
	if noFrom != nil || noTo != nil {
		page.Error = "Write days as 2026-03-10."
	}
	if ask.From != "" && ask.To != "" && ask.To.Before(ask.From) {
		page.Error = "The last day is before the first."
	}
	if page.Error != "" {
		page.Who, page.Client, page.Object, page.Focus = "", "", "", "trail-error"
	}
	at, id, ok := strings.Cut(q.Get("before"), "_")
	if n, err := strconv.ParseInt(at, 10, 64); ok && err == nil {
		ask.Before = office.Place{At: time.UnixMilli(n), ID: id}
	}
	page.On = ask.Who+ask.ClientID+ask.Object+ask.Act+string(ask.From)+string(ask.To) != "" || ask.Refused
	return ask, page
}

// trailAddress is where a search is found again.
func trailAddress(path string, ask office.TrailAsk, before *office.Place) string {
	q := url.Values{}
	for name, value := range map[string]string{"who": ask.Who, "client": ask.ClientID, "object": ask.Object, "act": ask.Act, "from": string(ask.From), "to": string(ask.To)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if ask.Refused {
		q.Set("refused", "1")
	}
	if before != nil {
		q.Set("before", strconv.FormatInt(before.At.UnixMilli(), 10)+"_"+before.ID)
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func (s *server) searchTrail(r *web.Request, who staff.Member, q url.Values, typed bool) (web.Answer, error) {
	if err := who.May(staff.SeeTrail); err != nil { // what is wrong with a form is for those who may send it
		_, err := s.Office.Trail(r.Context(), who, office.TrailAsk{})
		return web.Answer{}, err
	}
	ask, page := readTrail(q)
	page.Chrome = s.chrome(r, who)
	if page.Error != "" {
		return s.Pages.Page(http.StatusUnprocessableEntity, TrailPage, page)
	}
	if typed {
		return web.Redirect(trailAddress(trailPath, ask, nil)), nil
	}
	list, err := s.Office.Trail(r.Context(), who, ask)
	if err != nil {
		return web.Answer{}, err
	}
	for _, act := range list.Acts {
		page.Acts = append(page.Acts, Option{ID: act, Label: upper(act), Chosen: act == ask.Act})
	}
	if list.Nobody {
		page.WhoError, page.Focus = "Nobody among the staff has this login or name.", "trail-who"
	}
	for _, m := range list.People {
		one := ask
		one.Who = m.Login
		page.People = append(page.People, TrailPerson{m.Name, m.Login, string(m.Role), trailAddress(trailPath, one, nil)})
	}
	for _, e := range list.Entries {
		page.Rows = append(page.Rows, trailLine(e, list))
	}
	if ask.Before.ID != "" {
		page.First = trailAddress(trailPath, ask, nil)
	}
	if list.Next != nil {
		page.Next = trailAddress(trailPath, ask, list.Next)
	}
	if len(page.Rows) > 0 {
		page.File = trailAddress(trailPath+".csv", ask, nil)
	}
	return s.Pages.Page(http.StatusOK, TrailPage, page)
}

func trailLine(e trail.Entry, list office.TrailList) TrailLine {
	at := e.At.UTC()
	line := TrailLine{
		Day: date(day.Of(at)), Clock: at.Format("15:04:05"), Machine: at.Format(time.RFC3339), Who: byWords(e.Actor, list.Names), Act: upper(e.Act), Refused: e.Refused, Detail: e.Detail, Object: e.Object, ClientID: e.ClientID,
	}
	if e.Actor.Kind == trail.Staff && e.Actor.ID != "" {
		line.WhoAddress = trailAddress(trailPath, office.TrailAsk{Who: e.Actor.ID}, nil)
	}
	if e.Actor.Kind == trail.Staff && e.Actor.ID == "" {
		line.Who = "Nobody signed in"
	}
	if e.ClientID != "" {
		line.ClientAddress = clientAddress(e.ClientID, nil)
	}
	thing := list.Things[e.Object]
	switch thing.Kind {
	case office.APayment:
		line.Object, line.ObjectAddress = "Payment "+thing.Name, paymentAddress(thing.ID)
	case office.AnInvoice:
		line.Object, line.ObjectAddress = "Invoice "+thing.Name, "/plus/invoices/"+url.PathEscape(thing.ID)
	case office.AClient:
		line.Object, line.ObjectAddress = thing.Name, clientAddress(thing.ID, nil)
	case office.AMember:
		line.Object, line.ObjectAddress = thing.Name, trailAddress(trailPath, office.TrailAsk{Object: thing.ID}, nil)
	case office.AVehicle:
		line.Object = thing.Name
	}
	return line
}
