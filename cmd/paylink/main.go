// Command paylink is the service.
package main

import (
	"os"
	_ "time/tzdata" // dates are counted in a location's zone, and a host may know none
)

func main() {
	os.Exit(run(os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
}
