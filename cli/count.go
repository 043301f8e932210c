package cli

import (
	"bufio"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/count"
	"github.com/omov/omov/count/ballotfile"
	"github.com/omov/omov/count/chart"
	"github.com/omov/omov/fault"
)

// CountCmd is `omov count`.
type CountCmd struct {
	Papers    CountPapersCmd `cmd:"" default:"withargs" help:"Count a file of papers (the default)."`
	Compare   CompareCmd     `cmd:"" help:"Count the same papers by several methods."`
	Countback CountbackCmd   `cmd:"" help:"Fill a casual vacancy from the papers of the election."`
	Methods   MethodsCmd     `cmd:"" help:"List the counting methods."`
}

// ContestFlags are what can be said about a contest.
type ContestFlags struct {
	Seats          int      `help:"How many are to be elected; 0: as the file says, else 1." default:"0"`
	Withdrawn      []string `help:"A candidate who withdrew before the voting ended (repeat)." sep:"none" placeholder:"NAME"`
	WithdrawnAfter []string `help:"A candidate who withdrew after the voting (repeat)." sep:"none" placeholder:"NAME"`
	Ties           string   `help:"How ties are broken before the lot: rule, backward, forward, first, lot." default:"rule" enum:"rule,backward,forward,first,lot"`
	Seed           string   `help:"The committed seed of the lot: hex:… or text." placeholder:"SEED"`
	Order          []string `help:"A drawn order: of the tied, whoever stands first is picked (repeat)." sep:"none" placeholder:"NAME"`
	FileOrder      bool     `help:"Break ties by the file's own tie order, else by the order of candidates."`
	Gaps           string   `help:"An empty rank: rule, skip, stop, spoil." default:"rule" enum:"rule,skip,stop,spoil"`
	MaxGap         int      `help:"How many empty ranks in a row are let pass." default:"0"`
	Repeats        string   `help:"A candidate named twice: rule, skip, stop, spoil." default:"rule" enum:"rule,skip,stop,spoil"`
	Equals         string   `help:"Equal ranks: rule, skip, stop, spoil, share, when-one, straight." default:"rule" enum:"rule,skip,stop,spoil,share,when-one,straight"`
	MaxMarks       int      `help:"The most candidates a paper may name; 0: no bound." default:"0"`
	TooMany        string   `help:"A paper that names more: spoil, or stop (the first count)." default:"spoil" enum:"spoil,stop"`
	Quota          []string `help:"A quota on the result, NAME:MIN-MAX:candidate|candidate (MIN or MAX may be left out; repeat)." sep:"none" placeholder:"QUOTA"`
	Majority       string   `help:"What carries: '>1/2', '>=2/3' …" default:">1/2"`
	Of             string   `help:"Of what: cast, papers, entitled." default:"cast" enum:"cast,papers,entitled"`
	Entitled       int64    `help:"How many were entitled to vote." default:"0"`
	Scale          []int64  `help:"Points for each rank, as 3,2,1." placeholder:"POINTS"`
	Inside         string   `help:"The method inside a college: av, plurality, exhaustive." default:"av" enum:"av,plurality,exhaustive"`
	Half           []string `help:"A part of a card vote, NAME:WEIGHT (repeat)." sep:"none" placeholder:"HALF"`
	Default        string   `help:"The default option (debian)." placeholder:"NAME"`
	Quorum         string   `help:"Votes an option needs over the default option (debian)." placeholder:"N"`
	Strength       string   `help:"What makes a defeat strong: winning, margin, opposition." default:"winning" enum:"winning,margin,opposition"`
	Batch          bool     `help:"Exclude sure losers together (av, wigm-prf)."`
	DownTo         int      `help:"Go on until so many candidates are left (av)." default:"0"`
}

// CountPapersCmd counts one file, or several sections.
type CountPapersCmd struct {
	Method string   `help:"The counting method." required:"" placeholder:"ID"`
	Format string   `help:"text, json or csv." default:"text" enum:"text,json,csv"`
	Audit  string   `help:"Write a line for every paper to this file: where it lay at which stage." placeholder:"FILE" type:"path"`
	Chart  string   `help:"Write a chart of the stages (SVG) to this file." placeholder:"FILE" type:"path"`
	Files  []string `arg:"" name:"file" help:"BLT, PrefLib or CSV, each also gzipped; - for standard input; for a college several NAME=FILE:WEIGHT."`
	ContestFlags
}

