package ballotfile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"

	"github.com/omov/omov/count"
	"github.com/omov/omov/fault"
)

// seeds are small files of every form, sound and broken.
func seeds() []string {
	return []string{
		"3 1\n4 1 2 0\n3 2 3 0\n2 3 2 0\n0\n\"Ann\"\n\"Ben\"\n\"Cy\"\n\"Title\"\n",
		"\xef\xbb\xbf3 2\r\n-2\r\n1 1 0\r\n1 3 1 0\r\n0\r\n\"A\"\r\n\"B\"\r\n\"C\"\r\n",
		"4 2 # comment\n[nick ann ben cy di] [tie di cy ben ann]\n3 ann=ben cy 0\n1 di - ann 0 /* more */\n(b1) 1/2 cy\n 0\n0 \"Ann\" \"Ben\" \"Cy\" \"Di\"",
		"2 1\n1 1 1 0\n1 0\n0\n\"Änne\"\n\"\xff\"\n",
		"2 1\n1.5 1 0\n0\n\"A\"\n\"B\"\n",
		"2 1\n9223372036854775807 1 0\n0\n\"A\"\n\"B\"\n",
		"0 0\n0\n", "2 3\n0\n\"A\"\n\"B\"", "2 1\n1 3 0\n0", "2 1\n1 1", "x", "1000000 1\n0\n", "2 1\n[droop x]\n[what]\n", "2 1\n-3\n", "2 1\n/*",
		"# FILE NAME: x.toc\n# NUMBER ALTERNATIVES: 3\n# ALTERNATIVE NAME 1: Ann\n# ALTERNATIVE NAME 2: Ben\n# ALTERNATIVE NAME 3: Cy\n12: 1,{2,3}\n3: {1,2},3\n1: {},2\n",
		"3\n1,Ann\n2,Ben\n3,Cy\n7,7,2\n5,1,2,3\n2,3,{1,2}\n", "2\n1,A\n2,A\n1,1,1\n1,{1\n",
		"rank1,rank2,votes,class\nAnn,Ben,3,members\nBen,,2,others\n\"Cy=Ann\",overvote,1,members\n", "rank1,votes\nAnn,1/3\nBen,x\n",
		"id,Ann,Ben\n1,1,2\n2,,1\n3,1,1\n", "Choice_1_1:X:1:N:Ann:P,Choice_2_1:X:1:N:Ben:P\n1,0\n0,1\n1,1\n",
		"unit,half,value,For,Against\nNorth,a,100,all,\nDerby,b,10,4,6\n", "unit,value,For\nA,x,1\n",
		"round,section,Ann,Ben,spoilt,withdraw\n1,,12,9,1,\n2,,13,,0,Ben\n", "round,Ann\n1,\n1,3\n",
	}
}

// sound checks what every reader promises.
func sound(t *testing.T, f *File, err error) {
	if err != nil {
		var at *Error
		if errors.As(err, &at) {
			if at.Line < 1 || at.Column < 0 || at.Message == "" {
				t.Fatalf("an error without a place: %+v", at)
			}
		} else if fault.Of(err) == nil {
			t.Fatalf("an error that is no refusal: %v", err)
		}
		return
	}
	if len(f.Candidates) == 0 || f.Papers == nil || f.Papers.Candidates() != len(f.Candidates) {
		t.Fatalf("a file without candidates or papers: %+v", f)
	}
	if len(f.Candidates) > 50 || f.Papers.Len() > 1000 {
		return
	}
	c := f.Contest()
	c.Seed = []byte("fuzz")
	for _, m := range []string{"av", "scottish-stv", "meek-prf", "ers97", "schulze", "plurality-at-large"} {
		x := c
		if m == "av" || m == "schulze" {
			x.Seats = 1
		}
		if _, err := count.Count(m, x, count.Pool(f.Papers)); fault.Is(err, fault.Internal) {
			t.Fatalf("%s: %v", m, err)
		}
	}
}

func addSeeds(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
}

func FuzzBLT(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ReadBLT(data, Options{KeepPapers: true})
		sound(t, file, err)
		// The careful parser must say the same as the fast one.
		p := &bltParser{lexer: lexer{data: data}, f: &File{}, o: Options{KeepPapers: true}, careful: true}
		slow := p.header()
		if slow == nil {
			slow = p.papers()
		}
		if slow == nil {
			slow = p.names()
		}
		if (slow == nil) != (err == nil) {
			t.Fatalf("fast: %v, careful: %v", err, slow)
		}
		if err != nil {
			return
		}
		if a, b := contents(file.Papers), contents(p.f.Papers); a != b {
			t.Fatalf("fast:\n%s\ncareful:\n%s", a, b)
		}
	})
}

// contents writes what papers hold, in the order in which they were added.
func contents(p *count.Papers) string {
	var b strings.Builder
	for n := range p.Added() {
		g, ok := p.GroupOf(n)
		if !ok {
			b.WriteString("blank\n")
			continue
		}
		marks, votes, _ := p.Group(g)
		for _, m := range marks {
			b.WriteString(string(rune('0'+m.Candidate())) + " ")
		}
		b.WriteString(string(rune('0'+votes%1000)) + "\n")
	}
	b.WriteString(string(rune('0'+p.Blank()%1000)) + " " + string(rune('0'+p.Total()%1000)))
	return b.String()
}

func FuzzPrefLib(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ReadPrefLib(data, Options{})
		sound(t, file, err)
	})
}

func FuzzCSV(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ReadCSV(data, Options{})
		sound(t, file, err)
	})
}

