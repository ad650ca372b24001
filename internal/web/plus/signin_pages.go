package plus

// Names of the pages, for web.Pages.Render.
const (
	SignInPage   = "plus/sign-in"     // SignIn
	SecondPage   = "plus/second-step" // Second
	CompanyPage  = "plus/sign-on"     // GoToCompany
	MePage       = "plus/me"          // Me
	PasswordPage = "plus/password"    // Password
	ProvePage    = "plus/prove"       // Prove
	CodesPage    = "plus/codes"       // Codes
	RecoveryPage = "plus/recovery"    // Recovery
)

// SignIn is GET /plus/ for a stranger, and every page whose session is over.
type SignIn struct {
	Chrome
	Login         string
	Back          string // where to go on after signing in
	Over          bool   // somebody came for another page
	Error         string
	WrongPassword bool // and it is about the fields
	Passkeys      bool // browsers take passkeys at this address
	Company       bool // the company has a sign-in of its own
}

// Second is the second step of signing in by password.
type Second struct {
	Chrome
	Back     string
	Passkeys bool
	Error    string
}

// GoToCompany is the page on the way to the company's sign-in.
type GoToCompany struct {
	Chrome
	Address string
}

// Me is somebody's own account.
type Me struct {
	Chrome
	Login, Role, Email string
	Password           string // when it was set; "" for somebody who has none
	SignedIn           string // "by password since Mar 2, 2026, 3:04 PM UTC"
	Said               string // what was just done
	Codes              string // since when an app is set up; "" for none
	Recovery           int    // codes that are left
	Second             bool
	Mine               []Key
	MayAdd             bool
	Passkeys           bool
}

// Key is one of somebody's passkeys.
type Key struct{ ID, Name, Added, Used string }

// Password is the page for choosing another password.
type Password struct {
	Chrome
	Login    string
	Must     bool // the old one is temporary, and nothing else is to be had
	Back     string
	OldError string
	NewError string
	Least    int // characters
	Most     int
	Focus    string
}

// Prove asks somebody who is signed in to prove again that it is they.
type Prove struct {
	Chrome
	Login    string
	Back     string
	Error    string
	Passkeys bool
	Company  bool
}

// Codes is an authenticator app that is being set up.
type Codes struct {
	Chrome
	Secret  string
	Address string
	Box     string
	QR      QR
	Again   bool // there is one already, which this will replace
	Error   string
}

// Recovery shows new recovery codes, once.
type Recovery struct {
	Chrome
	Codes []string
	Set   bool // with an app that was just set up
}