// Run counts.
func (c *CountPapersCmd) Run(s *Streams) error {
	contest, sections, err := c.load(s)
	if err != nil {
		return err
	}
	contest.Trail = c.Audit != ""
	sheet, err := count.Count(c.Method, contest, sections...)
	if err != nil {
		return err
	}
	if c.Audit != "" {
		if err := writeFile(c.Audit, func(w io.Writer) error { return audit(w, sheet, sections) }); err != nil {
			return err
		}
	}
	if c.Chart != "" {
		if err := writeFile(c.Chart, func(w io.Writer) error {
			_, err := io.WriteString(w, chart.Sections(sheet, chart.Options{}))
			return err
		}); err != nil {
			return err
		}
	}
	return write(s.Out, sheet, c.Format)
}

// load reads the files and makes the contest.
func (c *CountPapersCmd) load(s *Streams) (count.Contest, []count.Section, error) {
	switch c.Method {
	case "card":
		return c.loadCards(s)
	case "college":
		return c.loadSections(s)
	}
	if len(c.Files) != 1 {
		return count.Contest{}, nil, fault.New(fault.Invalid, "The method %s counts one file, not %d.", c.Method, len(c.Files))
	}
	if c.Method == "exhaustive" {
		if f, err := c.loadRounds(s); f != nil || err != nil {
			return c.roundsContest(f, err)
		}
	}
	f, err := readPapers(s, c.Files[0], ballotfile.Options{KeepPapers: c.Audit != ""})
	if err != nil {
		return count.Contest{}, nil, err
	}
	contest, err := c.contest(f)
	return contest, []count.Section{count.Pool(f.Papers)}, err
}

// loadRounds reads a table of rounds; nil if the file is something else.
func (c *CountPapersCmd) loadRounds(s *Streams) (*ballotfile.RoundFile, error) {
	if !strings.HasSuffix(strings.TrimSuffix(c.Files[0], ".gz"), ".csv") {
		return nil, nil
	}
	r, err := open(s, c.Files[0])
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := ballotfile.ReadRounds(r, ballotfile.Options{Name: c.Files[0]})
	var where *ballotfile.Error
	if asError(err, &where) && where.Line == 1 {
		return nil, nil
	}
	return f, err
}

func (c *CountPapersCmd) roundsContest(f *ballotfile.RoundFile, err error) (count.Contest, []count.Section, error) {
	if err != nil {
		return count.Contest{}, nil, err
	}
	if len(f.Sections) > 1 {
		return count.Contest{}, nil, fault.New(fault.Invalid, "Rounds with sections are counted by the method college with --inside exhaustive.")
	}
	contest, err := c.contest(&ballotfile.File{Candidates: f.Candidates})
	contest.Rounds = f.Rounds
	return contest, nil, err
}

func (c *CountPapersCmd) loadCards(s *Streams) (count.Contest, []count.Section, error) {
	if len(c.Files) != 1 {
		return count.Contest{}, nil, fault.New(fault.Invalid, "A card vote is one file, not %d.", len(c.Files))
	}
	r, err := open(s, c.Files[0])
	if err != nil {
		return count.Contest{}, nil, err
	}
	defer r.Close()
	f, err := ballotfile.ReadCards(r, ballotfile.Options{Name: c.Files[0]})
	if err != nil {
		return count.Contest{}, nil, err
	}
	contest, err := c.contest(&ballotfile.File{Candidates: f.Options})
	contest.Cards = f.Cards
	for _, h := range c.Half {
		name, weight, ok := strings.Cut(h, ":")
		w, good := new(big.Rat).SetString(weight)
		if !ok || !good {
			return contest, nil, fault.New(fault.Invalid, "A half is written NAME:WEIGHT, not %q.", h)
		}
		contest.Halves = append(contest.Halves, count.Half{Name: name, Weight: w})
	}
	return contest, nil, err
}

