package verify

import (
	"fmt"
	"strings"

	"github.com/omov/omov/proceeding"
)

// finish looks at what can only be seen at the end, and writes the figures.
func (v *verifier) finish() {
	o := v.org
	v.rulesAtTheEnd(o.lastAt)
	ended := 0
	for _, ref := range o.order {
		r := o.runs[ref]
		if !r.st.Live() {
			ended++
		}
		for i := range r.st.Ballots {
			v.totalsOf(&r.st.Ballots[i])
		}
	}
	v.sealedFigures()
	v.Check(CheckRulebooks).note("%s; %s pinned", plural(len(o.adopted), "version"), plural(len(o.order), "proceeding"))
	v.Check(CheckSteps).note("%s, %d ended; %s", plural(len(o.order), "proceeding"), ended, v.looked(CheckSteps))
	for _, id := range []string{CheckOrder, CheckRecords, CheckPrivacy, CheckTimes, CheckGates, CheckRolls, CheckBallots, CheckTurnout, CheckLots, CheckSheets, CheckResults, CheckOffices} {
		v.Check(id).note("%s", v.looked(id))
	}
	if !v.full {
		for _, id := range scrutineersOnly() {
			v.Check(id).skip("needs the scrutineers' bundle")
		}
		return
	}
	v.Check(CheckOpened).note("%d entries opened", v.Check(CheckOpened).Done)
	if v.apart > 0 {
		v.Check(CheckOpened).note("%s of cases about people: only those concerned can read them, and no bundle holds them", plural(v.apart, "record"))
	}
	for _, id := range []string{CheckSupport, CheckBases, CheckGateAgain, CheckClosing} {
		v.Check(id).note("%s", v.looked(id))
	}
	v.Check(CheckRollAgain).note("%d people in the register, %d erased", len(o.people), len(o.erased))
}

func scrutineersOnly() []string {
	return []string{CheckOpened, CheckSupport, CheckBases, CheckGateAgain, CheckRollAgain, CheckMarked, CheckPapers, CheckClosing, CheckRecount}
}

func (v *verifier) looked(id string) string {
	return fmt.Sprintf("%d compared", v.Check(id).Done)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// totalsOf writes a counted ballot's figures, for people who compare them with
// what they were told.
func (v *verifier) totalsOf(b *proceeding.Ballot) {
	if b.Counted == 0 {
		return
	}
	var entitled, papers int64
	for i := range b.Roll.Sections {
		entitled += b.Roll.Sections[i].Entitled
	}
	for _, y := range b.Returned {
		papers += y.Papers
	}
	v.Check(CheckTurnout).note("%s: %d of %d", b.ID, papers, entitled)
	var names []string
	if r := v.org.runs[strings.Split(b.ID, "/")[0]]; r != nil && len(r.st.Ballots) > 0 && r.st.Ballots[len(r.st.Ballots)-1].ID == b.ID {
		for _, p := range r.st.Elected {
			names = append(names, p.Name)
		}
	}
	v.Check(CheckResults).note("%s: %s %s", b.ID, b.Outcome, strings.Join(names, ", "))
}
