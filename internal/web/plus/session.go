package plus

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"paylink/internal/staff"
	"paylink/internal/web"
)

// NewSessions returns the sessions of the staff: 30 minutes after the last act, or 12 hours after signing in, they are over. The browser forgets its cookie when it is closed.
// Only a hash of the cookie's token is stored.
func NewSessions(store scs.CtxStore, now func() time.Time) *scs.SessionManager {
	m := scs.New()
	m.Store = clocked{store, now}
	m.HashTokenInStore = true
	m.Cookie.Name = "__Host-plus"
	m.Cookie.Path = "/"
	m.Cookie.Secure = true
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Cookie.Persist = false
	// The library reads the machine's clock. Both limits are kept by ours (see who), and the store forgets a session by it too.
	m.IdleTimeout = 0
	m.Lifetime = wholeLimit
	return m
}

// clocked has the store forget sessions by our clock.
type clocked struct {
	scs.CtxStore
	now func() time.Time
}

// CommitCtx stores a session for as long as it may last from its last use.
func (c clocked) CommitCtx(ctx context.Context, token string, b []byte, _ time.Time) error {
	return c.CtxStore.CommitCtx(ctx, token, b, c.now().Add(idleLimit+touchEvery))
}

// Commit is CommitCtx for a caller without a context.
func (c clocked) Commit(token string, b []byte, expiry time.Time) error {
	return c.CommitCtx(context.Background(), token, b, expiry)
}

// What a session holds.
const (
	memberKey = "member"   // the person's id
	beganKey  = "began_ms" // when they signed in
	seenKey   = "seen_ms"  // when they last did something
	sinceKey  = "since_ms" // the person's Since when they signed in: once it moves, the session is over
)

// who returns the person who is signed in, as they are now: one who was disabled, or whose sessions were ended, is out at once, on every instance. It returns web.ErrNoSession for nobody.
func (s *server) who(r *web.Request) (staff.Member, error) {
	ctx := r.Context()
	id := s.Sessions.GetString(ctx, memberKey)
	if id == "" {
		return staff.Member{}, web.ErrNoSession
	}
	now := s.door.Now()
	began, seen := time.UnixMilli(s.Sessions.GetInt64(ctx, beganKey)), time.UnixMilli(s.Sessions.GetInt64(ctx, seenKey))
	over := now.Sub(began) >= wholeLimit || now.Sub(seen) >= idleLimit
	m, err := s.Desk.Member(ctx, id)
	if err != nil && !errors.Is(err, staff.ErrNotFound) {
		return staff.Member{}, err
	}
	if over || err != nil || s.Sessions.GetInt64(ctx, sinceKey) != since(m) {
		if err := s.Sessions.Destroy(ctx); err != nil {
			return staff.Member{}, err
		}
		return staff.Member{}, web.ErrNoSession
	}
	return m, nil
}

// touch notes that somebody is at work.
func (s *server) touch(r *web.Request) {
	now := s.door.Now().UnixMilli()
	if now-s.Sessions.GetInt64(r.Context(), seenKey) >= touchEvery.Milliseconds() {
		s.Sessions.Put(r.Context(), seenKey, now)
	}
}

// home is the sign-in page, or for somebody who is signed in the search.
func (s *server) home(r *web.Request) (web.Answer, error) {
	who, err := s.who(r)
	switch {
	case errors.Is(err, web.ErrNoSession):
		return s.Pages.Page(http.StatusOK, SignInPage, SignIn{Chrome: s.chrome(r, staff.Member{}), Back: home})
	case err != nil:
		return web.Answer{}, err
	}
	s.touch(r)
	return s.Pages.Page(http.StatusOK, ClientsPage, Clients{Chrome: s.chrome(r, who)})
}

func (s *server) signIn(r *web.Request) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	page := SignIn{Chrome: s.chrome(r, staff.Member{}), Login: strings.TrimSpace(r.PostFormValue("login")), Back: safeBack(r.PostFormValue("back"))}
	if len(page.Login) > 200 || len(r.PostFormValue("password")) > 1000 {
		return web.Answer{}, web.ErrBadRequest
	}
	m, err := s.check(r, page.Login, r.PostFormValue("password"))
	if errors.Is(err, staff.ErrSignIn) || errors.Is(err, staff.ErrLocked) {
		p := web.ProblemOf(err)
		page.Error = "The login or the password is wrong. Check both and try again."
		if p.Code == "locked_out" {
			page.Error = "Too many wrong passwords. This login is locked for 15 minutes; your lead can help."
		}
		a, err := s.Pages.Page(p.Status, SignInPage, page)
		if p.Code == "locked_out" {
			a.Header = http.Header{"Retry-After": {"900"}}
		}
		return a, err
	}
	if err != nil {
		return web.Answer{}, err
	}
	ctx, now := r.Context(), s.door.Now().UnixMilli()
	if err := s.Sessions.Clear(ctx); err != nil {
		return web.Answer{}, err
	}
	if err := s.Sessions.RenewToken(ctx); err != nil { // a token that somebody planted before is worth nothing after
		return web.Answer{}, err
	}
	s.Sessions.Put(ctx, memberKey, m.ID)
	s.Sessions.Put(ctx, beganKey, now)
	s.Sessions.Put(ctx, seenKey, now)
	s.Sessions.Put(ctx, sinceKey, since(m))
	return web.Redirect(page.Back), nil
}

func since(m staff.Member) int64 {
	if m.Since.IsZero() {
		return 0
	}
	return m.Since.UnixMilli()
}

// check waits for its turn, and then checks a login and password.
func (s *server) check(r *web.Request, login, password string) (staff.Member, error) {
	select {
	case s.signIns <- struct{}{}:
		defer func() { <-s.signIns }()
		return s.Desk.SignIn(r.Context(), login, password, r.Address)
	case <-r.Context().Done():
		return staff.Member{}, r.Context().Err()
	}
}

func (s *server) signOut(r *web.Request) (web.Answer, error) {
	if err := s.Sessions.Destroy(r.Context()); err != nil {
		return web.Answer{}, err
	}
	return web.Redirect(home), nil
}
