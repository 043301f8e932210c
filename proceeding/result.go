package proceeding

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// Enter is what two tellers counted in the room, or the chair judged.
type Enter struct {
	By      Actor
	Figures map[string]int64
	Tellers []string
	Judged  string              // the chair's word: carried, lost, doubted
	Elected []register.PersonID // of an election that was counted in the room
}

func (c Enter) decide(d *decider) error {
	if err := d.notStayed(); err != nil {
		return err
	}
	b := d.openBallot()
	if b == nil {
		if st := d.st.Now(); st != nil && st.Status == Coming {
			return fault.Under(fault.TooEarly, d.cite(), "%s of %s is coming: it opens on %s", spaced(st.Name), spaced(d.st.Procedure), d.showOpens(st.Opens))
		}
		return fault.Under(fault.TooLate, d.cite(), "no vote is open in %s", d.st.Ref)
	}
	if err := d.officer(c.By); err != nil {
		return err
	}
	if b.How == "sealed" || b.How == "box" || b.How == "recorded" {
		if !c.By.System {
			return fault.Under(fault.NotEntitled, d.cite(), "this vote is not counted in the room: the papers decide")
		}
	}
	if err := d.plausible(b, c.Figures); err != nil {
		return err
	}
	if b.How != "judged" {
		if err := d.emit(KindTotals, minutes.Public, &TotalsBody{Ballot: b.ID, Figures: c.Figures, Tellers: c.Tellers, At: d.now()}); err != nil {
			return err
		}
		elected, err := d.countedInRoom(b, &c)
		if err != nil {
			return err
		}
		return Declare{Figures: c.Figures, Elected: elected}.decide(d)
	}
	if c.Judged != Carried && c.Judged != Lost && c.Judged != Doubted {
		return fault.New(fault.Invalid, "the chair says carried, lost or doubted")
	}
	return d.declare(&ResultBody{Ballot: b.ID, At: d.now(), Outcome: c.Judged})
}

// plausible refuses figures that no count can have given: of what is not on
// the paper, of more votes than papers, or of more papers than people there
// are.
func (d *decider) plausible(b *Ballot, given map[string]int64) error {
	known := append(slices.Clone(b.Choices), Abstain, "spoilt", "papers", "present")
	for i := range b.Options {
		known = append(known, "o"+strconv.Itoa(i))
	}
	for _, k := range slices.Sorted(maps.Keys(given)) {
		switch {
		case !slices.Contains(known, k):
			return fault.Under(fault.Invalid, d.cite(), "%q is not counted here; it is %s", k, strings.Join(slices.Compact(known[:len(known)-len(b.Options)]), ", "))
		case given[k] < 0:
			return fault.New(fault.Invalid, "%s cannot be %d", k, given[k])
		}
	}
	if b.Method != "" {
		return nil // marks and points may be more than the papers
	}
	f := d.ballotFigures(b, given)
	return d.addsUp(f["cast"]+given["spoilt"]+given[Abstain], f, b.oneVoteEach())
}

// addsUp refuses more votes than papers, more papers than people present, and
// more people than may vote; most is 0 where that is not known.
func (d *decider) addsUp(votes int64, f figures, most int64) error {
	switch {
	case votes > f["papers"]:
		return fault.Under(fault.Invalid, d.cite(), "%d votes cannot have come from %d papers", votes, f["papers"])
	case f["papers"] > f["present"]:
		return fault.Under(fault.Invalid, d.cite(), "%d votes cannot have come from %d who were present", f["papers"], f["present"])
	case most > 0 && f["present"] > most:
		return fault.Under(fault.Invalid, d.cite(), "%d are more than the %d who may vote", f["present"], most)
	}
	return nil
}

// oneVoteEach gives how many votes there can be; 0 where votes are worth more
// or less than one, and the figures are of what they are worth.
func (b *Ballot) oneVoteEach() int64 {
	var most int64
	for i := range b.Roll.Sections {
		s := &b.Roll.Sections[i]
		if s.Votes != strconv.FormatInt(s.Entitled, 10) {
			return 0
		}
		most += s.Entitled
	}
	return most
}

