package cli

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/verify/seal"
)

// maxAudit is more bytes than any checked paper has.
const maxAudit = 4 << 20

// auditFile reads the file of a checked paper; false where it is none.
func auditFile(name string) ([]byte, bool) {
	f, err := os.Open(name)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxAudit+1))
	return b, err == nil && len(b) <= maxAudit && bytes.HasPrefix(bytes.TrimSpace(b), []byte("{"))
}

// printAudit says what a sealed paper says that was checked and not cast.
func printAudit(out io.Writer, b []byte) error {
	a, err := seal.ReadAudit(ristretto.New(), b)
	if err != nil {
		return fault.Wrap(fault.Damaged, err, "this paper is not what its page said. Do not vote on that page, and tell the scrutineers")
	}
	code := hex.EncodeToString(a.Hash[:])
	var short []string
	for i := 0; i < 20; i += 4 {
		short = append(short, code[i:i+4])
	}
	fmt.Fprintf(out, "A sealed paper of the election %s, section %s\n\nIts code       %s\nThe whole code %s\n\nIt says:\n", a.Election, a.Section, strings.Join(short, "-"), code)
	said := marked(a)
	for _, i := range said {
		switch name := a.Contest.Options[i]; a.Contest.Form {
		case "ranks", "equal":
			fmt.Fprintf(out, "  %d. %s\n", a.Paper[i], name)
		case "points":
			fmt.Fprintf(out, "  %s: %d points\n", name, a.Paper[i]-1)
		default:
			fmt.Fprintf(out, "  %s\n", name)
		}
	}
	if len(said) == 0 {
		fmt.Fprintln(out, "  nothing: it is blank")
	}
	fmt.Fprintln(out, "\nIts proof and its signature hold, and it was made of the randomness in this file.\nCompare the code with the one that you were shown before you chose to check, and what\nit says with what you marked. This paper must never be cast: whoever has this file can\nread it.")
	return nil
}

// marked gives the options that a paper says something of, the first rank first.
func marked(a *seal.Audited) []int {
	var out []int
	for i, n := range a.Paper {
		if n > 0 {
			out = append(out, i)
		}
	}
	if a.Contest.Form == "points" {
		return out
	}
	slices.SortStableFunc(out, func(x, y int) int { return a.Paper[x] - a.Paper[y] })
	return out
}
