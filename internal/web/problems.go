package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"paylink/internal/account"
	"paylink/internal/appointment"
	"paylink/internal/desk/admin"
	"paylink/internal/desk/agent"
	"paylink/internal/desk/client"
	"paylink/internal/desk/payer"
	"paylink/internal/desk/signin"
	"paylink/internal/desk/supervisor"
	"paylink/internal/link"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/quote"
	"paylink/internal/seal"
	"paylink/internal/sms"
	"paylink/internal/staff"
	"paylink/internal/trail"
	"paylink/internal/wallet"
)

// What the web itself refuses.
var (
	ErrBadRequest = errors.New("the request can't be read")
	ErrTooLarge   = errors.New("the request is too large")
	ErrNoRoute    = errors.New("there is no such page")
	ErrMethod     = errors.New("the page does not take this method")
	ErrNoSession  = errors.New("nobody is signed in here")
	ErrSignature  = errors.New("the signature is wrong")
	ErrCrossSite  = errors.New("the request comes from another site")
	ErrStreams    = errors.New("too many streams are open")
	ErrMustChange = errors.New("a temporary password has to be changed first")
)

// Problem is an error as a door tells it: a status, and a code that a page or a script knows.
type Problem struct {
	Status     int
	Code       string
	RetryAfter time.Duration // 0: does not say
	Err        error
}

