package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/omov/omov/fault"
)

// Passphrase is where a passphrase comes from.
type Passphrase struct {
	File string `name:"passphrase-file" help:"Read the passphrase from the first line of this file; default: it is asked for." placeholder:"FILE" type:"path"`
}

// maxPassphrase is the most bytes of a passphrase.
const maxPassphrase = 1024

// read gives the passphrase; with twice it is a new one, and asked for again.
func (p *Passphrase) read(s *Streams, twice bool) (string, error) {
	if p.File != "" {
		return passphraseOf(p.File)
	}
	in, ok := s.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", fault.New(fault.Invalid, "there is no terminal to ask for the passphrase at: give --passphrase-file FILE")
	}
	first, err := ask(s, in, "Passphrase: ")
	if err != nil || !twice {
		return first, err
	}
	second, err := ask(s, in, "Once more: ")
	if err == nil && first != second {
		err = fault.New(fault.Invalid, "the two are different; nothing has been made")
	}
	return first, err
}

func ask(s *Streams, in *os.File, what string) (string, error) {
	fmt.Fprint(s.Err, what)
	b, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(s.Err)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the passphrase could not be read")
	}
	defer clear(b)
	return string(b), nil
}

func passphraseOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the passphrase cannot be read from %s", file)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPassphrase+2))
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the passphrase cannot be read from %s", file)
	}
	defer clear(b)
	line, _, _ := strings.Cut(string(b), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" || len(line) > maxPassphrase {
		return "", fault.New(fault.Invalid, "the first line of %s is no passphrase", file)
	}
	return line, nil
}

// confirm asks a question that is answered by the word yes.
func confirm(s *Streams, question string) bool {
	fmt.Fprint(s.Err, question)
	line, _ := bufio.NewReader(io.LimitReader(s.In, 100)).ReadString('\n')
	return strings.EqualFold(strings.TrimSpace(line), "yes")
}
