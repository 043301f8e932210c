package contest

import (
	"context"
	"slices"
	"strconv"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/store"
)

// Standing is how somebody stands in one section of a contest's electorate:
// may they vote, by which clause, and if not, what stops them.
type Standing struct {
	Section    string
	Unit       register.UnitID // set where the vote is a unit's, cast by its officer
	UnitName   string
	Entitled   bool
	Frozen     bool // it is the roll that says so; else it is how things stand now
	Votes      int
	Value      string // what the vote is worth, where not one
	Declare    string
	Voted      bool
	Conditions []Condition
	Because    string // why not, in a sentence, where no condition says it
	Clause     string
}

// Condition is one condition of the electorate, as it is met or not.
type Condition struct {
	ID     string
	Says   string
	Met    bool
	First  bool // the first that is not met: the reason
	Clause string
	Text   string // of the clause
	Remedy string
	KeptBy string // whom to ask for a correction of the fact
}

// Standings says how a person stands in the ballot of a contest: by the roll
// where it has been taken, by the register as it is where it has not.
func (s *Contests) Standings(ctx context.Context, ref string, p register.PersonID) ([]Standing, error) {
	var out []Standing
	err := s.ch.Read(ctx, func(w *chamber.World) error {
		out = nil
		st, err := w.State(ref)
		if err != nil {
			return err
		}
		book, err := s.ch.Book(w.Tx(), st.Book)
		if err != nil {
			return err
		}
		w = w.WithBook(book)
		stage := ballotStage(book, st)
		if stage < 0 {
			return nil
		}
		look := st.Clone()
		look.Current = stage
		plan, _, scope, err := proceeding.Plan(book, look, w, w.At().UnixMilli())
		if err != nil {
			return err
		}
		view := w.View(st.Unit)
		person := view.Person(p)
		for i := range plan.Sections {
			list, err := s.section(w, look, &plan.Sections[i], person, scope)
			if err != nil {
				return err
			}
			out = append(out, list...)
		}
		return s.fromRoll(w, st, p, out)
	})
	return out, err
}

// ballotStage is the stage whose electorate matters now: the current one if
// it is a ballot, else the next.
func ballotStage(book *rulebook.Book, st *proceeding.State) int {
	p := proceeding.ProcedureOf(book, st)
	if p == nil {
		return -1
	}
	for i := max(st.Current, 0); i < len(p.Stages); i++ {
		if p.Stages[i].Kind == rulebook.Ballot {
			return i
		}
	}
	for i := min(st.Current, len(p.Stages)-1); i >= 0; i-- {
		if p.Stages[i].Kind == rulebook.Ballot {
			return i
		}
	}
	return -1
}

// section looks at one section through the register as it is.
func (s *Contests) section(w *chamber.World, st *proceeding.State, sec *roll.Section, person *roll.Person, scope rulebook.Scope) ([]Standing, error) {
	out := Standing{Section: sec.Name, Declare: sec.Declare}
	if sec.Listed {
		voters, err := proceeding.Listed(w.Book(), st, w, w.At().UnixMilli(), sec)
		if err != nil {
			return nil, err
		}
		return listedStandings(w, out, sec, voters, person.ID), nil
	}
	lines, err := sec.Check(w.Book(), person, scope)
	if err != nil {
		return nil, err
	}
	out.Entitled = true
	for _, l := range lines {
		c := Condition{ID: l.ID, Says: l.Says, Met: l.Met, Clause: l.Clause, Remedy: l.Remedy, KeptBy: l.KeptBy}
		c.Text, _ = w.Book().Clause(l.Clause)
		if !l.Met && out.Entitled {
			c.First, out.Entitled, out.Clause = true, false, l.Clause
		}
		out.Conditions = append(out.Conditions, c)
	}
	if out.Entitled {
		out.Votes = 1
	}
	return []Standing{out}, nil
}

// listedStandings finds the voters of a listed section that are the person,
// or that the person votes for.
func listedStandings(w *chamber.World, like Standing, sec *roll.Section, voters []proceeding.ListedVoter, p register.PersonID) []Standing {
	var out []Standing
	offices := w.Roster().Of(p, w.At().Unix(), w.Seq())
	for _, v := range voters {
		s := like
		s.Entitled, s.Votes, s.Value = v.Bar == "", 1, v.Value
		switch {
		case v.Unit == 0 && v.Person == p:
		case v.Unit != 0 && slices.ContainsFunc(offices, func(t register.TermOfOffice) bool { return t.Office == v.Acts && t.Unit == v.Unit }):
			s.Unit, s.UnitName = v.Unit, v.Name
		default:
			continue
		}
		if v.Bar != "" {
			s.Because = "A " + v.Bar + " takes the right to vote away for the time being."
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		like.Because = "Here vote " + proceeding.Words(w.Book(), sec.Of) + "; you are not one of them."
		out = append(out, like)
	}
	return out
}

// fromRoll lets the roll have the last word, where it has been taken.
func (s *Contests) fromRoll(w *chamber.World, st *proceeding.State, p register.PersonID, list []Standing) error {
	if len(st.Ballots) == 0 {
		return nil
	}
	b := &st.Ballots[len(st.Ballots)-1]
	id, facts, err := chamber.RollOf(w.Tx(), st.Ref, b.ID)
	if err != nil {
		return err
	}
	for i := range list {
		x := &list[i]
		voter := int64(p)
		if x.Unit != 0 {
			voter = -int64(x.Unit)
		}
		if err := lineFromRoll(w.Tx(), id, facts, p, x); err != nil {
			return err
		}
		if b.How == "recorded" {
			x.Voted = slices.ContainsFunc(b.Recorded, func(r proceeding.RecordedPaper) bool {
				return r.Section == x.Section && (r.Voter == "p"+strconv.FormatInt(voter, 10) || r.Voter == "u"+strconv.FormatInt(-voter, 10))
			})
			continue
		}
		if x.Voted, err = w.Tx().IsMarked(b.ID, x.Section, voter); err != nil {
			return err
		}
	}
	return nil
}

func lineFromRoll(tx *store.Tx, id int64, facts chamber.RollFacts, p register.PersonID, x *Standing) error {
	x.Frozen = true
	for i := range facts.Sections {
		sec := &facts.Sections[i]
		if sec.Name != x.Section || sec.Listed {
			continue
		}
		raw, err := tx.RollChunk(id, roll.ChunkOf(p))
		if err != nil {
			x.Entitled, x.Votes, x.Because = false, 0, "You were not in the register when the roll was taken."
			return nil
		}
		c, err := roll.ReadChunk(roll.ChunkOf(p), raw)
		if err != nil {
			return err
		}
		l, ok := c.Line(p, slices.Index(facts.People, i))
		if !ok {
			x.Entitled, x.Votes, x.Because = false, 0, "You were not in the register when the roll was taken."
			return nil
		}
		x.Entitled, x.Votes = l.Reason == 0, int(l.Votes)
		if l.Reason != 0 && int(l.Reason) < len(sec.Reasons) {
			r := sec.Reasons[l.Reason]
			x.Clause = r.Clause
			for k := range x.Conditions {
				x.Conditions[k].First = x.Conditions[k].ID == r.ID
				if x.Conditions[k].ID == r.ID {
					x.Conditions[k].Met = false
				}
			}
		}
	}
	return nil
}