// countedInRoom gives who was elected by what tellers counted. Where their
// figures are by candidate (o0, o1 … in the order of the paper), nobody who is
// elected has fewer votes than somebody who is not.
func (d *decider) countedInRoom(b *Ballot, c *Enter) ([]Person, error) {
	if b.Method == "" {
		return nil, nil
	}
	if len(c.Elected) == 0 || len(c.Elected) > b.Seats {
		return nil, fault.Under(fault.Invalid, d.cite(), "say who was elected: at most %d", b.Seats)
	}
	var out []Person
	least, most := int64(-1), int64(-1)
	for i, o := range b.Options {
		n, given := c.Figures["o"+strconv.Itoa(i)]
		if !slices.Contains(c.Elected, o.ID) {
			if given {
				most = max(most, n)
			}
			continue
		}
		out = append(out, o)
		if given && (least < 0 || n < least) {
			least = n
		}
	}
	if len(out) != len(c.Elected) {
		return nil, fault.Under(fault.Invalid, d.cite(), "somebody is said to be elected who is not on the paper, or is named twice")
	}
	plain := b.Method == "plurality" || b.Method == "plurality-at-large" || b.Method == "approval"
	if plain && least >= 0 && most > least {
		return nil, fault.Under(fault.Invalid, d.cite(), "somebody with %d votes is said to be elected, and somebody with %d is not", least, most)
	}
	return out, nil
}

// Declare declares what a closed ballot decided: for an election the elected
// of the count sheet (or, in an exhaustive ballot, who leaves); for a vote its
// figures.
type Declare struct {
	Sheet    string
	Elected  []Person
	Leaves   []Person
	Figures  map[string]int64
	Sections []SectionVotes
	Again    bool // no result yet: another round
}

// spoilt is how many papers of a sealed election say nothing that a paper can.
func (c Declare) spoilt(b *Ballot) int64 {
	if b.Method == "" || !b.Sealed() {
		return 0
	}
	return c.Figures["spoilt"]
}

func (c Declare) decide(d *decider) error {
	b := d.openBallot()
	if b == nil || b.Closed == 0 {
		return fault.Under(fault.TooEarly, d.cite(), "the ballot has not been closed")
	}
	if b.Unopened {
		body := &ResultBody{Ballot: b.ID, At: d.now(), Outcome: Unopened}
		if y := b.Short(b.Returned); y != nil {
			body.Tests = []Reached{shortOf(y.Section, y.Papers, b.Minimum)}
		} // else it is those of a sealed ballot whose votes are worth the same
		return d.declare(body)
	}
	r := &d.proc.Stages[b.Stage]
	body := &ResultBody{Ballot: b.ID, At: d.now(), Sheet: c.Sheet, Elected: c.Elected, Leaves: c.Leaves, Figures: c.Figures, Sections: c.Sections}
	given := c.Figures
	if b.Method != "" && b.Sealed() { // spoilt papers only; the rest is on the sheet
		given = nil
	}
	f := d.ballotFigures(b, given)
	f["cast"] -= c.spoilt(b)
	ok, quorum, err := d.test(r.Quorum, f)
	if err != nil {
		return d.haltOr(err)
	}
	body.Tests = quorum
	switch {
	case !ok:
		body.Outcome, body.Elected, body.Leaves = Inquorate, nil, nil
	case b.Method != "" && c.Figures == nil && f["papers"] == 0:
		// Nobody voted: a lot among all the candidates would be no election.
		body.Outcome, body.Elected, body.Leaves, body.Sheet = Unopened, nil, nil, ""
	case b.Method != "" && c.Again:
		body.Outcome, body.Elected = NextRound, nil
		if body.Next, err = d.nextRound(r); err != nil {
			return err
		}
	case b.Method != "":
		body.Outcome = Elected
	case len(r.Options) > 0:
		body.Outcome = Prevails(b, f)
		f["for"] = f[body.Outcome]
		passes, reached, err := d.test(r.Passes, f)
		if err != nil {
			return d.haltOr(err)
		}
		body.Tests = append(body.Tests, reached...)
		if !passes {
			body.Outcome = Inquorate
		}
	default:
		passes, reached, err := d.passes(r, b, f)
		if err != nil {
			return d.haltOr(err)
		}
		body.Tests = append(body.Tests, reached...)
		body.Outcome = Lost
		if passes {
			body.Outcome = Carried
		}
	}
	return d.declare(body)
}

