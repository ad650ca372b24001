package portal

import (
	"net/http"
	"strconv"
	"time"

	"paylink/internal/desk/client"
	"paylink/internal/pay"
	"paylink/internal/web"
)

// NoticesPage is the name of the page of notices, for web.Pages.Render.
const NoticesPage = "portal/notices" // Notices

const (
	noticesPath   = "/my/notices"
	noticesAPage  = 20
	noticesAtHome = 5
)

// Notices is what has happened to the account.
type Notices struct {
	Chrome
	NoticeList
	Times  string // whose clock the times are of
	Older  string // address of the next page; "" on the last
	Newest string // address of the first page; "" on it
}

// NoticeList is notices and the form that marks them as read.
type NoticeList struct {
	List []NoticeRow
	UpTo int64  // the newest of them
	Back string // where the form leads
}

// NoticeRow is one notice. Address is "" where there is no more to see.
type NoticeRow struct {
	Text, Address, At, Machine string
	Unread                     bool
}

// notices is GET /my/notices.
func (s *server) notices(r *web.Request, who client.Who) (web.Answer, error) {
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64) // what is no number is the first page
	n, err := s.Desk.Notices(r.Context(), who, max(before, 0), noticesAPage)
	if err != nil {
		return web.Answer{}, err
	}
	page := Notices{Chrome: s.chrome(r, who)}
	page.NoticeList = page.noticeList(n, noticesPath)
	page.Times = page.T("my.notices.times", n.At.Name)
	if n.Next > 0 {
		page.Older = noticesPath + "?before=" + strconv.FormatInt(n.Next, 10)
	}
	if before > 0 {
		page.Newest = noticesPath
	}
	return s.Pages.Page(http.StatusOK, NoticesPage, page)
}

// readNotices marks as read what the page has shown, and everything older.
func (s *server) readNotices(r *web.Request, who client.Who) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	upTo, err := strconv.ParseInt(r.PostFormValue("up_to"), 10, 64)
	if err != nil || upTo < 0 {
		return web.Answer{}, web.ErrBadRequest
	}
	if err := s.Desk.ReadNotices(r.Context(), who, upTo); err != nil {
		return web.Answer{}, err
	}
	return web.Redirect(safeBack(r.PostFormValue("back"))), nil
}

// noticeList words notices.
func (c Chrome) noticeList(n client.Notices, back string) NoticeList {
	out := NoticeList{UpTo: n.Newest, Back: back}
	zone := n.At.TimeZone()
	for _, one := range n.List {
		what := one.Vehicle
		if what == "" {
			what = c.T("my.notice.balance")
		}
		card, starts := "", ""
		if one.Card.Last4 != "" {
			card = c.T("receipt.card_ending", pay.Card{Brand: one.Card.Brand}.Name(), one.Card.Last4)
		}
		if !one.StartsAt.IsZero() {
			starts = c.DateTime(one.StartsAt)
		}
		at := one.At.In(zone)
		out.List = append(out.List, NoticeRow{
			Text: c.T(one.Words, one.Amount.String(), what, c.Date(one.PaidTo), card, starts, one.Browser), Address: c.roomOf(one),
			At: c.DateTime(at), Machine: at.Format(time.RFC3339), Unread: one.Unread,
		})
	}
	return out
}

// roomOf is where there is more to see about a notice.
func (c Chrome) roomOf(n client.Notice) string {
	for i, room := range rooms {
		if room.key != n.Room || i >= len(c.Rooms) {
			continue
		}
		if room.key == "my.invoices" && n.InvoiceID != "" {
			return room.address + "/" + n.InvoiceID
		}
		return room.address
	}
	return ""
}
