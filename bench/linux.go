package main

import (
	"os/exec"
	"syscall"
)

// belongs has the kernel end a process with the bench, even with one that is killed, and keeps Ctrl-C from it: the bench ends what it started, in order.
func belongs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// apart only keeps Ctrl-C from a process: for one that has to clean up after itself, and does when its standard input ends.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// manyFiles lets this process and those that it starts open a file for each of 1,000 connections. Go's own raise of the limit is not inherited.
func manyFiles() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
