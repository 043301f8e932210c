// Command bench runs the benchmarks that goals.txt names and prints one
// table: figure, goal, ratio (above 1: better than the goal). An argument
// chooses the lines that contain it.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
)

const goalsFile = "scripts/goals.txt"

// goal is a line of goals.txt.
type goal struct {
	pkg, bench, metric, label string
	atMost                    bool
	value                     float64
}

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, args []string) error {
	b, err := os.ReadFile(goalsFile)
	if err != nil {
		return fmt.Errorf("run this from the root of the project: %w", err)
	}
	goals, err := parse(string(b))
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "figure\tgoal\tratio\t\t(%d cores)\n", runtime.NumCPU())
	var failed []error
	ran := runs{}
	for _, g := range goals {
		if len(args) > 0 && !strings.Contains(g.pkg+" "+g.bench+" "+g.label, args[0]) {
			continue
		}
		fmt.Fprintln(os.Stderr, "running", g.pkg, g.bench)
		got, err := ran.measure(g)
		if err != nil {
			failed = append(failed, err)
			fmt.Fprintf(t, "-\t%s\t-\tfailed\t%s\n", g, g.label)
			continue
		}
		r := g.ratio(got)
		mark := ""
		if r < 1 {
			mark = "missed"
		}
		fmt.Fprintf(t, "%s %s\t%s\t%.2f\t%s\t%s\n", number(got), g.metric, g, r, mark, g.label)
	}
	return errors.Join(append(failed, t.Flush())...)
}

func (g goal) String() string {
	if g.atMost {
		return "≤ " + number(g.value)
	}
	return "≥ " + number(g.value)
}

func (g goal) ratio(got float64) float64 {
	if g.atMost {
		return g.value / got
	}
	return got / g.value
}

func number(f float64) string {
	if f >= 1000 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return strconv.FormatFloat(f, 'g', 3, 64)
}

func parse(text string) ([]goal, error) {
	var goals []goal
	for i, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "|")
		if len(f) != 5 {
			return nil, fmt.Errorf("%s:%d: a line is package | benchmark | metric | goal | label", goalsFile, i+1)
		}
		for j := range f {
			f[j] = strings.TrimSpace(f[j])
		}
		direction, value, _ := strings.Cut(f[3], " ")
		v, err := strconv.ParseFloat(value, 64)
		if err != nil || direction != ">=" && direction != "<=" {
			return nil, fmt.Errorf("%s:%d: a goal is >= or <=, a space and a number", goalsFile, i+1)
		}
		goals = append(goals, goal{pkg: f[0], bench: f[1], metric: f[2], label: f[4], atMost: direction == "<=", value: v})
	}
	return goals, nil
}

// runs keeps what a benchmark printed, for one that has several goals.
type runs map[string][]byte

// measure runs one benchmark and gives its metric.
func (r runs) measure(g goal) (float64, error) {
	key := g.pkg + " " + g.bench
	out, done := r[key]
	if !done {
		var err error
		if out, err = bench(g); err != nil {
			return 0, err
		}
		r[key] = out
	}
	return read(g, out)
}

func bench(g goal) ([]byte, error) {
	pattern := "^" + strings.ReplaceAll(g.bench, "/", "$/^") + "$"
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", pattern, "-benchtime", "2s", "-timeout", "30m", g.pkg)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", g.pkg, g.bench, err, out)
	}
	return out, nil
}

// read finds a metric in what a benchmark printed.
func read(g goal, out []byte) (float64, error) {
	for _, line := range strings.Split(string(out), "\n") {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], g.bench) {
			continue
		}
		for i := 2; i+1 < len(f); i += 2 {
			if f[i+1] == g.metric {
				return strconv.ParseFloat(f[i], 64)
			}
		}
	}
	return 0, fmt.Errorf("%s %s does not report %q:\n%s", g.pkg, g.bench, g.metric, out)
}
