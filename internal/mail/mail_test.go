package mail_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"paylink/internal/mail"
	"paylink/internal/post"
	"paylink/internal/sim/smtpsim"
)

var now = time.Date(2026, 3, 10, 18, 14, 0, 0, time.UTC)

func office(t *testing.T, host string) (*smtpsim.Server, string) {
	t.Helper()
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	s := smtpsim.New(func() time.Time { return now })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(l) // it ends with Close
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
	})
	return s, "smtp://" + l.Addr().String()
}

func carrier(t *testing.T, url string) *mail.Carrier {
	t.Helper()
	c, err := mail.New(mail.Config{
		URL: url, From: "account@interlane.example", House: post.House{Brand: "Interlane", Support: "(804) 555-0100", URL: "https://my.interlane.example"}, Now: func() time.Time { return now }, Timeout: 2 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var invitation = post.Letter{ID: "letter-1", Kind: post.Invitation, Language: "es", To: "ana@clients.interlane.example", Values: map[string]string{"id": "100046"}, Secret: "río-<seguro>-48"}

func TestALetterComesAsItWasWritten(t *testing.T) {
	s, url := office(t, "127.0.0.1")
	c := carrier(t, url)
	for range 2 { // a worker that died after the server had taken it leaves it to the next one
		if err := c.Send(context.Background(), invitation); err != nil {
			t.Fatal(err)
		}
	}
	letters := s.Letters()
	if len(letters) != 1 {
		t.Fatalf("%d letters: two of one id are one", len(letters))
	}
	l := letters[0]
	if l.To != invitation.To || l.From != "account@interlane.example" || l.Subject != "Su cuenta My Account de Interlane está lista" || l.ID != "letter-1@interlane.example" {
		t.Errorf("%s, %s, %q, %s", l.From, l.To, l.Subject, l.ID)
	}
	for _, want := range []string{"Bienvenido", "100046", "río-<seguro>-48", "https://my.interlane.example/my/?lang=es", "(804) 555-0100"} {
		if !strings.Contains(l.Text, want) {
			t.Errorf("the text does not say %q:\n%s", want, l.Text)
		}
	}
	for _, want := range []string{`<html lang="es">`, "Bienvenido", "río-&lt;seguro&gt;-48", `href="https://my.interlane.example/my/?lang=es"`} {
		if !strings.Contains(l.HTML, want) {
			t.Errorf("the page does not say %q:\n%s", want, l.HTML)
		}
	}
	if strings.Contains(l.Text+l.HTML+l.Subject, "⟦") || strings.Contains(l.Text+l.HTML, "%!") {
		t.Errorf("a text is missing:\n%s", l.Text)
	}
}

func TestWhatTheServerSaysIsToldApart(t *testing.T) {
	s, url := office(t, "127.0.0.1")
	c := carrier(t, url)
	for code, want := range map[int]error{451: post.ErrUnsent, 421: post.ErrUnsent, 550: post.ErrRefused, 552: post.ErrRefused} {
		s.SetFaults(smtpsim.Faults{Code: code})
		err := c.Send(context.Background(), invitation)
		if !errors.Is(err, want) || strings.Contains(err.Error(), "ana@") {
			t.Errorf("%d: %v", code, err)
		}
	}
	s.SetFaults(smtpsim.Faults{})
	if err := c.Send(context.Background(), post.Letter{ID: "x", Kind: "nonsense", To: "a@b.example"}); !errors.Is(err, post.ErrRefused) {
		t.Errorf("a letter without words: %v", err)
	}
	if err := c.Send(context.Background(), post.Letter{ID: "x", Kind: post.Invitation, To: "nobody", Values: invitation.Values}); !errors.Is(err, post.ErrRefused) {
		t.Errorf("an address that is none: %v", err)
	}
	if n := len(s.Letters()); n != 0 {
		t.Errorf("%d letters were taken", n)
	}
	_ = s.Close()
	if err := c.Send(context.Background(), invitation); !errors.Is(err, post.ErrUnsent) || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("nobody there: %v", err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	if err := carrier(t, "smtp://"+silent.Addr().String()).Send(context.Background(), invitation); !errors.Is(err, post.ErrUnsent) {
		t.Errorf("a server that says nothing: %v", err)
	}
}

func TestOnlyAddressesThatKeepPasswordsAreTaken(t *testing.T) {
	for url, ok := range map[string]bool{
		"smtps://user:pass@mail.example.com": true, "smtp://user:pass@mail.example.com:2525": true, "smtp://mail.example.com": true, "smtp://127.0.0.1:25": true,
		"http://mail.example.com": false, "smtp://": false, "smtp://user@mail.example.com": false, "smtp://mail.example.com/path": false, "smtp://mail.example.com?tls=no": false, "": false,
		"smtp://h:99999": false, "smtp://u:secret@[": false,
	} {
		err := mail.CheckURL(url)
		if (err == nil) != ok || err != nil && (!errors.Is(err, mail.ErrURL) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := mail.New(mail.Config{URL: "smtp://127.0.0.1", From: "Ana <ana@interlane.example>"}); !errors.Is(err, mail.ErrFrom) {
		t.Errorf("a sender with a name: %v", err)
	}
	// A server elsewhere that offers no TLS gets nothing: without STARTTLS the letter stays here.
	s, url := office(t, "127.0.0.2")
	if err := carrier(t, url).Send(context.Background(), invitation); !errors.Is(err, post.ErrUnsent) || len(s.Letters()) != 0 {
		t.Errorf("a letter left without TLS: %v", err)
	}
}
