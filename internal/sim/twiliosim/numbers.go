package twiliosim

import (
	"net/http"
	"strings"
)

// Number is one that does something on purpose.
type Number struct {
	Number string // E.164
	Does   string // in a few words, for people
}

// Numbers lists every number that does something on purpose, in the order shown on the phone.
// The +1 500 555 ones are Twilio's own magic numbers (https://www.twilio.com/docs/iam/test-credentials).
func Numbers() []Number {
	return []Number{
		{"+18045550175", "30012, validity period too small"},
		{"+18045550176", "30034, sender not registered"},
		{"+18045550177", "30045, validity period out of range"},
		{"+18045550178", "30036, validity over, at once"},
		{"+18045550180", "Landline (to 0184): Lookup says so, a text ends in 30006"},
		{"+18045550185", "Internet telephone: Lookup says nonFixedVoip"},
		{"+18045550186", "Lookup does not know the line"},
		{"+18045550187", "Lookup answers 503"},
		{"+18045550188", "Lookup never answers"},
		{"+18045550190", "Queued for ever; 30036 when its validity is over"},
		{"+18045550191", "30003, phone unreachable"},
		{"+18045550192", "30004, blocked"},
		{"+18045550193", "30005, unknown number"},
		{"+18045550194", "30006, landline or unreachable carrier"},
		{"+18045550195", "30007, filtered by the carrier"},
		{"+18045550196", "30008, unknown error"},
		{"+18045550197", "21610 when sending: opted out"},
		{"+18045550198", "Delivered, but no callback ever comes"},
		{"+18045550199", "20429 slow down, then accepted, in turn"},
		{"+15005550001", "21211 when sending: not a number"},
		{"+15005550002", "21612 when sending: no route"},
		{"+15005550003", "21408 when sending: region not allowed"},
		{"+15005550004", "21610 when sending: opted out"},
		{"+15005550009", "21614 when sending: cannot receive texts"},
	}
}

// Meaning returns Twilio's words for an error code of a message, empty for 0
// (https://www.twilio.com/docs/api/errors).
func Meaning(code int) string {
	switch code {
	case 0:
		return ""
	case 11200:
		return "HTTP retrieval failure"
	case 21610:
		return "Attempt to send to unsubscribed recipient"
	case 30003:
		return "Unreachable destination handset"
	case 30004:
		return "Message blocked"
	case 30005:
		return "Unknown destination handset"
	case 30006:
		return "Landline or unreachable carrier"
	case 30007:
		return "Message filtered"
	case 30008:
		return "Unknown error"
	case 30012:
		return "TTL is too small"
	case 30034:
		return "Message from an Unregistered Number"
	case 30036:
		return "Validity Period Expired"
	case 30045:
		return "Validity Period is less than zero or greater than maximum allowed"
	}
	return "Unknown error"
}

// Invented tells whether the E.164 number is one that nobody can own: +1, any area code, exchange 555.
// 555-1212 is directory assistance and therefore real.
func Invented(number string) bool {
	if len(number) != 12 || !strings.HasPrefix(number, "+1") || number[5:8] != "555" || number[2] < '2' {
		return false
	}
	for _, c := range number[1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return number[8:] != "1212"
}

// e164 does what Twilio does for an account in the US: punctuation goes, ten digits get +1. What is no number comes back as it was.
func e164(given string) string {
	trimmed := strings.TrimSpace(given)
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" ()-.\u00a0", r) {
			return -1
		}
		return r
	}, trimmed)
	if strings.Trim(strings.TrimPrefix(digits, "+"), "0123456789") != "" {
		return given
	}
	switch {
	case strings.HasPrefix(digits, "+"):
		return digits
	case len(digits) == 10:
		return "+1" + digits
	case len(digits) == 11 && digits[0] == '1':
		return "+" + digits
	}
	return given
}

// masked is how Twilio writes a number that it refuses.
func masked(number string) string {
	if len(number) < 5 {
		return number
	}
	return number[:len(number)-4] + "XXXX"
}

// refusedTo returns Twilio's refusal of a number, ok when it takes it. Anything that is not invented is refused as invalid: the guard rail.
func refusedTo(to string) (p problem, ok bool) {
	bad := func(code int, message string) (problem, bool) {
		return problem{code, http.StatusBadRequest, message}, false
	}
	switch to {
	case "+15005550001":
		return bad(21211, "Invalid 'To' Phone Number: "+masked(to))
	case "+15005550002":
		return bad(21612, "Message cannot be sent with the current combination of 'To' ("+to+") and/or 'From' parameters.")
	case "+15005550003":
		return bad(21408, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: "+masked(to))
	case "+15005550009":
		return bad(21614, "'To' number is not a valid mobile number: "+masked(to))
	}
	if !Invented(to) {
		return bad(21211, "Invalid 'To' Phone Number: "+masked(to)+". This is a simulator: it takes invented numbers only (exchange 555)")
	}
	return problem{}, true
}

// refusedFrom is the same for the sender.
func (s *Server) refusedFrom(from string) (p problem, ok bool) {
	switch from {
	case s.ours(), "+15005550006":
		return problem{}, true
	case "+15005550001":
		return problem{21212, http.StatusBadRequest, "Invalid From Number (caller ID): " + from}, false
	case "+15005550008":
		return problem{21611, http.StatusTooManyRequests, "This 'From' number has exceeded the maximum number of queued messages"}, false
	}
	return problem{21606, http.StatusBadRequest, "The 'From' phone number provided (" + from + ") is not a valid message-capable Twilio phone number for this destination"}, false
}

// fate is what becomes of a text.
type fate struct {
	code       int  // it ends with this error, 0: delivered
	inQueue    bool // the error strikes before it is sent (failed, not undelivered)
	neverSent  bool
	noCallback bool
}

func fateOf(to string) fate {
	switch to {
	case "+18045550175":
		return fate{code: 30012, inQueue: true}
	case "+18045550176":
		return fate{code: 30034}
	case "+18045550177":
		return fate{code: 30045, inQueue: true}
	case "+18045550178":
		return fate{code: 30036, inQueue: true}
	case "+18045550180", "+18045550181", "+18045550182", "+18045550183", "+18045550184", "+18045550194":
		return fate{code: 30006}
	case "+18045550190":
		return fate{neverSent: true}
	case "+18045550191":
		return fate{code: 30003}
	case "+18045550192":
		return fate{code: 30004}
	case "+18045550193":
		return fate{code: 30005}
	case "+18045550195":
		return fate{code: 30007}
	case "+18045550196":
		return fate{code: 30008}
	case "+18045550198":
		return fate{noCallback: true}
	}
	return fate{}
}
