package plus

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"paylink/internal/day"
	"paylink/internal/desk/supervisor"
	"paylink/internal/lang"
	"paylink/internal/pay"
	"paylink/internal/staff"
	"paylink/internal/web"
)

// linksPart is the list alone, which the page asks for again by itself.
const linksPart = "board"

// links is GET /plus/links: what the team has sent, newest first.
func (s *server) links(r *web.Request, who staff.Member) (web.Answer, error) {
	q := r.URL.Query()
	f, _, err := filterOf(q, supervisor.Today)
	if err != nil {
		return web.Answer{}, err
	}
	after := supervisor.Place{ID: q.Get("id")}
	if at, err := strconv.ParseInt(q.Get("after"), 10, 64); err == nil {
		after.At = time.UnixMilli(at).UTC()
	}
	got, err := s.Supervisor.Links(r.Context(), who, f, after, supervisor.BoardMost)
	bad := errors.Is(err, supervisor.ErrPeriod)
	if err != nil && !bad {
		return web.Answer{}, err
	}
	page := Links{Chrome: s.chrome(r, who), Filters: filters(got.Town, got.Filter, linksPath, q), Title: "The team’s links", Days: daysWords(got.Filter), Zone: zoneWords(got.Zone), Self: got.Self}
	if page.Self {
		page.Title = "Your links"
	}
	if bad {
		page.Filters.Error = periodWords(got.Filter)
		return s.Pages.Page(http.StatusUnprocessableEntity, LinksPage, page)
	}
	page.Count, page.At = linksOf(got.Count), lang.English.Clock(got.Now.In(got.Zone))
	filter := queryOf(got.Filter)
	page.CSV = linksPath + ".csv?" + filter.Encode()
	if after.ID != "" {
		page.First = linksPath + "?" + filter.Encode()
	} else {
		page.Refresh = linksPath + "/list?" + filter.Encode()
	}
	if got.Next.ID != "" {
		filter.Set("after", strconv.FormatInt(got.Next.At.UnixMilli(), 10))
		filter.Set("id", got.Next.ID)
		page.Next = linksPath + "?" + filter.Encode()
	}
	for _, l := range got.Lines {
		page.Rows = append(page.Rows, boardRow(got, l))
	}
	if strings.HasSuffix(r.URL.Path, "/list") {
		return s.Pages.Part(http.StatusOK, LinksPage, linksPart, page)
	}
	return s.Pages.Page(http.StatusOK, LinksPage, page)
}

func boardRow(b *supervisor.Board, l supervisor.Line) BoardRow {
	at := l.CreatedAt.In(b.Zone)
	row := BoardRow{
		Sent: lang.English.Clock(at), SentAt: at.Format(time.RFC3339), Agent: l.AgentName, Client: l.Client, ClientID: l.ClientID, Address: clientAddress(l.ClientID, url.Values{"tab": {"links"}, "payment": {l.Payment.ID}}),
		Vehicle: l.Frozen.Vehicle, Amount: l.Amount().String(), Reference: l.Reference(),
	}
	if day.Of(at) != b.Today {
		row.Sent = shortDate(day.Of(at)) + ", " + row.Sent
	}
	if l.Last4 != "" {
		row.Number = "••" + l.Last4
	}
	row.State, row.Tone = stateWords(l.Payment, b.Now)
	if left := l.ExpiresAt.Sub(b.Now); l.Payment.Effective(b.Now) == pay.Open && left > 0 {
		row.Left = web.ClockLeft(int(left / time.Second))
		if !l.OpenedAt.IsZero() {
			row.Steps = "opened"
		}
	}
	if l.Declines > 0 && !l.State.Sold() {
		row.Steps = strings.TrimPrefix(row.Steps+", "+countOf(l.Declines, "declined card"), ", ")
	}
	return row
}

// linksFile is GET /plus/links.csv: the list as a file, up to a limit.
func (s *server) linksFile(r *web.Request, who staff.Member) (web.Answer, error) {
	f, _, err := filterOf(r.URL.Query(), supervisor.Today)
	if err != nil {
		return web.Answer{}, err
	}
	got, err := s.Supervisor.Links(r.Context(), who, f, supervisor.Place{}, supervisor.DownloadMost)
	if err != nil {
		return web.Answer{}, err
	}
	t := Table{ID: "links", Columns: columns("Sent ("+got.Zone.String()+")", "Reference", "Agent", "Client id", "Client", "Location", "#Days", "#Amount", "Number", "Whose number", "Language", "Status", "Opened", "Closed", "#Declined cards")}
	clock := func(at time.Time) Cell {
		if at.IsZero() {
			return named("")
		}
		return named(at.In(got.Zone).Format("2006-01-02 15:04:05"))
	}
	for _, l := range got.Lines {
		state, _ := stateWords(l.Payment, got.Now)
		whose, number := "another", ""
		if l.Own {
			whose = "the client’s own"
		}
		if l.Last4 != "" {
			number = "••" + l.Last4
		}
		amount := Cell{Number: true, raw: fmt.Sprintf("%d.%02d", l.Amount()/100, l.Amount()%100)}
		t.Rows = append(t.Rows, []Cell{clock(l.CreatedAt), named(l.Reference()), named(l.AgentName), named(l.ClientID), named(l.Client), named(l.Location), counted(l.Frozen.Input.Days), amount, named(number), named(whose),
			named(languageName(l.Language)), named(state), clock(l.OpenedAt), clock(l.ClosedAt), counted(l.Declines)})
	}
	if got.Next.ID != "" {
		t.Rows = append(t.Rows, []Cell{named(fmt.Sprintf("These are the newest %d of %d. Choose fewer days for the others.", supervisor.DownloadMost, got.Count))})
	}
	return s.taken(r, who, got.Town, got.Filter, t)
}
