package plus

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"paylink/internal/desk/signin"
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

// What a session holds of somebody who is signed in.
const (
	memberKey = "member"    // the person's id
	beganKey  = "began_ms"  // when they signed in
	seenKey   = "seen_ms"   // when they last did something
	sinceKey  = "since_ms"  // the person's Since when they signed in: once it moves, the session is over
	byKey     = "by"        // what they signed in by
	provedKey = "proved_ms" // when they last proved who they are
)

// And of somebody who is on the way in.
const (
	halfKey     = "half"     // whose password is right, and who has to give a second factor: half, as JSON
	ceremonyKey = "ceremony" // a passkey that was asked for
	companyKey  = "company"  // what the company's sign-in was asked
	backKey     = "back"     // where to go on from there
)

// provedFor is how long somebody may change what they sign in by after they have proved who they are.
const provedFor = 10 * time.Minute

// who returns the person who is signed in, as they are now: one who was disabled, or whose sessions were ended, is out at once, on every instance.
// It returns web.ErrNoSession for nobody, and web.ErrMustChange for somebody who can do nothing before they have chosen a password of their own.
func (s *server) who(r *web.Request) (staff.Member, error) {
	m, err := s.anyone(r)
	if err == nil && s.mustChange(r, m) {
		return staff.Member{}, web.ErrMustChange
	}
	return m, err
}

// mustChange says whether somebody has signed in by a password that somebody else knows. Who came in by other means may stay.
func (s *server) mustChange(r *web.Request, m staff.Member) bool {
	return m.MustChange && s.Sessions.GetString(r.Context(), byKey) != string(signin.ByPasskey) && s.Sessions.GetString(r.Context(), byKey) != string(signin.ByCompany)
}

// anyone is who, and somebody whose password is a temporary one.
func (s *server) anyone(r *web.Request) (staff.Member, error) {
	ctx := r.Context()
	id := s.Sessions.GetString(ctx, memberKey)
	if id == "" {
		return staff.Member{}, web.ErrNoSession
	}
	now := s.door.Now()
	began, seen := time.UnixMilli(s.Sessions.GetInt64(ctx, beganKey)), time.UnixMilli(s.Sessions.GetInt64(ctx, seenKey))
	over := now.Sub(began) >= wholeLimit || now.Sub(seen) >= idleLimit
	m, err := s.SignIn.Member(ctx, id)
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

// since is a member's Since as sessions keep it.
func since(m staff.Member) int64 {
	if m.Since.IsZero() {
		return 0
	}
	return m.Since.UnixMilli()
}

// touch notes that somebody is at work.
func (s *server) touch(r *web.Request) {
	now := s.door.Now().UnixMilli()
	if now-s.Sessions.GetInt64(r.Context(), seenKey) >= touchEvery.Milliseconds() {
		s.Sessions.Put(r.Context(), seenKey, now)
	}
}

// enter begins somebody's session. Nothing of the one before is left, nor its token: one that somebody planted before is worth nothing after.
func (s *server) enter(r *web.Request, m staff.Member, by signin.By) error {
	if err := s.renew(r); err != nil {
		return err
	}
	ctx, now := r.Context(), s.door.Now().UnixMilli()
	s.Sessions.Put(ctx, memberKey, m.ID)
	s.Sessions.Put(ctx, beganKey, now)
	s.Sessions.Put(ctx, seenKey, now)
	s.Sessions.Put(ctx, sinceKey, since(m))
	s.Sessions.Put(ctx, byKey, string(by))
	s.Sessions.Put(ctx, provedKey, now)
	return nil
}

func (s *server) renew(r *web.Request) error {
	if err := s.Sessions.Clear(r.Context()); err != nil {
		return err
	}
	return s.Sessions.RenewToken(r.Context())
}

// goOn keeps this one session of somebody whose sessions have just ended everywhere.
func (s *server) goOn(r *web.Request, m staff.Member) error {
	if err := s.Sessions.RenewToken(r.Context()); err != nil {
		return err
	}
	s.Sessions.Put(r.Context(), sinceKey, since(m))
	return nil
}

// proved says whether somebody has proved a short while ago that it is they who sit there.
func (s *server) proved(r *web.Request) bool {
	return s.door.Now().Sub(time.UnixMilli(s.Sessions.GetInt64(r.Context(), provedKey))) < provedFor
}

func (s *server) signOut(r *web.Request) (web.Answer, error) {
	if err := s.Sessions.Destroy(r.Context()); err != nil {
		return web.Answer{}, err
	}
	return web.Redirect(home), nil
}
