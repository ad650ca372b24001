package plus

import (
	"errors"
	"time"

	"github.com/gorilla/mux"

	"paylink/internal/account"
	"paylink/internal/desk/agent"
	"paylink/internal/lang"
	"paylink/internal/staff"
	"paylink/internal/web"
)

// Access says how a client gets into My Account, on the Account tab.
type Access struct {
	State  string
	Invite *InviteForm // nil: who looks invites nobody
}

// InviteForm is the form that invites a client, with what is wrong with it.
type InviteForm struct {
	Action, Key, Do string
	AskSure         bool // the client has a password of their own, which would be over
	Error           string
}

// access says how the client gets in, and offers an invitation to whoever may send one. why is what the last one was refused for.
func (s *server) access(r *web.Request, who staff.Member, c agent.Client, why string) (Access, error) {
	a, invited, err := s.Desk.Access(r.Context(), who, c.ID)
	if err != nil {
		return Access{}, err
	}
	on := func(t time.Time) string { return lang.English.DateTime(t.In(zoneOfClient(c))) }
	form := InviteForm{Action: clientAddress(c.ID, nil) + "/invitation", Key: s.NewKey(), Do: "Send again", Error: why}
	out := Access{State: "Has access. Their own password was set on " + on(a.PasswordAt) + "."}
	switch {
	case !invited:
		out.State, form.Do = "Never invited.", "Send invitation"
	case !a.MustChange:
		form.AskSure, form.Do = true, "Send a new invitation"
	case c.Now.Sub(a.PasswordAt) >= account.TemporaryLife:
		out.State = "Invited on " + on(a.PasswordAt) + ". The temporary password is too old now."
	default:
		out.State = "Invited on " + on(a.PasswordAt) + ", and has not chosen a password yet."
	}
	if who.May(staff.Invite) == nil {
		out.Invite = &form
	}
	return out, nil
}

// invite is POST /plus/clients/{id}/invitation.
func (s *server) invite(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	id, key := mux.Vars(r.Request)["id"], r.PostForm.Get("key")
	if key == "" || len(key) > 100 {
		return web.Answer{}, web.ErrBadRequest
	}
	err := s.turn(r, func() error { return s.Desk.Invite(r.Context(), who, id, key, r.PostForm.Get("sure") != "") })
	d := draft{}
	switch {
	case err == nil:
		return web.Redirect(clientAddress(id, nil) + "#access-title"), nil
	case errors.Is(err, agent.ErrNoAddress):
		d.invite = "There is no email address on record. Nothing was sent: the invitation goes by mail."
	case errors.Is(err, agent.ErrNoMail):
		d.invite = "This service has no mail server, so nobody can be invited. Nothing was sent."
	case errors.Is(err, agent.ErrHasAccess):
		d.invite = "Nothing was sent: this client has a password of their own. Tick the box if it is to be replaced."
	case errors.Is(err, agent.ErrInvitedOften):
		d.invite = "Nothing was sent: this client was invited five times in a day. Check the email address with them."
	default:
		return web.Answer{}, err
	}
	return s.draw(r, who, id, web.ProblemOf(err).Status, ask{}, d)
}
