package chamber

import (
	"cmp"
	"context"
	"encoding/hex"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/store"
)

// The paper of a sealed ballot is fixed here, because its roll is taken with
// it; everything that follows is the sealing package's.

// Server is what a sealed ballot's manifest calls the server where it plays a
// trustee's or the registrar's part.
const Server = "the server"

// ServerIdentity is the trustee that the server is where nobody else has been
// named.
func (c *Chamber) ServerIdentity(ctx context.Context) (keygen.Identity, error) {
	seed, err := c.DB.Keys().Secret(ctx, "sealed/trustee")
	if err != nil {
		return keygen.Identity{}, err
	}
	return keygen.IdentityFrom(seed[:])
}

// ServerRegistrar is the key with which the server signs lists where it plays
// the registrar's part.
func (c *Chamber) ServerRegistrar(ctx context.Context) (proof.Secret, error) {
	seed, err := c.DB.Keys().Secret(ctx, "sealed/registrar")
	if err != nil {
		return proof.Secret{}, err
	}
	id, err := keygen.IdentityFrom(seed[:])
	if err != nil {
		return proof.Secret{}, err
	}
	return id.Sign(), nil
}

// Elector is a credential that a roll calls for: a voter in a section, with the
// value of the vote.
type Elector struct {
	Voter   int64 // a person's number, or minus a unit's
	Section string
	Class   string
	Value   string
}

// SectionID is how a manifest names a section.
func SectionID(name string) string {
	if name == "" {
		return "voters"
	}
	return name
}

// ClassID is how a manifest names those whose votes have a value.
func ClassID(value string) string { return "v" + strings.ReplaceAll(value, "/", "-") }

// electors goes through a roll. A chunk holds the people's sections.
func electors(facts *RollFacts, chunks func(func(*roll.Chunk) error) error, each func(Elector) error) error {
	for i := range facts.Sections {
		s := &facts.Sections[i]
		for _, v := range s.Voters {
			if v.Bar != "" {
				continue
			}
			if err := each(Elector{VoterNumber(v), SectionID(s.Name), ClassID(v.Value), v.Value}); err != nil {
				return err
			}
		}
	}
	return chunks(func(c *roll.Chunk) error {
		var failed error
		c.Each(func(p register.PersonID, _ []byte) {
			for k, i := range facts.People {
				l, ok := c.Line(p, k)
				if !ok || l.Reason != 0 || failed != nil {
					continue
				}
				value := strconv.Itoa(int(l.Votes))
				failed = each(Elector{int64(p), SectionID(facts.Sections[i].Name), ClassID(value), value})
			}
		})
		return failed
	})
}

// Electors goes through the roll of a ballot: every credential that it calls
// for, by section.
func Electors(tx *store.Tx, ref, ballot string, each func(Elector) error) error {
	id, facts, err := RollOf(tx, ref, ballot)
	if err != nil {
		return err
	}
	return electors(&facts, func(do func(*roll.Chunk) error) error {
		for x, err := range tx.RollChunks(id) {
			if err != nil {
				return err
			}
			ch, err := roll.ReadChunk(x.N, x.Entries)
			if err != nil {
				return err
			}
			if err := do(ch); err != nil {
				return err
			}
		}
		return nil
	}, each)
}

// fixing is a sealed ballot whose paper is about to be fixed.
type fixing struct {
	draft *proceeding.Ballot
	taken *taken
	at    int
}

// prepare fixes the paper of a sealed ballot: it takes the roll, writes the
// manifest, and enters both. Nil where there is nothing to do.
func (c *Chamber) prepare(ctx context.Context, ref string, by proceeding.Actor, anew bool) (*proceeding.State, error) {
	c.taking.Lock()
	defer c.taking.Unlock()
	var f *fixing
	var named *proceeding.TrusteesBody
	err := c.Read(ctx, func(w *World) error {
		f, named = nil, w.org.Trustees
		st, book, draft, err := w.draft(ref)
		if err != nil {
			return err
		}
		if draft == nil || by.System && !st.NeedsPreparing(draft, w.at.UnixMilli()) {
			return nil
		}
		f = &fixing{draft: draft, at: 1}
		if p := st.Now().Prep; p != nil {
			f.at = p.Attempt + 1
		}
		f.taken, err = w.WithBook(book).take(st)
		return err
	})
	if err != nil || f == nil {
		return nil, err
	}
	cmd, err := c.manifest(ctx, f, named)
	if err != nil {
		return nil, err
	}
	cmd.By, cmd.Anew = by, anew
	return c.at(ctx, ref, f.taken.version, *cmd)
}

// at decides a command on the version of a run on which it was made ready.
func (c *Chamber) at(ctx context.Context, ref string, version int64, cmd proceeding.Command) (*proceeding.State, error) {
	var out *proceeding.State
	err := c.Write(ctx, func(w *World) ([]minutes.Entry, error) {
		st, err := w.State(ref)
		if err != nil {
			return nil, err
		}
		if st.Version != version {
			return nil, fault.New(fault.Conflict, "%s changed at the same time; look again and repeat", ref)
		}
		if w.book, err = c.Book(w.tx, st.Book); err != nil {
			return nil, err
		}
		next, entries, err := proceeding.Decide(w.book, st, cmd, w.at, w)
		out = next
		return w.follow(next, entries, err)
	})
	return out, err
}

