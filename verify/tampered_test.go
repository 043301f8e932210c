package verify_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/verify"
)

// tampering alters one thing. What follows from it is made anew (hashes, the
// log's tree and signature, roots that commit to what was altered), so that
// only the check that is named can find it.
type tampering struct {
	name   string
	check  string
	public bool               // tried on a public bundle
	book   func(*book)        // before the bundle is put together
	files  func(fstest.MapFS) // afterwards
	with   func(*book, *verify.Options)
	also   []string // checks that cannot but fail with it
}

func TestTampered(t *testing.T) {
	whole := party(t)
	for _, kind := range []bool{true, false} {
		b := whole.clone(t)
		b.public = kind
		files, key := b.write(1)
		if r := check(t, files, verify.Options{Key: key}); !r.Holds() {
			for _, c := range r.Checks {
				t.Log(c.ID, c.Problems)
			}
			t.Fatalf("the untouched bundle does not hold: %v", r.Failed())
		}
	}
	for _, x := range slices.Concat(logTamperings(), recordTamperings(), runTamperings(), countTamperings()) {
		t.Run(x.name, func(t *testing.T) {
			b := whole.clone(t)
			b.public = x.public
			if x.book != nil {
				x.book(b)
			}
			files, key := b.write(1)
			if x.files != nil {
				x.files(files)
			}
			o := verify.Options{Key: key}
			if x.with != nil {
				x.with(whole, &o)
			}
			r := check(t, files, o)
			if !slices.Contains(r.Failed(), x.check) {
				t.Errorf("not found by %q; failed: %v", x.check, r.Failed())
			}
			for _, id := range r.Failed() {
				if id != x.check && !slices.Contains(x.also, id) {
					t.Errorf("%s fails too: %v", id, r.Check(id).Problems)
				}
			}
		})
	}
}

// No byte of a bundle can be altered unseen, and none brings the verifier
// down.
func TestEveryByteCounts(t *testing.T) {
	b := party(t)
	files, key := b.write(1)
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		x := files[names[rnd.IntN(len(names))]]
		i, was := rnd.IntN(len(x.Data)), byte(0)
		was, x.Data[i] = x.Data[i], x.Data[i]^byte(1<<rnd.IntN(7))
		if r, err := verify.Verify(context.Background(), files, verify.Options{Key: key}); err == nil && r.Holds() {
			t.Errorf("byte %d of %q, %q instead of %q, is not noticed", i, x.Data[max(0, i-20):min(len(x.Data), i+20)], x.Data[i], was)
		}
		x.Data[i] = was
	}
	if r := check(t, files, verify.Options{Key: key}); !r.Holds() {
		t.Error(r.Failed())
	}
}

func check(t *testing.T, files fs.FS, o verify.Options) *verify.Report {
	t.Helper()
	r, err := verify.Verify(context.Background(), files, o)
	must(t, err)
	return r
}

// swap replaces bytes in a file.
func swap(name, old, new string) func(fstest.MapFS) {
	return func(files fstest.MapFS) {
		for path, f := range files {
			if strings.HasPrefix(path, name) && bytes.Contains(f.Data, []byte(old)) {
				f.Data = bytes.Replace(f.Data, []byte(old), []byte(new), 1)
				return
			}
		}
	}
}

