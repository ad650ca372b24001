package stripesim

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
)

// secure says when a card asks for 3-D Secure.
type secure int

const (
	secureNever    secure = iota
	secureOnDemand        // only if the request asks for it
	secureUnlessSetUp
	secureAlways
)

// decline is how an issuer refuses a charge.
type decline struct {
	code, declineCode, message, param string
	blocked                           bool // stopped by Stripe's own rules before it reached the bank
}

var (
	genericDecline    = decline{"card_declined", "generic_decline", "Your card was declined.", "", false}
	insufficientFunds = decline{"card_declined", "insufficient_funds", "Your card has insufficient funds.", "", false}
	lostCard          = decline{"card_declined", "lost_card", "Your card was declined.", "", false}
	stolenCard        = decline{"card_declined", "stolen_card", "Your card was declined.", "", false}
	overVelocity      = decline{"card_declined", "card_velocity_exceeded", "Your card was declined for going over its limit.", "", false}
	expiredCard       = decline{"expired_card", "expired_card", "Your card has expired.", "exp_month", false}
	incorrectCVC      = decline{"incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", "cvc", false}
	processingFailed  = decline{"processing_error", "processing_error", "The bank could not process your card. Try again in a little while.", "", false}
	fraudulent        = decline{"card_declined", "fraudulent", "Your card was declined.", "", true}
	needsAuth         = decline{"authentication_required", "authentication_required", "Your card was declined. This payment requires authentication.", "", false}
)

// testCard is one number of https://stripe.com/docs/testing and what it does.
type testCard struct {
	number, brand, funding, country string
	token                           string // pm_card_<token> and tok_<token>
	secure                          secure
	decline                         *decline
	attaches                        bool // a declining card that can be attached to a customer all the same
	alreadySetUp                    bool // counts as set up for off-session use from the start
	cvcFails, zipFails, lineFails   bool
	checksUnavailable               bool
	elevated                        bool // risk level elevated
	disputed                        string
	refundPends, refundFails        bool
}

