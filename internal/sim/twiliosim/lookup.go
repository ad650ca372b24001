package twiliosim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// lookup is Lookup v2, GET /v2/PhoneNumbers/{number} (https://www.twilio.com/docs/lookup/v2-api).
func (s *Server) lookup(w http.ResponseWriter, r *http.Request) {
	f := s.fault("lookup")
	if s.before(w, r, f) {
		return
	}
	number := e164(r.PathValue("number"))
	switch number {
	case "+18045550187":
		down(w)
		return
	case "+18045550188":
		s.hold(r, f)
	}
	body := map[string]any{
		"calling_country_code": nil, "country_code": nil, "phone_number": number, "national_format": nil,
		"valid": false, "validation_errors": []string{}, "caller_name": nil, "sim_swap": nil, "call_forwarding": nil,
		"line_status": nil, "line_type_intelligence": nil, "identity_match": nil, "reassigned_number": nil,
		"sms_pumping_risk": nil, "phone_number_quality_score": nil, "pre_fill": nil,
		"url": "https://lookups.twilio.com/v2/PhoneNumbers/" + number,
	}
	if wrong := invalid(number); wrong != "" {
		body["validation_errors"] = []string{wrong}
	} else {
		body["valid"] = true
		body["calling_country_code"], body["country_code"] = "1", "US"
		body["national_format"] = fmt.Sprintf("(%s) %s-%s", number[2:5], number[5:8], number[8:])
		if slices.Contains(strings.Split(r.Form.Get("Fields"), ","), "line_type_intelligence") {
			body["line_type_intelligence"] = line(number)
		}
	}
	if !s.after(w, r, f, http.StatusOK) {
		answer(w, http.StatusOK, body)
	}
}

// invalid returns Lookup's reason, empty if the number is valid. Numbers that are not invented are invalid here.
func invalid(number string) string {
	digits := strings.TrimPrefix(number, "+")
	switch {
	case digits == "" || strings.Trim(digits, "0123456789") != "":
		return "NOT_A_NUMBER"
	case !strings.HasPrefix(number, "+1"):
		return "INVALID_COUNTRY_CODE"
	case len(digits) < 11:
		return "TOO_SHORT"
	case len(digits) > 11:
		return "TOO_LONG"
	case number == "+15005550001" || !Invented(number):
		return "INVALID_BUT_POSSIBLE"
	}
	return ""
}

// line is Lookup's line type intelligence; carriers are invented.
func line(number string) map[string]any {
	shape := func(kind string, carrier any) map[string]any {
		return map[string]any{"mobile_country_code": nil, "mobile_network_code": nil, "carrier_name": carrier, "type": kind, "error_code": nil}
	}
	switch number {
	case "+18045550180", "+18045550181", "+18045550182", "+18045550183", "+18045550184", "+15005550009":
		return shape("landline", "Tidewater Wireline")
	case "+18045550185":
		return shape("nonFixedVoip", "Cloudbank Voice")
	case "+18045550186":
		return shape("unknown", nil)
	}
	mobile := shape("mobile", "Juniper Mobile")
	mobile["mobile_country_code"], mobile["mobile_network_code"] = "310", "999"
	return mobile
}