func FuzzAny(f *testing.F) {
	addSeeds(f)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(seeds()[0]))
	_ = z.Close()
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:b.Len()-5])
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Read(bytes.NewReader(data), Options{MaxBytes: 1 << 20})
		sound(t, file, err)
	})
}

func FuzzCardsAndRounds(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if cards, err := ReadCards(bytes.NewReader(data), Options{}); err == nil && len(cards.Options) > 0 && len(cards.Cards) < 1000 {
			_, err := count.Count("card", count.Contest{Candidates: cards.Options, Cards: cards.Cards, Seed: []byte("f")})
			if fault.Is(err, fault.Internal) {
				t.Fatal(err)
			}
		}
		if r, err := ReadRounds(bytes.NewReader(data), Options{}); err == nil && len(r.Sections) == 1 && len(r.Rounds) < 100 {
			_, err := count.Count("exhaustive", count.Contest{Candidates: r.Candidates, Rounds: r.Rounds, Seed: []byte("f")})
			if fault.Is(err, fault.Internal) {
				t.Fatal(err)
			}
		}
	})
}

func TestBadInput(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write(bytes.Repeat([]byte("2 1\n1 1 0\n"), 1000))
	_ = w.Close()
	var bomb bytes.Buffer
	w = gzip.NewWriter(&bomb)
	zero := make([]byte, 1<<20)
	for range 8 {
		_, _ = w.Write(zero)
	}
	_ = w.Close()
	for name, data := range map[string]string{
		"empty":                   "",
		"only space":              " \n\n",
		"no candidates":           "0 1\n0\n",
		"more seats":              "2 3\n1 1 0\n0\n\"A\"\n\"B\"\n",
		"unknown candidate":       "2 1\n1 3 0\n0\n\"A\"\n\"B\"\n",
		"the same name twice":     "2 1\n1 1 0\n0\n\"A\"\n\"A\"\n",
		"too few names":           "2 1\n1 1 0\n0\n\"A\"\n",
		"votes overflow":          "2 1\n999999999999999999 1 0\n999999999999999999 1 0\n0\n\"A\"\n\"B\"\n",
		"a number with 30 digits": "2 1\n999999999999999999999999999999 1 0\n0\n\"A\"\n\"B\"\n",
		"cut gzip":                z.String()[:z.Len()-10],
		"a gzip bomb":             bomb.String(),
		"a million candidates":    "1000000 1\n1 1 0\n0\n",
		"preflib, a million":      "# NUMBER ALTERNATIVES: 1000000\n",
		"a name without end":      "2 1\n1 1 0\n0\n\"A\"\n\"B\n",
		"negative votes":          "2 1\n1 1 0\n-1 1 0\n0\n\"A\"\n\"B\"\n",
		"fractions without end":   "2 1\n1/1000003 1 0\n1/1000033 1 0\n1/1000037 1 0\n0\n\"A\"\n\"B\"\n",
	} {
		f, err := Read(strings.NewReader(data), Options{MaxBytes: 4 << 20})
		if err == nil || fault.Of(err) == nil {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
}

// TestMillionRanks: one paper of a million ranks is one paper with repeats.
func TestMillionRanks(t *testing.T) {
	data := "3 1\n1" + strings.Repeat(" 1 2", 500_000) + " 0\n2 3 0\n0\n\"A\"\n\"B\"\n\"C\"\n"
	f, err := ReadBLT([]byte(data), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := count.Count("av", f.Contest(), count.Pool(f.Papers))
	if err != nil || s.Elected[0] != "C" || s.Stages[0].Votes.Of("A") != "1" {
		t.Errorf("%v %v", s, err)
	}
	long := "3 1\n1" + strings.Repeat(" 1 2", 3_000_000) + " 0\n0\n\"A\"\n\"B\"\n\"C\"\n"
	if _, err := ReadBLT([]byte(long), Options{}); err == nil {
		t.Error("six million ranks were taken")
	}
}

func TestFormatsSayTheSame(t *testing.T) {
	forms := map[string]string{
		"a.blt": "3 1\n4 1 2 0\n3 2 0\n2 2=3 1 0\n0\n\"Ann\"\n\"Ben\"\n\"Cy\"\n",
		"a.toc": "# TITLE: x\n# NUMBER ALTERNATIVES: 3\n# ALTERNATIVE NAME 1: Ann\n# ALTERNATIVE NAME 2: Ben\n# ALTERNATIVE NAME 3: Cy\n4: 1,2\n3: 2\n2: {2,3},1\n",
		"b.toc": "3\n1,Ann\n2,Ben\n3,Cy\n9,9,3\n4,1,2\n3,2\n2,{2,3},1\n",
		"a.csv": "rank1,rank2,votes\nAnn,Ben,4\nBen,,3\nBen=Cy,Ann,2\n",
		"b.csv": "paper,Ann,Ben,Cy,votes\n1,1,2,,4\n2,,1,,3\n3,2,1,1,2\n",
	}
	for name, data := range forms {
		f, err := Read(strings.NewReader(data), Options{Name: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s, err := count.Count("schulze", f.Contest(), count.Pool(f.Papers))
		if err != nil {
			t.Fatal(err)
		}
		if s.Elected[0] != "Ben" || s.Pairs[1][0] != "5" || s.Pairs[0][1] != "4" || s.Pairs[1][2] != "7" || s.Pairs[2][1] != "0" {
			t.Errorf("%s: %v %v", name, s.Elected, s.Pairs)
		}
	}
}
