// Package stripemock holds requests and answers against Stripe's published OpenAPI document (2024-04-10), which
// stripe-mock embeds, and lets a client's requests pass through stripe-mock itself.
//
// It is a module of its own so that the service does not depend on stripe-mock.
package stripemock

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stripe/stripe-mock/embedded"
)

// Spec is Stripe's OpenAPI document.
type Spec struct{ doc *openapi3.T }

// LoadSpec reads the embedded document; that takes a second or two.
func LoadSpec() (*Spec, error) {
	doc, err := openapi3.NewLoader().LoadFromData(embedded.OpenAPISpec)
	if err != nil {
		return nil, fmt.Errorf("stripe's OpenAPI document: %w", err)
	}
	return &Spec{doc}, nil
}

// operation finds the endpoint of a request; a literal part of a path wins over a parameter.
func (s *Spec) operation(method, path string) *openapi3.Operation {
	var best *openapi3.Operation
	fewest := 100
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for template, item := range s.doc.Paths.Map() {
		op := item.GetOperation(method)
		names := strings.Split(strings.Trim(template, "/"), "/")
		if op == nil || len(names) != len(parts) {
			continue
		}
		params, fits := 0, true
		for i, name := range names {
			if strings.HasPrefix(name, "{") {
				params++
			} else if name != parts[i] {
				fits = false
				break
			}
		}
		if fits && params < fewest {
			best, fewest = op, params
		}
	}
	return best
}

// CheckAnswer says where an answer differs from the document: values that do not fit, required fields that are not
// there, and fields that the document does not know. Each problem begins with the object's type and the path in it.
func (s *Spec) CheckAnswer(method, path string, status int, body []byte) []string {
	op := s.operation(method, path)
	if op == nil {
		return []string{method + " " + path + " is not in the document"}
	}
	answer := op.Responses.Status(status)
	if answer == nil {
		answer = op.Responses.Default()
	}
	media := answer.Value.Content.Get("application/json")
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return []string{"not JSON: " + err.Error()}
	}
	return s.CheckValue(media.Schema, value)
}

// CheckObject holds one object, an event's for instance, against a named schema.
func (s *Spec) CheckObject(schema string, body []byte) []string {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return []string{"not JSON: " + err.Error()}
	}
	ref := s.doc.Components.Schemas[schema]
	if ref == nil {
		return []string{"no schema " + schema}
	}
	return s.CheckValue(ref, value)
}

// CheckValue holds a decoded JSON value against a schema.
func (s *Spec) CheckValue(ref *openapi3.SchemaRef, value any) []string {
	var problems []string
	noteErrors(ref.Value.VisitJSON(value, openapi3.MultiErrors()), &problems)
	unknownFields(ref, value, "", &problems)
	slices.Sort(problems)
	return slices.Compact(problems)
}

func noteErrors(err error, problems *[]string) {
	switch e := err.(type) {
	case nil:
	case openapi3.MultiError:
		for _, one := range e {
			noteErrors(one, problems)
		}
	case *openapi3.SchemaError:
		*problems = append(*problems, strings.Join(e.JSONPointer(), ".")+": "+e.Reason)
	default:
		*problems = append(*problems, err.Error())
	}
}

// unknownFields walks the answer beside its schema and reports fields that Stripe's objects do not have.
func unknownFields(ref *openapi3.SchemaRef, value any, path string, problems *[]string) {
	schema := ref.Value
	if len(schema.AnyOf) > 0 {
		if ref = fitting(schema.AnyOf, value); ref == nil {
			return
		}
		schema = ref.Value
	}
	switch v := value.(type) {
	case map[string]any:
		if len(schema.Properties) == 0 {
			return // free: metadata, or an object whose fields the document leaves open
		}
		for name, inner := range v {
			at := strings.TrimPrefix(path+"."+name, ".")
			property := schema.Properties[name]
			switch {
			case property != nil:
				unknownFields(property, inner, at, problems)
			case schema.AdditionalProperties.Schema == nil:
				*problems = append(*problems, at+": unknown field of "+title(ref))
			}
		}
	case []any:
		if schema.Items == nil {
			return
		}
		for _, inner := range v {
			unknownFields(schema.Items, inner, path+"[]", problems)
		}
	}
}

func title(ref *openapi3.SchemaRef) string {
	if ref.Ref != "" {
		return ref.Ref[strings.LastIndex(ref.Ref, "/")+1:]
	}
	return ref.Value.Title
}

// fitting picks the alternative that the value is: by its object field if it has one, else the first that it fits.
func fitting(refs openapi3.SchemaRefs, value any) *openapi3.SchemaRef {
	if m, ok := value.(map[string]any); ok {
		for _, ref := range refs {
			object := ref.Value.Properties["object"]
			if object != nil && slices.Contains(object.Value.Enum, m["object"]) && (ref.Value.Properties["deleted"] != nil) == (m["deleted"] != nil) {
				return ref
			}
		}
	}
	for _, ref := range refs {
		if ref.Value.VisitJSON(value) == nil {
			return ref
		}
	}
	return nil
}

// CheckRequest names the parameters of a request, however deeply nested, that the document does not know. stripe-mock
// itself looks at the outermost level only.
func (s *Spec) CheckRequest(method, path string, query, form url.Values) []string {
	op := s.operation(method, path)
	if op == nil {
		return []string{method + " " + path + " is not in the document"}
	}
	var problems []string
	for key := range query {
		top, rest := split(key)
		var found *openapi3.SchemaRef
		for _, p := range op.Parameters {
			if p.Value.In == "query" && p.Value.Name == top {
				found = p.Value.Schema
			}
		}
		if found == nil || !known(found, rest) {
			problems = append(problems, key)
		}
	}
	var body *openapi3.SchemaRef
	if op.RequestBody != nil {
		if media := op.RequestBody.Value.Content.Get("application/x-www-form-urlencoded"); media != nil {
			body = media.Schema
		}
	}
	for key := range form {
		top, rest := split(key)
		if body == nil || !known(body, append([]string{top}, rest...)) {
			problems = append(problems, key)
		}
	}
	slices.Sort(problems)
	return problems
}

// split takes a[b][0] apart: a, and b, 0.
func split(key string) (string, []string) {
	top, rest, nested := strings.Cut(key, "[")
	if !nested {
		return top, nil
	}
	return top, strings.Split(strings.TrimSuffix(rest, "]"), "][")
}

// known follows the names into the schema.
func known(ref *openapi3.SchemaRef, names []string) bool {
	schema := ref.Value
	for _, alternative := range slices.Concat(schema.AnyOf, schema.OneOf) {
		if known(alternative, names) {
			return true
		}
	}
	switch {
	case len(schema.AnyOf)+len(schema.OneOf) > 0:
		return false
	case len(names) == 0:
		return true
	case schema.Items != nil:
		return known(schema.Items, names[1:])
	case schema.Properties[names[0]] != nil:
		return known(schema.Properties[names[0]], names[1:])
	case schema.AdditionalProperties.Schema != nil:
		return known(schema.AdditionalProperties.Schema, names[1:])
	}
	return false
}
