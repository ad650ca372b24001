package plus

// Reports is /plus/reports.
type Reports struct {
	Chrome
	Tabs    []Tab
	Filters Filters
	Days    string // "Mar 4 to Mar 10, 2026"
	Zone    string // "New York time"
	Empty   bool   // nothing was sent
	Facts   []Headline
	Charts  []Chart
	Tables  []Table // that no chart belongs to
	Notes   []string
}

// Headline is a figure above all others.
type Headline struct{ Name, Value, Of string }

// Filters is the form of what is looked at.
type Filters struct {
	Action   string
	Periods  []Option
	Custom   bool
	From, To string // as typed
	Error    string // of the days
	By       []Option
	Front    []FilterField // beside the days
	Fields   []FilterField // behind a button
	More     bool          // one of the fields is in use
	Clear    string
	InUse    []string // the fields in use, in words
}

// FilterField is one thing to filter by.
type FilterField struct {
	Name, Label, All string
	Options          []Option
}

// Chart is one report: what it says as a picture, and the same as a table.
type Chart struct {
	ID, Title string
	Lead      string // what it comes to, in a sentence
	Bars      []Bar
	Lines     []LineChart
	Empty     string // why there is nothing to draw
	Tables    []Table
	Wide      bool // of the whole page
	Tall      bool // beside two others
}

// Bar is a bar with its words: how much of the largest it is, and the figure itself.
type Bar struct {
	Label, Value, Share string
	Address             string  // the links behind it; "" for none
	Width               float64 // 0 to 100
	Tone                string  // class: "", "good", "bad", "time", "calm"
	Gap                 bool    // stands apart from the bar before
}

// LineChart is one or two lines over time, on a ground of 100 × 100.
type LineChart struct {
	ID, Title, Text string // said by a screen reader
	Top, Middle     string // the axis
	First, Last     string // of the period
	Lines           []ChartLine
}

// ChartLine is a line, with the words that stand beside it.
type ChartLine struct{ Label, Value, Path, Tone string }

// Table is a table of a report, as a page and a file show it.
type Table struct {
	ID, Caption, CSV string
	Columns          []Column
	Rows             [][]Cell
	Total            []Cell // nil: there is none to add up
	Note             string
	Shut             bool // behind a button
	Bare             bool // what is above it says what it is
}

// Column is a column of a table. Its rows can be sorted by it.
type Column struct {
	Name    string
	Number  bool
	Address string // that sorts by it; "" where there is nothing to sort
	Sorted  string // "ascending", "descending" or ""
	key     string
}

// Cell is a cell. Raw is what a file gets in place of Text: a number without words.
type Cell struct {
	Text, Address string
	Number        bool
	Badge         bool
	Tone          string // of a badge
	raw           string
	sort          float64
}

// Links is /plus/links.
type Links struct {
	Chrome
	Filters Filters
	Title   string
	Days    string
	Zone    string
	Count   string
	Rows    []BoardRow
	Self    bool
	First   string // address of the first page; "" on it
	Next    string
	CSV     string
	Refresh string // address of the list alone; "" on later pages
	At      string // when it was read
}

// BoardRow is a link on the list.
type BoardRow struct {
	Sent, SentAt                       string
	Agent, Client, ClientID, Address   string
	Vehicle, Amount, Number, Reference string
	State, Tone, Left                  string
	Steps                              string // "delivered, opened"
}