func logTamperings() []tampering {
	return []tampering{
		{name: "a checkpoint of another size", check: verify.CheckSignature, public: true, files: func(f fstest.MapFS) {
			lines := bytes.SplitN(f["checkpoint"].Data, []byte("\n"), 3)
			f["checkpoint"].Data = bytes.Join([][]byte{lines[0], []byte("7"), lines[2]}, []byte("\n"))
		}},
		{name: "signed by another key", check: verify.CheckSignature, public: true, with: func(b *book, o *verify.Options) { _, o.Key = b.clone(b.t).write(2) }},
		{name: "a tile altered", check: verify.CheckTree, public: true, files: func(f fstest.MapFS) {
			for path, x := range f {
				if strings.HasPrefix(path, "tile/0/") {
					x.Data[40] ^= 1
				}
			}
		}},
		{name: "a body altered", check: verify.CheckLeaves, also: afterLoss(), files: swap("entries/", "The Test Party", "The Best Party")},
		{name: "a salt altered", check: verify.CheckLeaves, also: afterLoss(), files: func(f fstest.MapFS) {
			x := f["entries/000.jsonl"]
			i := bytes.Index(x.Data, []byte(`"salt":"`)) + 8
			x.Data[i] = map[bool]byte{true: 0x31, false: 0x30}[x.Data[i] == 0x30]
		}},
		{name: "a header altered", check: verify.CheckLeaves, also: afterLoss(), files: swap("entries/", `"kind":"book.opened/1"`, `"kind":"book.closed/1"`)},
		{name: "a leaf altered", check: verify.CheckLeaves, also: []string{verify.CheckTree}, files: swap("tile/entries/", "book.opened/1", "book.closed/1")},
		{name: "a line left out", check: verify.CheckLeaves, also: []string{verify.CheckFiles}, files: func(f fstest.MapFS) {
			x := f["entries/000.jsonl"]
			i := bytes.IndexByte(x.Data, '\n')
			x.Data = x.Data[i+1:]
		}},
		{name: "a file too many", check: verify.CheckFiles, public: true, files: func(f fstest.MapFS) { f["result.txt"] = &fstest.MapFile{Data: []byte("elected: us")} }},
		{name: "history rewritten since a checkpoint", check: verify.CheckConsistency, public: true,
			book: func(b *book) { b.recs[0].salt[0] ^= 1 },
			with: func(b *book, o *verify.Options) {
				old := b.clone(b.t)
				old.recs = old.recs[:5]
				files, _ := old.write(1)
				o.Since = files["checkpoint"].Data
			}},
		{name: "shorter than a checkpoint seen before", check: verify.CheckConsistency, public: true,
			book: func(b *book) { b.recs = b.recs[:len(b.recs)-1] },
			with: func(b *book, o *verify.Options) {
				files, _ := b.clone(b.t).write(1)
				o.Since = files["checkpoint"].Data
			}},
	}
}

// afterLoss are the checks that miss an entry that cannot be read.
func afterLoss() []string { return []string{verify.CheckRecords} }

func recordTamperings() []tampering {
	return []tampering{
		{name: "an entry left out and the numbers kept", check: verify.CheckOrder, public: true, also: []string{verify.CheckRolls}, book: func(b *book) {
			b.keep = true
			b.drop(proceeding.KindSupport, 3)
		}},
		{name: "two entries exchanged", check: verify.CheckOrder, book: func(b *book) {
			b.keep = true
			for i, r := range b.recs {
				if r.head.Kind == proceeding.KindSupport {
					b.recs[i], b.recs[i+1] = b.recs[i+1], b.recs[i]
					return
				}
			}
		}},
		{name: "an entry dated back", check: verify.CheckOrder, public: true, also: []string{verify.CheckTimes}, book: func(b *book) {
			b.find(proceeding.KindCloser, 1).head.At = "2020-01-01T00:00:00.000Z"
		}},
		{name: "an unknown kind", check: verify.CheckRecords, public: true, book: func(b *book) {
			r := *b.find(proceeding.KindEnded, 0)
			r.head.Kind = "ballot.annulled/1"
			b.recs = append(b.recs, &r)
		}},
		{name: "a body that says more than its kind", check: verify.CheckRecords, public: true, book: func(b *book) {
			r := b.find(proceeding.KindEnded, 0)
			r.body = append([]byte(`{"also":1,`), r.body[1:]...)
		}},
		{name: "a nomination made public", check: verify.CheckPrivacy, public: true, also: []string{verify.CheckSupport}, book: func(b *book) {
			b.find(proceeding.KindSupport, 0).access = minutes.Public
		}},
		{name: "a header that tells what is not public", check: verify.CheckPrivacy, public: true, book: func(b *book) {
			r := b.find(proceeding.KindSupport, 0)
			for i := range b.recs {
				if b.recs[i] == r {
					r.shown = &minutes.Header{V: 1, Seq: int64(i + 1), Access: minutes.Officers, Kind: r.head.Kind}
				}
			}
		}},
		{name: "an entry kept from the scrutineers", check: verify.CheckOpened, book: func(b *book) {
			b.find(register.KindImported, 0).closed = true
		}, also: []string{verify.CheckRollAgain, verify.CheckSupport, verify.CheckBases, verify.CheckSteps, verify.CheckRecords}},
		{name: "another rulebook in the file", check: verify.CheckRulebooks, public: true, files: swap("rulebooks/", "15%", "5%")},
		{name: "another rulebook adopted under the same hash", check: verify.CheckRulebooks, public: true, book: func(b *book) {
			edit(b, chamber.KindRulebook, 0, func(x *chamber.RulebookBody) { x.Source = bytes.Replace(x.Source, []byte("15%"), []byte("5%"), 1) })
		}, also: []string{verify.CheckFiles, verify.CheckSteps, verify.CheckOffices, verify.CheckRecords}},
		{name: "a proceeding under a rulebook that was not in force", check: verify.CheckRulebooks, public: true, book: func(b *book) {
			edit(b, chamber.KindRulebook, 0, func(x *chamber.RulebookBody) { x.InForce += 1e12 })
		}},
	}
}