// DoAt is Do for a command that was made ready on a version of the run:
// fault.Conflict where it has another by now.
func (c *Chamber) DoAt(ctx context.Context, ref string, version int64, cmd proceeding.Command) (*proceeding.State, error) {
	return c.at(ctx, ref, version, cmd)
}

// draft gives a run, its rulebook and the sealed ballot that is to come in it.
func (w *World) draft(ref string) (*proceeding.State, *rulebook.Book, *proceeding.Ballot, error) {
	st, err := w.State(ref)
	if err != nil {
		return nil, nil, nil, err
	}
	book, err := w.c.Book(w.tx, st.Book)
	if err != nil {
		return nil, nil, nil, err
	}
	draft, err := proceeding.Draft(book, st, w.WithBook(book), w.at.UnixMilli())
	return st, book, draft, err
}

// PrepareSealed fixes the paper of a sealed ballot before it is due, so that
// trustees and registrar can do their part. With anew it is fixed again, by an
// officer, because too few trustees are left to make its key: with the trustees
// who are named now.
func (c *Chamber) PrepareSealed(ctx context.Context, ref string, by proceeding.Actor, anew bool) (*proceeding.State, error) {
	st, err := c.prepare(ctx, ref, by, anew)
	if err == nil && st == nil {
		err = fault.New(fault.TooEarly, "no sealed ballot of %s has been announced, so there is no paper to be fixed", ref)
	}
	return st, err
}

// sealedDue prepares or opens the sealed ballot of a run, as far as it is due.
// sealed is false where the ballot to come is not a sealed one.
func (c *Chamber) sealedDue(ctx context.Context, ref string) (st *proceeding.State, isSealed bool, err error) {
	var open, prepare bool
	err = c.Read(ctx, func(w *World) error {
		st, book, draft, err := w.draft(ref)
		if err != nil || draft == nil {
			return err
		}
		isSealed = true
		now := w.at.UnixMilli()
		prepare = st.Phase == proceeding.Running && st.NeedsPreparing(draft, now)
		open = !prepare && st.NeedsRoll(book, now) && st.Now().Prep != nil && st.Now().Prep.Ready()
		return nil
	})
	switch {
	case err != nil || !isSealed:
	case prepare:
		st, err = c.prepare(ctx, ref, proceeding.Actor{System: true}, false)
	case open:
		st, err = c.Do(ctx, ref, proceeding.OpenBallot{})
	}
	return st, isSealed, err
}

// manifest writes down everything that is fixed before a key is drawn, as
// docs/sealed-board.md names it.
func (c *Chamber) manifest(ctx context.Context, f *fixing, named *proceeding.TrusteesBody) (*proceeding.Prepare, error) {
	out := &proceeding.Prepare{Roll: f.taken.roll, Lines: f.taken.lines, Attempt: f.at}
	m := &sealed.Manifest{Version: 1, Group: "ristretto255", MinSize: int(f.draft.Minimum),
		Election: strings.ReplaceAll(f.draft.ID, "/", ".") + "." + strconv.Itoa(f.at), Contests: []sealed.Contest{SealedContest(f.draft)}}
	g := ristretto.New()
	public := func(s proof.Secret) string {
		k := s.Public(g)
		return hex.EncodeToString(k[:])
	}
	if named == nil || len(named.Trustees) == 0 {
		id, err := c.ServerIdentity(ctx)
		if err != nil {
			return nil, err
		}
		out.Server = true
		m.Threshold, m.Mixers = 1, []string{Server}
		m.Trustees = []sealed.Trustee{{Name: Server, Sign: public(id.Sign()), Seal: public(id.Seal()), Operator: true}}
	} else {
		m.Threshold, m.Mixers = named.Threshold, named.Mixers
		for _, t := range named.Trustees {
			m.Trustees = append(m.Trustees, sealed.Trustee(t))
		}
	}
	if named == nil || named.Registrar.Key == "" {
		key, err := c.ServerRegistrar(ctx)
		if err != nil {
			return nil, err
		}
		out.Registrar, m.Registrar = true, sealed.Registrar{Name: Server, Key: public(key)}
	} else {
		m.Registrar = sealed.Registrar(named.Registrar)
	}
	var err error
	if m.Sections, err = sealedSections(f.taken); err != nil {
		return nil, err
	}
	if err := m.Check(); err != nil {
		return nil, fault.Wrap(fault.KindOf(err), err, "the ballot of %s cannot be sealed", f.draft.ID)
	}
	b, err := m.Bytes()
	out.Manifest = string(b)
	return out, err
}

// sumOptions is with how many candidates a single mark is added up rather than
// mixed: a paper that is added up grows with each of them.
const sumOptions = 8

