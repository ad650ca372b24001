package testbed

import (
	"os/exec"
	"syscall"
)

// endWithParent has the kernel end the process with the test binary, even one that is killed or times out.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
