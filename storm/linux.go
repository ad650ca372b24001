package main

import (
	"os/exec"
	"syscall"
)

// belongs has the kernel end a process with the storm, even with one that is killed, and keeps Ctrl-C from it: the storm ends what it started, in order.
func belongs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// apart only keeps Ctrl-C from a process: for one that has to clean up after itself, and does when its standard input ends.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