func runTamperings() []tampering {
	return []tampering{
		{name: "a window opened early", check: verify.CheckTimes, public: true, book: func(b *book) {
			edit(b, proceeding.KindComing, 1, func(x *proceeding.StageBody) { x.Opens -= 3_600_000 })
			edit(b, proceeding.KindOpened, 1, func(x *proceeding.StageBody) { x.Opens -= 3_600_000 })
		}},
		{name: "a window closed early", check: verify.CheckTimes, public: true, book: func(b *book) {
			edit(b, proceeding.KindClosed, 0, func(x *proceeding.StageBody) { x.At -= 60_000 })
		}},
		{name: "a nomination after the window", check: verify.CheckTimes, book: func(b *book) {
			edit(b, proceeding.KindSupport, 9, func(x *proceeding.SupportBody) { x.Support.At += 1e10 })
		}},
		{name: "one officer closes where two must", check: verify.CheckSteps, public: true, book: func(b *book) { b.drop(proceeding.KindCloser, 1) }},
		{name: "a ballot without a roll", check: verify.CheckSteps, public: true, book: func(b *book) { b.drop(proceeding.KindRoll, 0) }},
		{name: "steps after the end", check: verify.CheckSteps, public: true, book: func(b *book) {
			r := *b.find(proceeding.KindEnded, 0)
			b.recs = append(b.recs, &r)
		}},
		{name: "a lower gate", check: verify.CheckGates, public: true, book: func(b *book) {
			edit(b, proceeding.KindClosed, 0, func(x *proceeding.StageBody) {
				for i := range x.Gate {
					for k := range x.Gate[i].Gates {
						x.Gate[i].Gates[k].Needs = "1"
					}
				}
			})
		}},
		{name: "through without the support", check: verify.CheckGates, public: true, book: func(b *book) {
			edit(b, proceeding.KindClosed, 0, func(x *proceeding.StageBody) { x.Gate[0].Gates[0].Has = "2" })
		}},
		{name: "a denominator made smaller", check: verify.CheckBases, book: func(b *book) {
			edit(b, proceeding.KindOpened, 0, func(x *proceeding.StageBody) {
				for k := range x.Bases {
					x.Bases[k] = "19"
				}
			})
			edit(b, proceeding.KindClosed, 0, func(x *proceeding.StageBody) {
				for i := range x.Gate {
					x.Gate[i].Gates[0].Base = "19"
				}
			})
		}},
		{name: "a nomination left out", check: verify.CheckGateAgain, also: []string{verify.CheckRolls}, book: func(b *book) { b.drop(proceeding.KindSupport, 0) }},
		{name: "a nomination by somebody who may not", check: verify.CheckSupport, book: func(b *book) {
			edit(b, proceeding.KindSupport, 0, func(x *proceeding.SupportBody) { x.Support.By = "p50" })
		}},
		{name: "a nomination counted twice", check: verify.CheckSupport, book: func(b *book) {
			edit(b, proceeding.KindSupport, 0, func(x *proceeding.SupportBody) {
				x.Support.Leaves[0].Weight = "2"
			})
			edit(b, proceeding.KindClosed, 0, func(x *proceeding.StageBody) { x.Gate[0].Gates[0].Has = "4" })
		}},
		{name: "a candidate left off the paper", check: verify.CheckBallots, public: true, also: []string{verify.CheckSheets}, book: func(b *book) {
			edit(b, proceeding.KindBallot, 0, func(x *proceeding.BallotBody) { x.Ballot.Options = x.Ballot.Options[:2] })
		}},
		{name: "another method of counting", check: verify.CheckBallots, public: true, also: []string{verify.CheckSheets}, book: func(b *book) {
			edit(b, proceeding.KindBallot, 0, func(x *proceeding.BallotBody) { x.Ballot.Method = "plurality" })
		}},
		{name: "a secret ballot opened from fewer papers on than the rulebook says", check: verify.CheckPrivacy, public: true, book: func(b *book) {
			edit(b, proceeding.KindBallot, 0, func(x *proceeding.BallotBody) { x.Ballot.Minimum = 1 })
		}},
		{name: "a ballot said not to have been opened", check: verify.CheckPrivacy, public: true, also: []string{verify.CheckResults, verify.CheckSheets, verify.CheckOffices, verify.CheckLots}, book: func(b *book) {
			edit(b, proceeding.KindBallotShut, 0, func(x *proceeding.ShutBody) { x.Unopened = true })
		}},
		{name: "another roll in the ballot than was frozen", check: verify.CheckRolls, public: true, book: func(b *book) {
			edit(b, proceeding.KindBallot, 0, func(x *proceeding.BallotBody) { x.Ballot.Roll.Sections[0].Entitled++ })
		}},
		{name: "another freeze", check: verify.CheckRolls, public: true, book: func(b *book) {
			onBothRolls(b, func(x *proceeding.Roll) { x.Freeze = "2020-01-01" })
		}},
		{name: "the elected kept out of the office", check: verify.CheckOffices, public: true, book: func(b *book) { b.drop(register.KindFilled, mps+2) }},
		{name: "another end than the ballot's", check: verify.CheckSteps, public: true, book: func(b *book) {
			edit(b, proceeding.KindEnded, 0, func(x *proceeding.EndBody) { x.Outcome = "nobody stood" })
		}},
		{name: "the office given to somebody else", check: verify.CheckOffices, public: true, book: func(b *book) {
			other := otherOf(b)
			edit(b, register.KindFilled, mps+2, func(x *register.FilledBody) { x.Term.Person, x.Name = other.ID, other.Name })
		}},
	}
}

