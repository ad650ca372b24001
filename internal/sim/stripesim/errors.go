package stripesim

import "fmt"

// Error types as the API names them.
const (
	typeInvalid     = "invalid_request_error"
	typeCard        = "card_error"
	typeAPI         = "api_error"
	typeIdempotency = "idempotency_error"
)

// apiError is one refusal in Stripe's shape. Messages are our own words; types and codes are Stripe's.
type apiError struct {
	status      int
	kind        string
	code        string
	declineCode string
	message     string
	param       string
	charge      string
	// Full objects that some errors carry.
	paymentIntent, paymentMethod, setupIntent object

	// unsaved: the endpoint never began, so an idempotency key does not remember this answer.
	unsaved bool
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s %s", e.status, e.kind, e.code) }

// body renders the error as it goes over the wire; requestID may be empty (last_payment_error has none).
func (e *apiError) body(requestID string) object {
	o := object{"type": e.kind, "message": e.message}
	put := func(name, value string) {
		if value != "" {
			o[name] = value
		}
	}
	put("code", e.code)
	put("decline_code", e.declineCode)
	put("param", e.param)
	put("charge", e.charge)
	if e.code != "" {
		o["doc_url"] = "https://stripe.com/docs/error-codes/" + dashed(e.code)
	}
	if e.paymentIntent != nil {
		o["payment_intent"] = e.paymentIntent
	}
	if e.paymentMethod != nil {
		o["payment_method"] = e.paymentMethod
	}
	if e.setupIntent != nil {
		o["setup_intent"] = e.setupIntent
	}
	if requestID != "" {
		o["request_log_url"] = "https://dashboard.stripe.com/test/logs/" + requestID
	}
	return o
}

func dashed(code string) string {
	b := []byte(code)
	for i := range b {
		if b[i] == '_' {
			b[i] = '-'
		}
	}
	return string(b)
}

// invalid is a refusal of the request as such: it is found before the endpoint begins.
func invalid(code, param, format string, args ...any) *apiError {
	return &apiError{status: 400, kind: typeInvalid, code: code, param: param, message: fmt.Sprintf(format, args...), unsaved: true}
}

// refused is a refusal that the endpoint itself decided, by the state of things.
func refused(code, param, format string, args ...any) *apiError {
	return &apiError{status: 400, kind: typeInvalid, code: code, param: param, message: fmt.Sprintf(format, args...)}
}

// missing says that an object is not there: 404 in the address (param "id" or the like), 400 in a parameter.
func missing(status int, noun, id, param string) *apiError {
	return &apiError{status: status, kind: typeInvalid, code: "resource_missing", param: param,
		message: fmt.Sprintf("No such %s: '%s'", noun, id)}
}

func serverError(message string) *apiError {
	return &apiError{status: 500, kind: typeAPI, message: message}
}