// Prevails gives the option with the most votes; between equals the lot
// decides: whichever comes first by SHA-256 of the lot's seed and its name.
func Prevails(b *Ballot, f map[string]int64) string {
	best := ""
	for _, o := range b.Choices {
		if o == Abstain {
			continue
		}
		switch {
		case best == "" || f[o] > f[best]:
			best = o
		case f[o] == f[best] && bytes.Compare(lotOf(b, o), lotOf(b, best)) < 0:
			best = o
		}
	}
	return best
}

func lotOf(b *Ballot, option string) []byte {
	sum := sha256.Sum256(append(LotSeed(b), option...))
	return sum[:]
}

// LotSeed is the seed of a ballot's lots: the hash of the opened secrets, the
// ballot and the closing root. Where no secret was opened it rests on the
// closing root alone, which the salts of the roll keep from being foreseen.
func LotSeed(b *Ballot) []byte {
	var in bytes.Buffer
	fmt.Fprintf(&in, "omov/lot/seed/1\x00%s\x00%s", b.ID, b.Root)
	for _, c := range b.Commits {
		if c.Secret != "" {
			fmt.Fprintf(&in, "\x00%s\x00%s", c.Office, c.Secret)
		}
	}
	sum := sha256.Sum256(in.Bytes())
	return sum[:]
}

func (d *decider) haltOr(err error) error {
	if name := unknown(err); name != "" {
		return d.emit(KindHalted, minutes.Public, &HaltBody{Waits: name, At: d.now()})
	}
	return err
}

func (d *decider) passes(r *rulebook.Stage, b *Ballot, f figures) (bool, []Reached, error) {
	if r.Passes == nil {
		return f["for"] > f["against"], nil, nil
	}
	return d.test(r.Passes, f)
}

// ballotFigures are what thresholds of a ballot are measured against.
func (d *decider) ballotFigures(b *Ballot, given map[string]int64) figures {
	f := figures{}
	for k, n := range given {
		f[k] = n
	}
	for i := range b.Roll.Sections {
		f["entitled"] += b.Roll.Sections[i].Entitled
	}
	if given == nil {
		for _, r := range b.Returned {
			f["papers"] += r.Papers
		}
		f["cast"] = f["papers"]
	} else {
		f["cast"] = 0
		for _, o := range b.Choices {
			if o != Abstain {
				f["cast"] += f[o]
			}
		}
		if _, ok := given["papers"]; !ok {
			f["papers"] = f["cast"] + f["spoilt"] + f[Abstain]
		}
	}
	if _, ok := given["present"]; !ok {
		f["present"] = f["papers"]
	}
	f["seats"] = int64(b.Seats)
	return f
}

// declare records a result and what follows from it.
func (d *decider) declare(b *ResultBody) error {
	if err := d.emit(KindResult, minutes.Public, b); err != nil {
		return err
	}
	if b.Outcome == NextRound {
		r := d.stageRule()
		if len(d.st.Standing()) <= d.seats(r) {
			_, err := d.unopposed(r)
			return err
		}
		return nil
	}
	i := d.st.Current
	if err := d.emit(KindClosed, minutes.Public, &StageBody{Stage: d.st.Stages[i].Name, At: d.now(), Outcome: b.Outcome}); err != nil {
		return err
	}
	return d.after(i, b.Outcome)
}

// nextRound is when the next round of an exhaustive ballot opens: after the
// interval in which candidates may withdraw.
func (d *decider) nextRound(r *rulebook.Stage) (int64, error) {
	span := rulebook.Span{Days: 1}
	if r.Interval != nil {
		var err error
		if span, err = r.Interval.Span(&scope{d: d}); err != nil {
			return 0, damaged(err, "the interval between rounds")
		}
	}
	return d.cal.Opens(d.cal.Instant(d.at), span).UnixMilli(), nil
}

func compareNames(a, b string) int {
	la, lb := lastWord(a), lastWord(b)
	if la != lb {
		if la < lb {
			return -1
		}
		return 1
	}
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func lastWord(s string) string {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == ' ' {
			return s[i+1:]
		}
	}
	return s
}