// onBothRolls alters the roll where it is frozen and where the ballot repeats
// it.
func onBothRolls(b *book, change func(*proceeding.Roll)) {
	edit(b, proceeding.KindRoll, 0, func(x *proceeding.RollBody) { change(&x.Roll) })
	edit(b, proceeding.KindBallot, 0, func(x *proceeding.BallotBody) { change(&x.Ballot.Roll) })
}

// reroll alters the roll's lines, and makes its root and the marked roll's
// leaves anew.
func reroll(b *book, change func(*chamber.RollBody, *roll.Chunk)) {
	var root [32]byte
	edit(b, proceeding.KindRollLines, 0, func(x *chamber.RollBody) {
		ch, err := roll.ReadChunk(x.Lines[0].N, x.Lines[0].Lines)
		must(b.t, err)
		change(x, ch)
		x.Lines[0].Lines = ch.Bytes()
		var leaves [][32]byte
		ch.Each(func(p register.PersonID, line []byte) {
			leaf, _ := roll.Leaf(x.Facts.Seed, int64(p), line)
			leaves = append(leaves, leaf)
		})
		root = roll.Root(leaves)
		x.Root, x.Size = root[:], int64(len(leaves))
	})
	onBothRolls(b, func(x *proceeding.Roll) { x.Root = hex.EncodeToString(root[:]) })
}

