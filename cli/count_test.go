package cli

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// run runs `count` with arguments and gives what it wrote and its exit code.
func run(t *testing.T, in string, args ...string) (out string, code int, err error) {
	t.Helper()
	var root struct {
		Count CountCmd `cmd:""`
	}
	var b bytes.Buffer
	streams := &Streams{In: strings.NewReader(in), Out: &b, Err: &b}
	p, err := kong.New(&root, kong.Name("omov"), kong.Writers(&b, &b), kong.Exit(func(int) { t.Fatal("exit") }), kong.Bind(streams))
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := p.Parse(append([]string{"count"}, args...))
	if err != nil {
		return b.String(), ExitCode(err), err
	}
	err = ctx.Run()
	return b.String(), ExitCode(err), err
}

const three = `# a comment
3 1
4 1 2 0
3 2 3 0
2 3 2 0
0
"Änne" "Ben" "Cy" "Chair"
`

func TestCountFormats(t *testing.T) {
	out, code, err := run(t, three, "--method", "av", "-")
	if code != 0 || !strings.Contains(out, "1. Ben") || !strings.Contains(out, "Stage 2: exclusion of Cy") {
		t.Errorf("%d %v\n%s", code, err, out)
	}
	out, code, err = run(t, three, "--method", "av", "--format", "json", "-")
	var sheet struct {
		Method         string
		Seats          int
		Candidates     []string
		Valid, Invalid int
		Quota          string
		Stages         []struct {
			N               int
			Votes           map[string]string
			NonTransferable string `json:"non_transferable"`
			Elected         []string
			Excluded        []string
			Ties            []any
			Note            string
		}
		Elected []string
	}
	if err2 := json.Unmarshal([]byte(out), &sheet); err2 != nil || code != 0 {
		t.Fatal(err, err2, out)
	}
	if sheet.Valid != 9 || sheet.Stages[1].Votes["Ben"] != "5" || sheet.Elected[0] != "Ben" || sheet.Stages[0].Excluded[0] != "Cy" || sheet.Stages[0].Ties == nil {
		t.Errorf("%+v", sheet)
	}
	out, _, _ = run(t, three, "--method", "av", "--format", "csv", "-")
	if !strings.Contains(out, "2,exclusion of Cy,,Ben,5,5,elected\n") {
		t.Error(out)
	}
}

func TestCountExits(t *testing.T) {
	tie := "2 1\n1 1 0\n1 2 0\n0\n\"A\"\n\"B\"\n"
	if _, code, err := run(t, tie, "--method", "av", "-"); code != 3 {
		t.Errorf("a tie without a seed: %d, %v", code, err)
	}
	if out, code, err := run(t, tie, "--method", "av", "--seed", "hex:0102", "-"); code != 0 || !strings.Contains(out, "lot 1 drew") {
		t.Errorf("a tie with a seed: %d, %v\n%s", code, err, out)
	}
	for in, where := range map[string]string{
		"":                                   "line 1, column 1",
		"0 1\n0\n":                           "line 1, column 1",
		"2 3\n0\n\"A\"\n\"B\"\n":             "line 1, column 3",
		"2 1\n1 1 0\n1 3 0\n0\n\"A\"\n\"B\"": "line 3, column 3",
		"2 1\n1 1 0\n0\n\"A\"\n\"A\"\n":      "line 5, column 1",
		"2 1\n1 1\n\"A\"":                    "line 3, column 1",
		"2 1\n999999999999999999 1 0\n999999999999999999 1 0\n0\n\"A\"\n\"B\"": "line 3, column 1",
	} {
		_, code, err := run(t, in, "--method", "av", "-")
		if code != 2 || !strings.Contains(err.Error(), where) {
			t.Errorf("%q: exit %d, %v", in, code, err)
		}
	}
	if _, code, err := run(t, three, "--method", "nonsense", "-"); code != 2 {
		t.Errorf("no such method: %d, %v", code, err)
	}
}

func TestWithdrawnAndSeatsByFlag(t *testing.T) {
	out, code, err := run(t, three, "--method", "scottish-stv", "--seats", "2", "--withdrawn", "Ben", "-")
	if code != 0 || !strings.Contains(out, "1. Cy") || !strings.Contains(out, "2. Änne") {
		t.Errorf("%d %v\n%s", code, err, out)
	}
}

func TestSectionsCardsRounds(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		data := []byte(text)
		if strings.HasSuffix(name, ".gz") {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write(data)
			_ = z.Close()
			data = b.Bytes()
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	mps := put("mps.blt.gz", "2 1\n60 1 0\n40 2 0\n0\n\"A\"\n\"B\"\n")
	members := put("members.blt", "2 1\n1 1 0\n3 2 0\n0\n\"A\"\n\"B\"\n")
	out, code, err := run(t, "", "--method", "college", "mps="+mps+":1/2", "members="+members+":1/2")
	if code != 0 || !strings.Contains(out, "0.425") || !strings.Contains(out, "1. B") {
		t.Errorf("%d %v\n%s", code, err, out)
	}
	cards := put("cards.csv", "unit,half,value,For,Against\nUnion,aff,100,all,\nDerby,clp,10,4,6\nLeith,clp,10,0,10\n")
	out, code, err = run(t, "", "--method", "card", "--half", "aff:50", "--half", "clp:50", cards)
	if code != 0 || !strings.Contains(out, "  carried") || !strings.Contains(out, "60") {
		t.Errorf("%d %v\n%s", code, err, out)
	}
	rounds := put("rounds.csv", "round,Foot,Callaghan,Healey,withdraw\n1,90,84,30,\n2,100,104,,\n")
	out, code, err = run(t, "", "--method", "exhaustive", rounds)
	if code != 0 || !strings.Contains(out, "1. Callaghan") {
		t.Errorf("%d %v\n%s", code, err, out)
	}
}

func TestAuditAndChart(t *testing.T) {
	dir := t.TempDir()
	log, svg := filepath.Join(dir, "log"), filepath.Join(dir, "c.svg")
	blank := strings.Replace(three, "3 2 3 0\n", "1 0\n3 2 3 0\n", 1)
	if _, code, err := run(t, blank, "--method", "av", "--audit", log, "--chart", svg, "-"); code != 0 {
		t.Fatal(err)
	}
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	want := "1\t\t1:Änne\n2\t\tblank\n3\t\t1:Ben\n4\t\t1:Cy 2:Ben\n"
	if string(data) != want {
		t.Errorf("%q", data)
	}
	if data, err = os.ReadFile(svg); err != nil || !strings.Contains(string(data), "<title id=") {
		t.Errorf("%v %s", err, data)
	}
}

func TestCompareAndCountback(t *testing.T) {
	out, code, err := run(t, three, "compare", "--methods", "av,plurality,schulze,meek-prf", "-")
	if code != 0 || strings.Count(out, "\n") != 5 || !strings.Contains(out, "plurality") {
		t.Errorf("%d %v\n%s", code, err, out)
	}
	two := strings.Replace(three, "3 1\n", "3 2\n", 1)
	for _, rule := range []string{"recount", "papers"} {
		out, code, err = run(t, two, "countback", "--method", "scottish-stv", "--rule", rule, "--vacating", "Änne", "--seed", "x", "-")
		if code != 0 || !strings.Contains(out, "1. Cy") {
			t.Errorf("%s: %d %v\n%s", rule, code, err, out)
		}
	}
}
