package portal

import (
	"errors"
	"net/http"

	"paylink/internal/account"
	"paylink/internal/desk/client"
	"paylink/internal/lockout"
	"paylink/internal/phone"
	"paylink/internal/trail"
	"paylink/internal/web"
)

// ContactPage is the name of the page, for web.Pages.Render.
const ContactPage = "portal/contact" // Contact

// Contact is where a mail address or a telephone number is changed: asked for, and then confirmed by the code that came there.
type Contact struct {
	Chrome
	Way                                     account.Way
	Title, Now                              string
	Typed                                   string // the new address or number, kept
	Sent                                    string // where a code has gone, in words; "" where none waits
	CodeError, Error, PasswordError, Notice string
}

// contact is GET /my/profile/mail and /my/profile/phone.
func (s *server) contact(way account.Way) act {
	return func(r *web.Request, who client.Who) (web.Answer, error) {
		return s.contactPage(r, who, way, "", nil)
	}
}

// contactPage draws the form with what was typed, and why it was refused; nil for nothing.
func (s *server) contactPage(r *web.Request, who client.Who, way account.Way, typed string, why error) (web.Answer, error) {
	pending, ok, err := s.Desk.Pending(r.Context(), who, way)
	if err != nil {
		return web.Answer{}, err
	}
	page := Contact{Chrome: s.chrome(r, who), Way: way}
	key := "my." + string(way)
	page.Title = page.T(key + ".title")
	has, target := who.Email, pending.Target
	if way == account.ByPhone {
		has, target = who.Phone.Last4(), phone.Stored(pending.Target).String()
	}
	if page.Now = page.T(key+".now", has); has == "" {
		page.Now = page.T(key + ".none")
	}
	if ok {
		page.Sent = page.T(key+".sent", target)
	}
	if !trail.HoldsCardNumber(typed) {
		page.Typed = typed
	}
	status := http.StatusOK
	if why != nil {
		p := web.ProblemOf(why)
		status = p.Status
		switch {
		case errors.Is(why, account.ErrCode) && ok:
			page.CodeError, page.Focus = page.T("my.contact.wrong_code"), "code"
		case errors.Is(why, account.ErrCode), errors.Is(why, account.ErrCodeOver):
			page.Notice, page.Focus = page.T("my.contact.code_over"), "trouble"
		case errors.Is(why, lockout.ErrLocked):
			page.Notice, page.Focus = page.T("my.contact.locked_out"), "trouble"
		case errors.Is(why, account.ErrSignIn):
			page.PasswordError, page.Focus = page.T("my.contact.sign_in"), "password"
		default:
			page.Error, page.Focus = page.T(key+"."+p.Code), "new"
		}
	}
	return s.Pages.Page(status, ContactPage, page)
}

// askContact sends a code to a new address or number.
func (s *server) askContact(way account.Way) act {
	return func(r *web.Request, who client.Who) (web.Answer, error) {
		if err := web.ReadForm(r); err != nil {
			return web.Answer{}, err
		}
		typed, password := r.PostFormValue("new"), r.PostFormValue("password")
		if len(typed) > 1000 || len(password) > 1000 {
			return web.Answer{}, web.ErrBadRequest
		}
		ask := s.Desk.AskMail
		if way == account.ByPhone {
			ask = s.Desk.AskPhone
		}
		_, err := s.check(r, func() (client.Who, error) { return who, ask(r.Context(), who, typed, password, browser(r)) })
		if err != nil {
			return s.notContact(r, who, way, typed, err)
		}
		return web.Redirect("/my/profile/" + string(way)), nil
	}
}

// answerContact takes the code.
func (s *server) answerContact(way account.Way) act {
	return func(r *web.Request, who client.Who) (web.Answer, error) {
		if err := web.ReadForm(r); err != nil {
			return web.Answer{}, err
		}
		code := r.PostFormValue("code")
		if len(code) > 100 {
			return web.Answer{}, web.ErrBadRequest
		}
		if err := s.Desk.Answer(r.Context(), who, way, code); err != nil {
			return s.notContact(r, who, way, "", err)
		}
		return savedAs(string(way)), nil
	}
}

func (s *server) notContact(r *web.Request, who client.Who, way account.Way, typed string, why error) (web.Answer, error) {
	if p := web.ProblemOf(why); p.Status >= http.StatusInternalServerError || p.Status == http.StatusNotFound {
		return web.Answer{}, why
	}
	return s.contactPage(r, who, way, typed, why)
}