// reclose makes the closing root, and the sheet's lots, follow from the marked
// roll and the papers as they are.
func reclose(b *book) {
	var marked string
	edit(b, proceeding.KindMarked, 0, func(x *contest.MarkedBody) { marked = x.Root })
	root, err := hex.DecodeString(marked)
	must(b.t, err)
	sum := sha256.Sum256(b.find(proceeding.KindPapers, 0).body)
	h := sha256.New()
	h.Write([]byte("omov/closing/1\x00"))
	h.Write(root)
	h.Write(sum[:])
	edit(b, proceeding.KindBallotShut, 0, func(x *proceeding.ShutBody) { x.Root = hex.EncodeToString(h.Sum(nil)) })
}

// remark alters who voted, and makes the root anew.
func remark(b *book, change func(list []int64) []int64) {
	var seed []byte
	edit(b, proceeding.KindRollLines, 0, func(x *chamber.RollBody) { seed = x.Facts.Seed })
	edit(b, proceeding.KindMarked, 0, func(x *contest.MarkedBody) {
		s := &x.Sections[0]
		var list []int64
		last := int64(0)
		for p := s.People; len(p) > 0; {
			d, n := binary.Uvarint(p)
			last += int64(d)
			list, p = append(list, last), p[n:]
		}
		list = change(list)
		slices.Sort(list)
		s.People, s.N, last = nil, int64(len(list)), 0
		var leaves [][32]byte
		for _, v := range list {
			s.People = binary.AppendUvarint(s.People, uint64(v-last))
			last = v
			leaf, _ := roll.Leaf(seed, v, []byte("marked|"+s.Section))
			leaves = append(leaves, leaf)
		}
		root := roll.Root(leaves)
		x.Root = hex.EncodeToString(root[:])
	})
	reclose(b)
}

// lotsFollow are the checks that cannot but fail where the closing root has
// changed: the lot of the sheet was drawn with another.
func lotsFollow(more ...string) []string { return append(more, verify.CheckLots, verify.CheckRecount) }

func countTamperings() []tampering {
	return []tampering{
		{name: "totals of the roll changed", check: verify.CheckRollAgain, book: func(b *book) {
			onBothRolls(b, func(x *proceeding.Roll) { x.Sections[0].Entitled++; x.Sections[0].Votes = "1" + x.Sections[0].Votes })
		}},
		{name: "a line of the roll changed, its root made anew", check: verify.CheckRollAgain, book: func(b *book) {
			reroll(b, func(_ *chamber.RollBody, ch *roll.Chunk) { ch.Set(12, []roll.Line{{Votes: 1}}) })
		}},
		{name: "a person added to the roll", check: verify.CheckRollAgain, book: func(b *book) {
			reroll(b, func(_ *chamber.RollBody, ch *roll.Chunk) { ch.Set(900, []roll.Line{{Votes: 1}}) })
		}},
		{name: "a member's record changed", check: verify.CheckRollAgain, book: func(b *book) {
			edit(b, register.KindImported, 0, func(x *register.ImportedBody) { x.Rows[30].Changes[0].From += 1e8 * 3 })
		}},
		{name: "somebody marked who is not entitled", check: verify.CheckMarked, also: lotsFollow(), book: func(b *book) {
			remark(b, func(l []int64) []int64 { return append(l[1:], 34) })
		}},
		{name: "somebody marked twice", check: verify.CheckMarked, also: lotsFollow(), book: func(b *book) {
			remark(b, func(l []int64) []int64 { return append(l[1:], l[5]) })
		}},
		{name: "more voters than papers", check: verify.CheckTurnout, public: true, book: func(b *book) {
			edit(b, proceeding.KindBallotShut, 0, func(x *proceeding.ShutBody) { x.Returned[0].Voters++ })
		}},
		{name: "more voters than entitled", check: verify.CheckTurnout, public: true, also: []string{verify.CheckSheets}, book: func(b *book) {
			edit(b, proceeding.KindBallotShut, 0, func(x *proceeding.ShutBody) { x.Returned[0].Voters, x.Returned[0].Papers = 900, 900 })
		}},
		{name: "a paper moved", check: verify.CheckClosing, also: []string{verify.CheckRecount}, book: func(b *book) { movePaper(b) }},
		{name: "a paper moved, the closing root made anew", check: verify.CheckRecount, also: lotsFollow(), book: func(b *book) {
			movePaper(b)
			reclose(b)
		}},
		{name: "a paper stuffed in", check: verify.CheckPapers, also: lotsFollow(), book: func(b *book) {
			edit(b, proceeding.KindPapers, 0, func(x *contest.PapersBody) { x.Sections[0].Papers[0].N++ })
			reclose(b)
		}},
		{name: "a paper that nobody can have cast", check: verify.CheckPapers, also: lotsFollow(), book: func(b *book) {
			edit(b, proceeding.KindPapers, 0, func(x *contest.PapersBody) { x.Sections[0].Papers[0].Marks = []int{0, 0} })
			reclose(b)
		}},
		{name: "the papers left out", check: verify.CheckRecount, also: []string{verify.CheckClosing}, book: func(b *book) { b.drop(proceeding.KindPapers, 0) }},
		{name: "a figure on the sheet changed", check: verify.CheckSheets, public: true, book: func(b *book) { onSheet(b, `:"10"`, `:"11"`) }},
		{name: "another result declared than the sheet's", check: verify.CheckResults, public: true, also: []string{verify.CheckOffices}, book: func(b *book) {
			other := otherOf(b)
			edit(b, proceeding.KindResult, 0, func(x *proceeding.ResultBody) { x.Elected[0] = other })
		}},
		{name: "a result of another outcome", check: verify.CheckResults, public: true, also: []string{verify.CheckSteps}, book: func(b *book) {
			edit(b, proceeding.KindResult, 0, func(x *proceeding.ResultBody) { x.Outcome = "inquorate" })
		}},
		{name: "another secret for the lot", check: verify.CheckLots, public: true, book: func(b *book) {
			edit(b, proceeding.KindSecret, 0, func(x *proceeding.CommitBody) { x.Commit.Secret = strings.Repeat("ab", 32) })
		}},
		{name: "a secret committed to after the voting", check: verify.CheckTimes, public: true, book: func(b *book) {
			i, j := b.index(proceeding.KindCommit, 1), b.index(proceeding.KindCloser, 0)
			b.recs[i].head.At = b.recs[j].head.At
			r := b.recs[i]
			b.recs = append(b.recs[:i], b.recs[i+1:]...)
			b.recs = slices.Insert(b.recs, j-1, r)
		}},
		{name: "the lot drawn otherwise", check: verify.CheckLots, public: true, book: func(b *book) {
			onSheet(b, `"order":[`+lotOrder(b, 0)+`,`+lotOrder(b, 1)+`]`, `"order":[`+lotOrder(b, 1)+`,`+lotOrder(b, 0)+`]`)
		}},
	}
}