// loadSections reads NAME=FILE:WEIGHT …; with --inside exhaustive, one table
// of rounds follows the sections' names and weights as NAME=:WEIGHT.
func (c *CountPapersCmd) loadSections(s *Streams) (count.Contest, []count.Section, error) {
	var sections []count.Section
	var files []*ballotfile.File
	var rounds *ballotfile.RoundFile
	for _, arg := range c.Files {
		name, rest, ok := strings.Cut(arg, "=")
		at := strings.LastIndexByte(rest, ':')
		if !ok && c.Inside == "exhaustive" {
			f, err := c.roundsFrom(s, arg)
			if err != nil {
				return count.Contest{}, nil, err
			}
			rounds = f
			continue
		}
		if !ok || at < 0 {
			return count.Contest{}, nil, fault.New(fault.Invalid, "A section is written NAME=FILE:WEIGHT, not %q.", arg)
		}
		weight, good := new(big.Rat).SetString(rest[at+1:])
		if !good {
			return count.Contest{}, nil, fault.New(fault.Invalid, "The weight of %q is no number: %q.", name, rest[at+1:])
		}
		section := count.Section{Name: name, Weight: weight}
		if rest[:at] != "" {
			f, err := readPapers(s, rest[:at], ballotfile.Options{KeepPapers: c.Audit != ""})
			if err != nil {
				return count.Contest{}, nil, err
			}
			files = append(files, f)
			section.Papers = f.Papers
		}
		sections = append(sections, section)
	}
	if rounds != nil {
		return c.collegeRounds(rounds, sections)
	}
	return c.sameCandidates(files, sections)
}

func (c *CountPapersCmd) roundsFrom(s *Streams, name string) (*ballotfile.RoundFile, error) {
	r, err := open(s, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return ballotfile.ReadRounds(r, ballotfile.Options{Name: name})
}

// collegeRounds puts the sections into the order of the table.
func (c *CountPapersCmd) collegeRounds(f *ballotfile.RoundFile, sections []count.Section) (count.Contest, []count.Section, error) {
	contest, err := c.contest(&ballotfile.File{Candidates: f.Candidates})
	contest.Rounds = f.Rounds
	var ordered []count.Section
	for _, name := range f.Sections {
		i := slices.IndexFunc(sections, func(x count.Section) bool { return x.Name == name })
		if i < 0 {
			return contest, nil, fault.New(fault.Invalid, "The table has a section %q without a weight; write %s=:WEIGHT.", name, name)
		}
		ordered = append(ordered, sections[i])
	}
	return contest, ordered, err
}

// sameCandidates checks that all sections vote on the same names.
func (c *CountPapersCmd) sameCandidates(files []*ballotfile.File, sections []count.Section) (count.Contest, []count.Section, error) {
	if len(files) == 0 || len(files) < len(sections) {
		return count.Contest{}, nil, fault.New(fault.Invalid, "Every section of a college needs a file: NAME=FILE:WEIGHT.")
	}
	for i, f := range files[1:] {
		if !slices.Equal(f.Candidates, files[0].Candidates) {
			return count.Contest{}, nil, fault.New(fault.Invalid, "The sections %q and %q have different candidates.", sections[0].Name, sections[i+1].Name)
		}
	}
	contest, err := c.contest(files[0])
	return contest, sections, err
}

// contest makes the contest from a file and the flags.
func (c *ContestFlags) contest(f *ballotfile.File) (count.Contest, error) {
	x := f.Contest()
	if c.Seats != 0 {
		x.Seats = c.Seats
	}
	x.Ties = count.TieRule(orNone(c.Ties))
	x.Gaps, x.Repeats, x.Equals = count.Validity(orNone(c.Gaps)), count.Validity(orNone(c.Repeats)), count.Validity(orNone(c.Equals))
	x.MaxGap, x.MaxMarks, x.TooMany = c.MaxGap, c.MaxMarks, count.Validity(c.TooMany)
	x.Inside, x.Batch, x.DownTo, x.Scale = c.Inside, c.Batch, c.DownTo, c.Scale
	if c.Strength != "winning" {
		x.Condorcet.Strength = c.Strength
	}
	if err := c.people(&x, f); err != nil {
		return x, err
	}
	if err := c.thresholds(&x); err != nil {
		return x, err
	}
	seed, err := parseSeed(c.Seed)
	x.Seed = seed
	return x, err
}

// people turns names into numbers.
func (c *ContestFlags) people(x *count.Contest, f *ballotfile.File) error {
	number := func(name string) (int, error) {
		if i := slices.Index(x.Candidates, name); i >= 0 {
			return i, nil
		}
		return 0, fault.New(fault.Invalid, "There is no candidate %q.", name)
	}
	numbers := func(to *[]int, names []string) error {
		for _, name := range names {
			i, err := number(name)
			if err != nil {
				return err
			}
			*to = append(*to, i)
		}
		return nil
	}
	x.Withdrawn = slices.Clone(x.Withdrawn)
	for to, names := range map[*[]int][]string{&x.Withdrawn: c.Withdrawn, &x.WithdrawnAfter: c.WithdrawnAfter, &x.Order: c.Order} {
		if err := numbers(to, names); err != nil {
			return err
		}
	}
	if c.FileOrder && len(x.Order) == 0 {
		if x.Order = f.Order; len(x.Order) == 0 {
			for i := range x.Candidates {
				x.Order = append(x.Order, i)
			}
		}
	}
	if c.Default != "" {
		i, err := number(c.Default)
		if err != nil {
			return err
		}
		x.Condorcet.Default, x.Condorcet.HasDefault = i, true
	}
	for _, q := range c.Quota {
		parts := strings.SplitN(q, ":", 3)
		if len(parts) != 3 {
			return fault.New(fault.Invalid, "A quota is written NAME:MIN-MAX:candidate|candidate, not %q.", q)
		}
		quota := count.Quota{Name: parts[0]}
		least, most, _ := strings.Cut(parts[1], "-")
		var err error
		if quota.AtLeast, err = bound(least); err == nil && most != "" {
			quota.NoMore = true
			quota.AtMost, err = bound(most)
		}
		if err != nil {
			return err
		}
		if err := numbers(&quota.Members, strings.Split(parts[2], "|")); err != nil {
			return err
		}
		x.Quotas = append(x.Quotas, quota)
	}
	return nil
}

func bound(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, fault.New(fault.Invalid, "%q is no number of places.", s)
	}
	return n, nil
}

