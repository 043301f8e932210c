package postbox

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
)

// Ballot is a sealed ballot as the post-box shows it: GET .../sealed of
// docs/sealed-board.md. Nothing in it is believed that can be checked.
type Ballot struct {
	Ballot   string `json:"ballot"`
	Phase    string `json:"phase"`
	Title    string `json:"title"`
	Opens    int64  `json:"opens"`
	Closes   int64  `json:"closes"`
	Manifest string `json:"manifest"`

	Server          bool `json:"server"`
	ServerRegistrar bool `json:"server_registrar"`

	Ceremony struct {
		Phase    keygen.Kind `json:"phase"`
		Messages [][]byte    `json:"messages"`
		Ended    []Ended     `json:"ended"`
		Waiting  []string    `json:"waiting"`
	} `json:"ceremony"`

	Key  string `json:"key"`
	List *struct {
		Seq  int64 `json:"seq"`
		Keys int64 `json:"keys"`
	} `json:"list"`
	Sections []struct {
		ID       string `json:"id"`
		Class    string `json:"class"`
		Entitled int64  `json:"entitled"`
		Papers   int64  `json:"papers"`
	} `json:"sections"`
	Closing *struct {
		Checkpoint string `json:"checkpoint"`
		Hash       string `json:"hash"`
	} `json:"closing"`
	Excused []string `json:"excused"`
	Deeds   []Entry  `json:"deeds"`
	Next    []Next   `json:"next"`
}

// Ended is a phase of the key generation that an officer ended, after so many
// messages.
type Ended struct {
	Phase keygen.Kind `json:"phase"`
	After int         `json:"after"`
}

// Entry is a deed on the board.
type Entry struct {
	N    int    `json:"n"`
	Deed []byte `json:"deed"`
	Size int64  `json:"size"`
}

// Next is something that is waited for.
type Next struct {
	Trustee string `json:"trustee"`
	Does    string `json:"does"`
	Group   string `json:"group"`
}

// The phases of a ballot after which trustees have nothing more to do.
const (
	phaseCounted  = "counted"
	phaseUnopened = "unopened"
)

// Bounds on what the server may send.
const (
	maxBallot  = 96 << 20 // the messages and deeds of fifteen trustees and a thousand groups
	maxNote    = 16 << 10
	maxKey     = 1 << 10
	maxReason  = 64 << 10
	maxEntries = 100_000 // deeds
)

// place is where a group of papers is counted.
type place struct{ contest, section, class string }

func (p place) String() string { return sealed.GroupName(p.contest, p.section, p.class) }

// places gives the mix groups of a manifest in its order.
func places(m *sealed.Manifest) []place {
	var out []place
	for i := range m.Contests {
		for _, s := range m.Sections {
			for _, c := range s.Classes {
				out = append(out, place{m.Contests[i].ID, s.ID, c.ID})
			}
		}
	}
	return out
}

// size is how much there is, for people.
func size(n int) string {
	if n < 1e6 {
		return fmt.Sprintf("%d kB", (n+999)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// plain makes what a server sent fit to be shown on a terminal: one line, no
// control characters, not too long.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return '�'
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}