var testCards = []testCard{
	{number: "4242424242424242", brand: "visa", token: "visa", secure: secureOnDemand},
	{number: "4000056655665556", brand: "visa", funding: "debit", token: "visa_debit", secure: secureOnDemand},
	{number: "5555555555554444", brand: "mastercard", token: "mastercard", secure: secureOnDemand},
	{number: "2223003122003222", brand: "mastercard", secure: secureOnDemand},
	{number: "5200828282828210", brand: "mastercard", funding: "debit", token: "mastercard_debit", secure: secureOnDemand},
	{number: "5105105105105100", brand: "mastercard", funding: "prepaid", token: "mastercard_prepaid", secure: secureOnDemand},
	{number: "378282246310005", brand: "amex", token: "amex"},
	{number: "371449635398431", brand: "amex"},
	{number: "6011111111111117", brand: "discover", token: "discover"},
	{number: "6011000990139424", brand: "discover"},
	{number: "3056930009020004", brand: "diners", token: "diners"},
	{number: "36227206271667", brand: "diners"},
	{number: "3566002020360505", brand: "jcb", country: "JP", token: "jcb"},
	{number: "6200000000000005", brand: "unionpay", country: "CN", token: "unionpay"},

	{number: "4000000000000002", brand: "visa", token: "visa_chargeDeclined", decline: &genericDecline},
	{number: "4000000000009995", brand: "visa", token: "visa_chargeDeclinedInsufficientFunds", decline: &insufficientFunds},
	{number: "4000000000009987", brand: "visa", token: "visa_chargeDeclinedLostCard", decline: &lostCard},
	{number: "4000000000009979", brand: "visa", token: "visa_chargeDeclinedStolenCard", decline: &stolenCard},
	{number: "4000000000000069", brand: "visa", token: "chargeDeclinedExpiredCard", decline: &expiredCard},
	{number: "4000000000000127", brand: "visa", token: "chargeDeclinedIncorrectCvc", decline: &incorrectCVC},
	{number: "4000000000000119", brand: "visa", token: "chargeDeclinedProcessingError", decline: &processingFailed},
	{number: "4000000000006975", brand: "visa", token: "visa_chargeDeclinedVelocityLimitExceeded", decline: &overVelocity},
	{number: "4000000000000341", brand: "visa", token: "chargeCustomerFail", decline: &genericDecline, attaches: true},
	{number: "4100000000000019", brand: "visa", token: "radarBlock", decline: &fraudulent},
	{number: "4000000000009235", brand: "visa", token: "riskLevelElevated", elevated: true},
	{number: "4000000000000101", brand: "visa", token: "cvcCheckFail", cvcFails: true},
	{number: "4000000000000036", brand: "visa", token: "avsZipFail", zipFails: true},
	{number: "4000000000000028", brand: "visa", token: "avsLine1Fail", lineFails: true},
	{number: "4000000000000010", brand: "visa", token: "avsFail", zipFails: true, lineFails: true},
	{number: "4000000000000044", brand: "visa", token: "avsUnchecked", checksUnavailable: true},

	{number: "4000002760003184", brand: "visa", country: "DE", token: "authenticationRequired", secure: secureAlways},
	{number: "4000000000003220", brand: "visa", token: "threeDSecure2Required", secure: secureAlways},
	{number: "4000000000003063", brand: "visa", token: "threeDSecureRequired", secure: secureAlways},
	{number: "4000002500003155", brand: "visa", country: "FR", token: "authenticationRequiredOnSetup", secure: secureUnlessSetUp},
	{number: "4000003800000446", brand: "visa", country: "GB", token: "authenticationRequiredSetupForOffSession", secure: secureUnlessSetUp, alreadySetUp: true},
	{number: "4000008400001629", brand: "visa", token: "threeDSecureRequiredChargeDeclined", secure: secureAlways, decline: &genericDecline, attaches: true},
	{number: "4000008260003178", brand: "visa", country: "GB", token: "authenticationRequiredChargeDeclinedInsufficientFunds", secure: secureAlways, decline: &insufficientFunds, attaches: true},
	{number: "4000000000003055", brand: "visa", token: "threeDSecureOptional", secure: secureOnDemand},

	{number: "4000000000000259", brand: "visa", token: "createDispute", disputed: "fraudulent"},
	{number: "4000000000002685", brand: "visa", token: "createDisputeProductNotReceived", disputed: "product_not_received"},
	{number: "4000000000000077", brand: "visa", token: "bypassPending"},
	{number: "4000000000007726", brand: "visa", token: "pendingRefund", refundPends: true},
	{number: "4000000000005126", brand: "visa", token: "refundFail", refundFails: true},
}

// card is a test card as one payment method holds it.
type card struct {
	*testCard
	expMonth, expYear int64
	cvc               bool // a security code was given
}

func (t *testCard) fundingOr() string {
	if t.funding == "" {
		return "credit"
	}
	return t.funding
}

func (t *testCard) countryOr() string {
	if t.country == "" {
		return "US"
	}
	return t.country
}

func (t *testCard) last4() string { return t.number[len(t.number)-4:] }

func (t *testCard) fingerprint() string {
	sum := sha256.Sum256([]byte("stripesim card " + t.number))
	return strings.NewReplacer("-", "a", "_", "b").Replace(base64.RawURLEncoding.EncodeToString(sum[:12]))
}

func cardByNumber(number string) *testCard {
	for i := range testCards {
		if testCards[i].number == number {
			return &testCards[i]
		}
	}
	return nil
}

// cardByToken finds pm_card_visa and tok_visa alike.
func cardByToken(token string) *testCard {
	name, ok := strings.CutPrefix(token, "pm_card_")
	if !ok {
		if name, ok = strings.CutPrefix(token, "tok_"); !ok {
			return nil
		}
	}
	for i := range testCards {
		if testCards[i].token != "" && testCards[i].token == name {
			return &testCards[i]
		}
	}
	// Stripe's own table has both spellings of some of these.
	switch name {
	case "chargeDeclined":
		return cardByToken("pm_card_visa_chargeDeclined")
	case "chargeDeclinedInsufficientFunds":
		return cardByToken("pm_card_visa_chargeDeclinedInsufficientFunds")
	case "chargeDeclinedFraudulent":
		return cardByToken("pm_card_radarBlock")
	}
	return nil
}