func (c *ContestFlags) thresholds(x *count.Contest) error {
	share, atLeast := strings.CutPrefix(c.Majority, ">=")
	share = strings.TrimPrefix(share, ">")
	r, ok := new(big.Rat).SetString(share)
	if !ok || r.Sign() < 0 {
		return fault.New(fault.Invalid, "A majority is written >1/2 or >=2/3, not %q.", c.Majority)
	}
	if c.Majority != ">1/2" || c.Of != "cast" {
		x.Pass = count.Threshold{Share: r, AtLeast: atLeast, Of: c.Of, Entitled: c.Entitled}
	}
	if c.Quorum != "" {
		if x.Condorcet.Quorum, ok = new(big.Rat).SetString(c.Quorum); !ok {
			return fault.New(fault.Invalid, "The quorum %q is no number.", c.Quorum)
		}
	}
	return nil
}

func parseSeed(s string) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	if h, ok := strings.CutPrefix(s, "hex:"); ok {
		b, err := hex.DecodeString(h)
		if err != nil {
			return nil, fault.New(fault.Invalid, "The seed is not hexadecimal.")
		}
		return b, nil
	}
	return []byte(s), nil
}

func orNone(word string) string {
	if word == "rule" {
		return ""
	}
	return word
}

// open opens a file, or standard input for "-".
func open(s *Streams, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(s.In), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The file %q cannot be read", name)
	}
	return f, nil
}

func readPapers(s *Streams, name string, o ballotfile.Options) (*ballotfile.File, error) {
	r, err := open(s, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	o.Name = name
	f, err := ballotfile.Read(r, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// writeFile writes a file through a buffer.
func writeFile(name string, fill func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err := fill(w); err != nil {
		f.Close()
		return err
	}
	if err := w.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// write writes a sheet.
func write(w io.Writer, sheet *count.Sheet, format string) error {
	switch format {
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(sheet)
	case "csv":
		return csv.NewWriter(w).WriteAll(sheet.Rows())
	}
	_, err := io.WriteString(w, sheet.Text())
	return err
}