// movePaper gives one candidate a paper of another.
func movePaper(b *book) {
	edit(b, proceeding.KindPapers, 0, func(x *contest.PapersBody) {
		x.Sections[0].Papers[0].N--
		x.Sections[0].Papers[1].N++
	})
}

// otherOf is an option of the ballot that was not elected.
func otherOf(b *book) (other proceeding.Person) {
	var elected proceeding.Person
	edit(b, proceeding.KindResult, 0, func(x *proceeding.ResultBody) { elected = x.Elected[0] })
	edit(b, proceeding.KindBallot, 0, func(x *proceeding.BallotBody) {
		for _, o := range x.Ballot.Options {
			if o != elected {
				other = o
			}
		}
	})
	return other
}

// onSheet alters the text of the count sheet.
func onSheet(b *book, old, new string) {
	b.t.Helper()
	edit(b, proceeding.KindResult, 0, func(x *proceeding.ResultBody) {
		if !strings.Contains(x.Sheet, old) {
			b.t.Fatalf("the sheet has no %s: %s", old, x.Sheet)
		}
		x.Sheet = strings.Replace(x.Sheet, old, new, 1)
	})
}

// lotOrder is the nth name of the sheet's lot, quoted.
func lotOrder(b *book, n int) (name string) {
	edit(b, proceeding.KindResult, 0, func(x *proceeding.ResultBody) {
		_, rest, _ := strings.Cut(x.Sheet, `"order":[`)
		list, _, _ := strings.Cut(rest, "]")
		name = strings.Split(list, ",")[n]
	})
	return name
}

// index is where the nth record of a kind lies.
func (b *book) index(kind string, n int) int { return slices.Index(b.recs, b.find(kind, n)) }