func luhn(number string) bool {
	sum, double := 0, false
	for i := len(number) - 1; i >= 0; i-- {
		d := int(number[i] - '0')
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum, double = sum+d, !double
	}
	return sum%10 == 0
}

func cardError(code, declineCode, param, message string) *apiError {
	return &apiError{status: 402, kind: typeCard, code: code, declineCode: declineCode, param: param, message: message}
}

var cardShape = shape{
	"number": is(text), "exp_month": is(text), "exp_year": is(text), "cvc": is(clearable), "token": is(text), "networks": is(anything),
}

// readCard makes a card of card[number]… or card[token]. A publishable key (Stripe.js) may send numbers; a secret key
// may not, as on a Stripe account that was not opened for raw card numbers.
func (c *call) readCard(n *node) (*card, *apiError) {
	now := c.server.now()
	if token := n.text("token"); token != "" {
		t := cardByToken(token)
		if t == nil {
			return nil, missing(400, "token", token, "card[token]")
		}
		return tokenCard(t, now.Year()), nil
	}
	if !n.has("number") {
		return nil, invalid("parameter_missing", "card[number]", "Missing required param: card[number].")
	}
	if !c.public {
		return nil, &apiError{status: 402, kind: typeInvalid, unsaved: true,
			message: "Card numbers are not sent to the API with a secret key. Collect them with Stripe.js, or use a test payment method such as pm_card_visa."}
	}
	number := strings.NewReplacer(" ", "", "-", "").Replace(n.text("number"))
	digits := strings.Trim(number, "0123456789") == ""
	if !digits || len(number) < 12 || len(number) > 19 {
		return nil, cardError("invalid_number", "", "number", "The card number is not a valid card number.")
	}
	if !luhn(number) {
		return nil, cardError("incorrect_number", "", "number", "Your card number is incorrect.")
	}
	month, errM := strconv.ParseInt(n.text("exp_month"), 10, 64)
	if errM != nil || month < 1 || month > 12 {
		return nil, cardError("invalid_expiry_month", "", "exp_month", "Your card's expiration month is invalid.")
	}
	year, errY := strconv.ParseInt(n.text("exp_year"), 10, 64)
	if errY == nil && year < 100 {
		year += 2000
	}
	thisYear, thisMonth := int64(now.Year()), int64(now.Month())
	if errY != nil || year < thisYear || year > thisYear+50 {
		return nil, cardError("invalid_expiry_year", "", "exp_year", "Your card's expiration year is invalid.")
	}
	if year == thisYear && month < thisMonth {
		return nil, cardError("invalid_expiry_month", "", "exp_month", "Your card's expiration month is invalid.")
	}
	t := cardByNumber(number)
	if t == nil {
		return nil, cardError("card_declined", "test_mode_live_card", "",
			"Your card was declined. The request was in test mode, where only the documented test cards work.")
	}
	cvc := n.text("cvc")
	want := 3
	if t.brand == "amex" {
		want = 4
	}
	if cvc != "" && (strings.Trim(cvc, "0123456789") != "" || len(cvc) != want && !(t.brand == "amex" && len(cvc) == 3)) {
		return nil, cardError("invalid_cvc", "", "cvc", "Your card's security code is invalid.")
	}
	return &card{testCard: t, expMonth: month, expYear: year, cvc: cvc != ""}, nil
}

func tokenCard(t *testCard, thisYear int) *card {
	return &card{testCard: t, expMonth: 8, expYear: int64(thisYear) + 1, cvc: true}
}

// check is the result of one check against what the issuer knows.
func (c *card) check(given, fails bool) any {
	switch {
	case !given:
		return nil
	case c.checksUnavailable:
		return "unavailable"
	case fails:
		return "fail"
	}
	return "pass"
}

func (c *card) checks(b billing) object {
	return object{
		"address_line1_check":       c.check(b.line1 != "", c.lineFails),
		"address_postal_code_check": c.check(b.postalCode != "", c.zipFails),
		"cvc_check":                 c.check(c.cvc, c.cvcFails || c.decline != nil && c.decline.code == "incorrect_cvc"),
	}
}
