//go:build !linux

package main

import (
	"errors"
	"os/exec"
)

func belongs(*exec.Cmd) {}

func apart(*exec.Cmd) {}

func manyFiles() error {
	return errors.New("it pins processes to cores and reads /proc: it runs on Linux")
}