// SealedContest is what the manifest says of a ballot's paper.
func SealedContest(b *proceeding.Ballot) sealed.Contest {
	c := sealed.Contest{ID: "vote", Options: proceeding.OptionNames(b.Options)}
	how, most := b.Marking()
	switch {
	case how == proceeding.ByChoice:
		c.Options, c.Form, c.Least, c.Most = nil, sealed.FormSum, 1, 1
		for _, x := range b.Choices {
			if x != proceeding.Abstain {
				c.Options = append(c.Options, x)
			}
		}
	case how == proceeding.ByOne && len(b.Options) <= sumOptions:
		c.Form, c.Least, c.Most = sealed.FormSum, 1, 1
	case how == proceeding.ByOne || how == proceeding.ByMany:
		c.Form, c.Most = "marks", most
	default:
		c.Form = "ranks"
	}
	return c
}

// sealedSections gives the sections of a roll with the values of their votes.
func sealedSections(t *taken) ([]sealed.Section, error) {
	values := map[string]map[string]bool{}
	err := electors(&t.facts, func(do func(*roll.Chunk) error) error {
		for _, c := range t.chunks {
			if err := do(c); err != nil {
				return err
			}
		}
		return nil
	}, func(e Elector) error {
		if values[e.Section] == nil {
			values[e.Section] = map[string]bool{}
		}
		values[e.Section][e.Value] = true
		return nil
	})
	var out []sealed.Section
	for i := range t.facts.Sections {
		s := sealed.Section{ID: SectionID(t.facts.Sections[i].Name), Units: !proceeding.PeopleVote(&t.roll.Sections[i])}
		var list []*big.Rat
		for v := range values[s.ID] {
			x, ok := new(big.Rat).SetString(v)
			if !ok || x.Sign() <= 0 {
				return nil, fault.New(fault.Invalid, "a vote of the section %s is worth %s: in a sealed ballot every vote is worth more than nothing", s.ID, v)
			}
			list = append(list, x)
		}
		if len(list) == 0 {
			list = append(list, big.NewRat(1, 1))
		}
		slices.SortFunc(list, func(x, y *big.Rat) int { return cmp.Compare(x.Cmp(y), 0) })
		for _, x := range list {
			s.Classes = append(s.Classes, sealed.Class{ID: ClassID(x.RatString()), Weight: x.RatString()})
		}
		out = append(out, s)
	}
	return out, err
}

// NameTrustees names the trustees, mixers and registrar of the sealed ballots
// to come. Those whose paper has been fixed keep theirs.
func (c *Chamber) NameTrustees(ctx context.Context, by proceeding.Actor, t proceeding.TrusteesBody) error {
	return c.Write(ctx, func(w *World) ([]minutes.Entry, error) {
		if w.book == nil {
			return nil, fault.New(fault.NotFound, "this organisation has not adopted a rulebook yet")
		}
		office := ""
		for _, o := range proceeding.Officers(w.book) {
			for _, x := range w.Roster().Of(by.Person, w.at.Unix(), w.seq) {
				if x.Office == o {
					office = o
				}
			}
		}
		if office == "" && !by.System {
			return nil, fault.New(fault.NotEntitled, "only officers who can close ballots name trustees")
		}
		if err := checkTrustees(&t); err != nil {
			return nil, err
		}
		t.At, t.By = w.at.UnixMilli(), office
		return []minutes.Entry{{Kind: proceeding.KindTrustees, Access: minutes.Public, Office: office, Rulebook: w.book.Hash, Body: t}}, nil
	})
}

// checkTrustees refuses what no manifest could be made of.
func checkTrustees(t *proceeding.TrusteesBody) error {
	m := &sealed.Manifest{Version: 1, Group: "ristretto255", Election: "check", MinSize: 1, Threshold: t.Threshold, Mixers: t.Mixers,
		Contests: []sealed.Contest{{ID: "vote", Options: []string{"a", "b"}, Form: "ranks"}},
		Sections: []sealed.Section{{ID: "voters", Classes: []sealed.Class{{ID: "v1", Weight: "1"}}}}, Registrar: sealed.Registrar(t.Registrar)}
	for _, x := range t.Trustees {
		m.Trustees = append(m.Trustees, sealed.Trustee(x))
	}
	placeholder := proof.NewSecret()
	key := placeholder.Public(ristretto.New())
	if m.Registrar.Key == "" {
		m.Registrar = sealed.Registrar{Name: Server, Key: hex.EncodeToString(key[:])}
		t.Registrar = proceeding.Registrar{}
	}
	if len(t.Trustees) == 0 {
		t.Trustees, t.Mixers, t.Threshold = []proceeding.Trustee{}, []string{}, 0
		m.Threshold, m.Mixers = 1, []string{Server}
		other := proof.NewSecret().Public(ristretto.New())
		m.Trustees = []sealed.Trustee{{Name: Server, Sign: hex.EncodeToString(key[:]), Seal: hex.EncodeToString(other[:])}}
	}
	return m.Check()
}
