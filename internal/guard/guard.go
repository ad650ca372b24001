// Package guard names what keeps the payment machine from doing wrong. In a test build, and in no other, each guard can be taken away, so that the one
// test which holds it is seen to fail: list.go says which, score_test.go tries them all.
package guard

// Name is a guard's name, as it stands in list.go.
type Name string

// Guard is one line of the list.
type Guard struct {
	Name  Name
	Keeps string // what is true because of it
	In    string // folder of the package whose test has to fail
	Test  string // that test; "Test/subtest" for one of its cases
	With  Name   // another guard that covers this one: without both the test has to fail. "" for most
}
