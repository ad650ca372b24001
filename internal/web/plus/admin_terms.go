package plus

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gorilla/mux"

	"paylink/internal/account"
	"paylink/internal/desk/admin"
	"paylink/internal/lang"
	"paylink/internal/staff"
	"paylink/internal/web"
)

func termsAddress(number string) string { return adminHome + "/terms/" + url.PathEscape(number) }

func termsTitle(kind account.Terms) string {
	if kind == account.CardTerms {
		return "Terms of keeping a card"
	}
	return "Payment terms"
}

func publishedBy(id string, names map[string]string) string {
	if id == "" {
		return "The service"
	}
	return names[id]
}

// terms is GET /plus/admin/terms.
func (s *server) terms(r *web.Request, who staff.Member) (web.Answer, error) {
	list, err := s.Admin.Terms(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	page := TermsList{Admin: s.adminPage(r, who, typed{})}
	rows := func(all []admin.Version) (out []TermsRow) {
		for i, v := range all {
			out = append(out, TermsRow{Address: termsAddress(v.Number), Number: admin.Said(v.Number), By: publishedBy(v.By, list.Names), From: utc(v.From), InForce: i == 0})
		}
		return out
	}
	page.Kinds = []TermsKind{
		{Kind: string(account.PaymentTerms), Title: termsTitle(account.PaymentTerms), Text: "What whoever pays once agrees to.", Rows: rows(list.Versions)},
		{Kind: string(account.CardTerms), Title: termsTitle(account.CardTerms), Text: "What a client agrees to whose card is kept.", Rows: rows(list.Cards)},
	}
	return s.Pages.Page(http.StatusOK, TermsPage, page)
}

// termsVersion is GET /plus/admin/terms/{version}.
func (s *server) termsVersion(r *web.Request, who staff.Member) (web.Answer, error) {
	v, err := s.Admin.TermsVersion(r.Context(), who, mux.Vars(r.Request)["version"])
	if err != nil {
		return web.Answer{}, err
	}
	page := TermsVersion{Admin: s.adminPage(r, who, typed{}), Title: termsTitle(admin.KindOf(v.Number)), Number: admin.Said(v.Number), From: utc(v.From), Until: utc(v.Until), InForce: v.Until.IsZero()}
	page.By = publishedBy(v.By, v.Names)
	page.Trail = trailRows(v.History)
	if v.Before != nil {
		page.Before, page.BeforeAddress = admin.Said(v.Before.Number), termsAddress(v.Before.Number)
	}
	page.Texts = s.termsTexts(v.Version, v.Before)
	return s.Pages.Page(http.StatusOK, VersionPage, page)
}

// termsTexts are a version in each language, as payers read it, and how it differs from the one before.
func (s *server) termsTexts(v admin.Version, before *admin.Version) []TermsText {
	var out []TermsText
	for _, l := range lang.All {
		read := lang.ReadTerms(v.Texts[l].Source, s.Brand, s.Support.National())
		t := TermsText{Code: string(l), Language: languageName(string(l)), Hash: v.Texts[l].SHA256, Title: read.Title, Note: read.Note}
		for _, p := range read.Parts {
			t.Parts = append(t.Parts, TermsTextPart(p))
		}
		if before != nil {
			t.Lines = differences(before.Texts[l].Source, v.Texts[l].Source)
			t.Same = len(t.Lines) == 0
		}
		out = append(out, t)
	}
	return out
}

// newTerms is GET /plus/admin/terms/new.
func (s *server) newTerms(r *web.Request, who staff.Member) (web.Answer, error) {
	kind := account.PaymentTerms
	if r.URL.Query().Get("kind") == string(account.CardTerms) {
		kind = account.CardTerms
	}
	draft, err := s.Admin.NewTerms(r.Context(), who, kind)
	if err != nil {
		return web.Answer{}, err
	}
	return s.draftPage(r, who, http.StatusOK, typed{}, draft)
}

func (s *server) draftPage(r *web.Request, who staff.Member, status int, t typed, draft admin.Draft) (web.Answer, error) {
	form := Form{Action: adminHome + "/terms", Do: "Preview"}
	for _, l := range lang.All {
		name := string(l)
		form.Inputs = append(form.Inputs, Input{Kind: "area", Name: name, Label: languageName(name), Value: t.value(name, draft.Sources[l]), Error: t.wrong[name], Lang: name})
	}
	return s.Pages.Page(status, DraftPage, TermsDraft{Admin: s.adminPage(r, who, t), Title: termsTitle(admin.KindOf(draft.After)), After: draft.After, AfterSaid: admin.Said(draft.After), Number: admin.Said(draft.Number()), Form: &form})
}

// publishTerms is POST /plus/admin/terms. It comes twice: first to be read as the payer will read it, and then, confirmed, to publish.
func (s *server) publishTerms(r *web.Request, who staff.Member) (web.Answer, error) {
	t, err := s.sent(r)
	if err != nil {
		return web.Answer{}, err
	}
	draft := admin.Draft{After: t.form.Get("after"), Sources: map[lang.Lang]string{}}
	for _, l := range lang.All {
		draft.Sources[l] = t.form.Get(string(l))
	}
	var before, next admin.Version
	switch {
	case t.form.Get("edit") != "": // back from the preview
		if _, err = s.Admin.NewTerms(r.Context(), who, admin.KindOf(draft.After)); err == nil {
			return s.draftPage(r, who, http.StatusOK, t, draft)
		}
	case t.form.Get("confirmed") != "":
		if err = s.Admin.Publish(r.Context(), who, draft); err == nil {
			return web.Redirect(termsAddress(draft.Number())), nil
		}
	default:
		before, next, err = s.Admin.LookAtTerms(r.Context(), who, draft)
	}
	if err != nil {
		status, known := t.no(err, string(lang.English), string(lang.Spanish))
		if !known {
			return web.Answer{}, err
		}
		if t.moved { // what was typed goes on after the version that is in force now
			now, err := s.Admin.NewTerms(r.Context(), who, admin.KindOf(draft.After))
			if err != nil {
				return web.Answer{}, err
			}
			draft.After = now.After
			t.alert = "Nothing was published: version " + admin.Said(now.After) + " was published while you wrote. Read it, see whether yours still is right, and name version " + admin.Said(draft.Number()) + " in the first line."
		}
		return s.draftPage(r, who, status, t, draft)
	}
	page := TermsDraft{Admin: s.adminPage(r, who, typed{}), Title: termsTitle(admin.KindOf(next.Number)), After: draft.After, AfterSaid: admin.Said(draft.After), Number: admin.Said(next.Number), Texts: s.termsTexts(next, &before)}
	for _, l := range lang.All {
		page.Hidden = append(page.Hidden, Reads{string(l), next.Texts[l].Source})
	}
	return s.Pages.Page(http.StatusOK, DraftPage, page)
}

const (
	diffAround = 1    // lines that stand around a difference
	diffMost   = 2000 // lines of a text that are compared one by one
)

// differences are the lines that are different in two texts, in order, with what stands around them; none where they are the same.
func differences(before, after string) []DiffLine {
	a, b := textLines(before), textLines(after)
	if len(a) > diffMost || len(b) > diffMost {
		return []DiffLine{{"…", "The texts are too long to be compared."}}
	}
	// same[i][j] is how many lines a[i:] and b[j:] have in common, in order.
	same := make([][]int, len(a)+1)
	for i := range same {
		same[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if same[i][j] = max(same[i+1][j], same[i][j+1]); a[i] == b[j] {
				same[i][j] = same[i+1][j+1] + 1
			}
		}
	}
	var all []DiffLine
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			all = append(all, DiffLine{" ", a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && same[i+1][j] >= same[i][j+1]:
			all = append(all, DiffLine{"-", a[i]})
			i++
		default:
			all = append(all, DiffLine{"+", b[j]})
			j++
		}
	}
	near := make([]bool, len(all))
	for i, line := range all {
		if line.Sign != " " {
			for n := max(0, i-diffAround); n <= min(len(all)-1, i+diffAround); n++ {
				near[n] = true
			}
		}
	}
	var out []DiffLine
	for i, line := range all {
		switch {
		case near[i]:
			out = append(out, line)
		case len(out) > 0 && out[len(out)-1].Sign != "…":
			out = append(out, DiffLine{Sign: "…"})
		}
	}
	if n := len(out); n > 0 && out[n-1].Sign == "…" {
		out = out[:n-1]
	}
	return out
}

// textLines are the lines of a text that say something.
func textLines(text string) []string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) != "" {
			out = append(out, line)
		}
	}
	return out
}
