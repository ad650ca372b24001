package plus

// Names of the administrators' pages, for web.Pages.Render.
const (
	StaffPage     = "plus/admin-staff"     // StaffList
	PersonPage    = "plus/admin-person"    // Person
	SecretPage    = "plus/admin-secret"    // #nosec G101 -- no credential: a page, Secret
	LocationsPage = "plus/admin-locations" // Locations
	LocationPage  = "plus/admin-location"  // Location
	TermsPage     = "plus/admin-terms"     // TermsList
	VersionPage   = "plus/admin-version"   // TermsVersion
	DraftPage     = "plus/admin-draft"     // TermsDraft
	SurePage      = "plus/admin-sure"      // Sure
)

// Admin is what every page of the administrators' has.
type Admin struct {
	Chrome
	Tabs  []Tab // staff, locations, terms
	May   bool  // who reads may change it
	Alert *Alert
	Focus string
	Trail []TrailRow // what was done to it, the newest first
}

// Input is a field of a form: its kind is "text", "area", "select", "checks" or "radios".
type Input struct {
	Kind, Name, Label, Value, Hint, Error string
	Mode                                  string // inputmode
	Long                                  bool   // as wide as the form
	Most                                  int    // characters; 0: no limit of its own
	Suggest                               []string
	Options                               []InputOption
	Lang                                  string // of what is typed; "" is the page's
}

// InputOption is one of several.
type InputOption struct {
	Value, Label, Hint string
	Chosen             bool
}

// Form is a form with its fields, and where it goes.
type Form struct {
	Action, Do string
	Inputs     []Input
	Version    int64
}

// Reads is what an auditor reads in a form's place.
type Reads struct{ Name, Value string }

// StaffList is GET /plus/admin/staff.
type StaffList struct {
	Admin
	Words    string
	Roles    []InputOption
	Teams    []InputOption
	Disabled bool
	Filtered bool
	Found    int
	Rows     []StaffRow
	Back     string
	Next     string
}

// StaffRow is one of the staff.
type StaffRow struct{ Address, Name, Login, Role, Team, Email, Phone, State, Tone string }

// Person is one of the staff, or somebody to be added.
type Person struct {
	Admin
	Who, Login string // "": somebody new
	State      string
	Tone       string
	Form       *Form // nil: who reads may not
	Reads      []Reads
	Acts       []PersonAct
	Self       bool
}

// PersonAct is something that may be done to somebody.
type PersonAct struct{ Action, Title, Text, Do, Tone string }

// Secret is a temporary password, shown once.
type Secret struct {
	Admin
	Who, Login, Password, Back string
	New                        bool
}

// Locations is GET /plus/admin/locations.
type Locations struct {
	Admin
	Rows []LocationRow
}

// LocationRow is a location.
type LocationRow struct {
	Address, Name, ID, State, Zone, Payments, Tone, Tax string
	Vehicles                                            int
}

// Location is one location, by tab; or one to be added.
type Location struct {
	Admin
	Place, ID string // name and id; "": a new one
	Payments  string
	Tone      string
	Parts     []Tab
	Form      *Form
	FormTitle string
	Notes     []string
	Reads     []Reads
	AtFees    bool
	Fees      []ListedFee
	Retired   []ListedFee
	Version   int64
}

// ListedFee is a fee of a location.
type ListedFee struct{ ID, Address, Name, Kind, Amount, Taxed string }

// TermsList is GET /plus/admin/terms.
type TermsList struct {
	Admin
	Kinds []TermsKind
}

// TermsKind is what is agreed to on one occasion, in all its versions.
type TermsKind struct {
	Kind, Title, Text string
	Rows              []TermsRow
}

// TermsRow is a version.
type TermsRow struct {
	Address, Number, By string
	From                Moment
	InForce             bool
}

// TermsVersion is one version to read.
type TermsVersion struct {
	Admin
	Title, Number, By     string
	From, Until           Moment
	InForce               bool
	Texts                 []TermsText
	Before, BeforeAddress string // number; "": it is the first
}

// TermsText is a version in one language: as payers read it, its hash, and how it differs from the one before.
type TermsText struct {
	Code, Language, Hash string
	Title, Note          string
	Parts                []TermsTextPart
	Lines                []DiffLine // what is different, with what stands around it
	Same                 bool
}

// TermsTextPart is a heading and its paragraphs.
type TermsTextPart struct {
	Heading string
	Text    []string
}

// DiffLine is a line of a difference: "+", "-", " " or "…" for lines that are left out.
type DiffLine struct{ Sign, Text string }

// TermsDraft is a version that is written.
type TermsDraft struct {
	Admin
	Title                    string
	After, AfterSaid, Number string // After as it is kept, the others as they are read
	Form                     *Form
	Texts                    []TermsText // to be confirmed; none: it is written
	Hidden                   []Reads
}

// Sure is what is asked before something that can't be undone.
type Sure struct {
	Admin
	Crumb, Back, Action string
	Title               string
	Texts               []string
	Changes             []ChangeRow
	Checks              []SureCheck
	Hidden              []Reads
	Do, Tone            string
}

// SureCheck is something more that may be done with it; its value is how much was shown.
type SureCheck struct {
	Name, Label, Hint string
	Value             int
}

// ChangeRow is a field before and after.
type ChangeRow struct{ Name, Before, After string }