// problems is the one table: the first row that fits counts. What is not in it is our own fault, a 500 without details.
var problems = []struct {
	err    error
	status int
	code   string
}{
	{ErrBadRequest, http.StatusBadRequest, "bad_request"},
	{quote.ErrDays, http.StatusBadRequest, "bad_days"},
	{trail.ErrCardNumber, http.StatusUnprocessableEntity, "card_number"},
	{supervisor.ErrPeriod, http.StatusUnprocessableEntity, "period"},
	{ErrTooLarge, http.StatusRequestEntityTooLarge, "too_large"},
	{ErrNoRoute, http.StatusNotFound, "not_found"},
	{account.ErrNotFound, http.StatusNotFound, "not_found"},
	{pay.ErrNotFound, http.StatusNotFound, "not_found"},
	{staff.ErrNotFound, http.StatusNotFound, "not_found"},
	{ErrMethod, http.StatusMethodNotAllowed, "method"},
	{ErrNoSession, http.StatusUnauthorized, "no_session"},
	{staff.ErrSignIn, http.StatusUnauthorized, "sign_in"},
	{staff.ErrLocked, http.StatusTooManyRequests, "locked_out"},
	{staff.ErrTaken, http.StatusUnprocessableEntity, "taken"},
	{admin.ErrInvalid, http.StatusUnprocessableEntity, "invalid"},
	{admin.ErrChanged, http.StatusConflict, "changed"},
	{admin.ErrSelf, http.StatusConflict, "self"},
	{admin.ErrInFlight, http.StatusConflict, "in_flight"},
	{account.ErrSignIn, http.StatusUnauthorized, "sign_in"},
	{account.ErrTooOld, http.StatusUnauthorized, "too_old"},
	{agent.ErrNoAddress, http.StatusUnprocessableEntity, "no_address"},
	{agent.ErrNoMail, http.StatusConflict, "no_mail"},
	{agent.ErrHasAccess, http.StatusUnprocessableEntity, "has_access"},
	{agent.ErrInvitedOften, http.StatusTooManyRequests, "invited_often"},
	{client.ErrReset, http.StatusGone, "reset"},
	{client.ErrNotAgreed, http.StatusUnprocessableEntity, "not_agreed"},
	{client.ErrTries, http.StatusConflict, "tries"},
	{client.ErrConsent, http.StatusUnprocessableEntity, "consent"},
	{client.ErrNoPayer, http.StatusUnprocessableEntity, "payer"},
	{client.ErrLinksMost, http.StatusTooManyRequests, "links_most"},
	{client.ErrAgree, http.StatusUnprocessableEntity, "agree"},
	{client.ErrMoved, http.StatusConflict, "moved"},
	{client.ErrBehind, http.StatusConflict, "behind"},
	{client.ErrCollections, http.StatusConflict, "collections"},
	{client.ErrNoCard, http.StatusConflict, "no_card"},
	{appointment.ErrByPhone, http.StatusConflict, "by_phone"},
	{appointment.ErrTooLate, http.StatusConflict, "too_late"},
	{appointment.ErrOver, http.StatusConflict, "over"},
	{appointment.ErrTaken, http.StatusConflict, "taken"},
	{appointment.ErrChanged, http.StatusConflict, "changed"},
	{appointment.ErrClosed, http.StatusUnprocessableEntity, "closed"},
	{account.ErrCode, http.StatusUnprocessableEntity, "wrong_code"},
	{account.ErrCodeOver, http.StatusGone, "code_over"},
	{account.ErrPlate, http.StatusUnprocessableEntity, "plate"},
	{account.ErrChanged, http.StatusConflict, "changed"},
	{client.ErrAddress, http.StatusUnprocessableEntity, "address"},
	{client.ErrSameAddress, http.StatusUnprocessableEntity, "same_address"},
	{sms.ErrLandline, http.StatusUnprocessableEntity, "landline"},
	{sms.ErrOptedOut, http.StatusUnprocessableEntity, "opted_out"},
	{client.ErrBlocked, http.StatusConflict, "texts_blocked"},
	{staff.ErrNotAllowed, http.StatusForbidden, "not_allowed"},
	{ErrMustChange, http.StatusForbidden, "must_change"},
	{signin.ErrProve, http.StatusForbidden, "prove"},
	{signin.ErrCode, http.StatusUnauthorized, "code"},
	{signin.ErrPasskey, http.StatusUnauthorized, "passkey"},
	{signin.ErrTooOld, http.StatusUnauthorized, "temporary"},
	{signin.ErrOver, http.StatusUnauthorized, "over"},
	{signin.ErrTooOften, http.StatusTooManyRequests, "too_often"},
	{signin.ErrPasskeyHere, http.StatusConflict, "passkey_here"},
	{signin.ErrMost, http.StatusConflict, "passkeys_most"},
	{signin.ErrName, http.StatusUnprocessableEntity, "name"},
	{signin.ErrNoAccount, http.StatusForbidden, "no_account"},
	{signin.ErrRefused, http.StatusUnauthorized, "company_refused"},
	{signin.ErrProvider, http.StatusServiceUnavailable, "company_down"},
	{staff.ErrPasswordShort, http.StatusUnprocessableEntity, "password_short"},
	{staff.ErrPasswordLong, http.StatusUnprocessableEntity, "password_long"},
	{staff.ErrPasswordCommon, http.StatusUnprocessableEntity, "password_common"},
	{staff.ErrPasswordNames, http.StatusUnprocessableEntity, "password_names"},
	{staff.ErrPasswordSame, http.StatusUnprocessableEntity, "password_same"},
	{trail.ErrCardNumber, http.StatusUnprocessableEntity, "card_number"},
	{trail.ErrTooLong, http.StatusUnprocessableEntity, "too_long"},
	{payer.ErrNoSession, http.StatusUnauthorized, "session"},
	{payer.ErrDoor, http.StatusServiceUnavailable, "door"},
	{seal.ErrNotOurs, http.StatusBadRequest, "bad_request"},
	{ErrSignature, http.StatusForbidden, "signature"},
	{ErrCrossSite, http.StatusForbidden, "cross_site"},
	{ErrStreams, http.StatusTooManyRequests, "streams"},
	{pay.ErrOtherAccount, http.StatusBadRequest, "other_account"},
	{link.ErrTooMany, http.StatusTooManyRequests, "too_many"},
	{link.ErrUnknown, http.StatusGone, "dead"},
	{pay.ErrClosed, http.StatusGone, "closed"},
	{pay.ErrElsewhere, http.StatusConflict, "paying"},
	{pay.ErrOtherLink, http.StatusConflict, "other_link"},
	{pay.ErrTerms, http.StatusConflict, "terms"},
	{pay.ErrLive, http.StatusConflict, "live"},
	{pay.ErrTotalMoved, http.StatusConflict, "total_moved"},
	{pay.ErrResends, http.StatusConflict, "resends"},
	{pay.ErrNeedsReview, http.StatusConflict, "review"},
	{pay.ErrPaused, http.StatusConflict, "paused"},
	{pay.ErrAccountBusy, http.StatusConflict, "account_busy"},
	{pay.ErrRefunding, http.StatusConflict, "refunding"},
	{pay.ErrNotCharged, http.StatusConflict, "not_charged"},
	{pay.ErrCharged, http.StatusConflict, "charged"},
	{account.ErrSameCard, http.StatusConflict, "same_card"},
	{wallet.ErrNotSetUp, http.StatusConflict, "not_set_up"},
	{wallet.ErrMost, http.StatusConflict, "cards_most"},
	{wallet.ErrInUse, http.StatusConflict, "card_in_use"},
	{wallet.ErrDead, http.StatusUnprocessableEntity, "card_dead"},
	{pay.ErrTooMuch, http.StatusUnprocessableEntity, "too_much"},
	{quote.ErrFee, http.StatusConflict, "fee"},
	{quote.ErrNone, http.StatusUnprocessableEntity, "no_fee"},
	{quote.ErrCount, http.StatusUnprocessableEntity, "count"},
	{agent.ErrWhere, http.StatusUnprocessableEntity, "where"},
	{pay.ErrBlocked, http.StatusUnprocessableEntity, "blocked"},
	{pay.ErrBrand, http.StatusUnprocessableEntity, "brand"},
	{pay.ErrCard, http.StatusUnprocessableEntity, "card"},
	{phone.ErrInvalid, http.StatusUnprocessableEntity, "phone_invalid"},
	{phone.ErrNotMobile, http.StatusUnprocessableEntity, "phone_not_mobile"},
	{pay.ErrNotReady, http.StatusServiceUnavailable, "not_ready"},
	{pay.ErrUnavailable, http.StatusServiceUnavailable, "unavailable"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "slow"},
}

// ProblemOf looks an error up.
func ProblemOf(err error) Problem {
	for _, p := range problems {
		if errors.Is(err, p.err) {
			out := Problem{Status: p.status, Code: p.code, Err: err}
			switch out.Status {
			case http.StatusTooManyRequests:
				out.RetryAfter = time.Minute
			case http.StatusServiceUnavailable:
				out.RetryAfter = 5 * time.Second
			}
			return out
		}
	}
	return Problem{Status: http.StatusInternalServerError, Code: "error", Err: err}
}
