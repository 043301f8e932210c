package rehearsal

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// small is a rehearsal to which tests add lines.
const small = `rehearsal: A small one
rulebook: cooperative
begin: 2026-03-01
people:
  - {named: Member, make: 30, class: member, since: 2020-01-01}
  - {also: Member 1, named: Sam, holds: secretary}
`

// What is wrong with a script is said with line and column, and with what
// was probably meant.
func TestProblems(t *testing.T) {
	for _, x := range []struct{ src, want string }{
		{"rehersal: x\n", "1:1: a rehearsal has no `rehersal`; did you mean `rehearsal`?"},
		{small + "step: []\n", "7:1: a rehearsal has no `step`; did you mean `steps`?"},
		{small + "steps:\n  - {at: 2026-03-02, bye: Sam, call: special_meeting}\n", "8:22: a step that does `call` has no `bye`; did you mean `by`?"},
		{small + "steps:\n  - {at: 2026-03-02, cal: special_meeting}\n", "8:22: a step cannot `cal`; did you mean `call`?"},
		{small + "steps:\n  - {at: 2026-03-02, call: a, back: b}\n", "a step does one thing; this one would `call` and `back`"},
		{small + "steps:\n  - {at: 2026-13-02}\n", "8:10: \"2026-13-02\" is no day"},
		{small + "steps:\n  - {at: 2026-03-02 25:00}\n", "8:10: \"25:00\" is no time of day"},
		{small + "expect: {outcom: carried}\n", "7:10: `outcom` cannot be expected; did you mean `outcome`?"},
		{small + "expect: {holds: Sam}\n", "`holds` is not written in this form"},
		{small + "steps:\n  - {at: 2026-03-02, refused: x}\n", "nothing is done here that could be refused"},
		{"rehearsal: x\nrulebook: cooperative\nbegin: +3 days\n", "3:8: `begin` is a day"},
		{"rehearsal: x\nrulebook: cooperative\nbegin: 2026-03-01\npeople: [{named: M, make: 2000001}]\n", "`make` is a number from 1 to 2000000"},
		{"rehearsal: x\nrulebook: cooperative\nbegin: 2026-03-01\npeople:\n  - {named: A, make: 2000000}\n  - {named: B, make: 2}\n", "has 2000002 people; it can have 2000000"},
		{"rehearsal: x\nrulebook: cooperative\nbegin: 2026-03-01\nby_hand: closing\n", "`closing` is not something the rehearsal does by itself"},
		{small + "---\nrehearsal: y\nrulebook: cooperative\nbegin: 2026-03-01\nexpct: {}\n", "11:1: a rehearsal has no `expct`; did you mean `expect`?"},
		{small + "steps:\n  - {at: 2026-03-02, by: Sam, nominate: Member 2}\n", "8:31: a step has no `nominate`\n    Write `back`."},
		{small + "steps:\n  - {at: 2026-03-02, votes: {for: 3}}\n", "8:22: a step has no `votes`\n    Write `papers`."},
		{small + "steps:\n  - {at: 2026-03-02, by: Sam, by: Sam, call: a}\n", "8:31: `by` already stands in line 8\n    Keep one of the two."},
		{"rehearsal: x\npeople:\n\t- {named: A}\n", "3:1: a tab stands where only spaces may"},
		{"\xff\xfer\x00e\x00", "this is no text file, or one in another encoding"},
		{"a: &x 1\n", "not used in rehearsals"},
		{"", "there is no rehearsal in this file"},
		{"# nothing\n---\n", "there is no rehearsal in this file"},
		{strings.Repeat("[", 200), "nested more than"},
	} {
		_, err := Read("x.yaml", []byte(x.src))
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%q:\nwant %s\ngot  %v", x.src, x.want, err)
		}
	}
}

// What a script says that its rulebook does not have is said before anything
// is run.
func TestUnfit(t *testing.T) {
	for _, x := range []struct{ src, want string }{
		{small + "units: [{kind: branch, named: North}]\n", "x.yaml:7:16: the rulebook has no kind of unit called `branch`"},
		{strings.Replace(small, "holds: secretary", "holds: secratary", 1), "x.yaml:6:41: the rulebook has no office called `secratary`"},
		{strings.Replace(small, "since: 2020", "sinc: 2020", 1), "nobody has `sinc`; did you mean `since`?"},
		{strings.Replace(small, "class: member", "class: membre", 1), "no class called `membre`"},
		{strings.Replace(small, "also: Member 1", "also: Membre 1", 1), "nobody above this line is called \"Membre 1\"; did you mean `Member 1`?"},
		{strings.Replace(small, "also: Member 1", "also: Member 31", 1), "nobody above this line is called \"Member 31\""},
		{strings.Replace(small, "rulebook: cooperative", "rulebook: cooprative", 1), "There is no shipped rulebook called"},
		{strings.Replace(small, "rulebook: cooperative", "rulebook: ./none.yaml", 1), "there is no rulebook none.yaml"},
		{small + "change: {offices.director.seets: 7}\n", "the rulebook with these changes has errors"},
		{small + "steps: [{at: 2026-03-02, people: [{named: X, under: ban}]}]\n", "no sanction called `ban`"},
	} {
		list, err := Read("x.yaml", []byte(x.src))
		if err != nil {
			t.Fatalf("%s: %v", x.src, err)
		}
		if _, err := Run(context.Background(), list[0], Options{}); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s\nwant %s\ngot  %v", x.src, x.want, err)
		}
	}
}

func run(t *testing.T, src string) *Report {
	t.Helper()
	list, err := Read("x.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(context.Background(), list[0], Options{Story: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A rehearsal that comes otherwise says where, what was expected and what
// came, and goes on.
func TestFailures(t *testing.T) {
	r := run(t, small+`steps:
  - {at: 2026-03-02, by: Member 2..4, call: special_meeting, with: {text: Keep bees}, refused: too few}
  - {at: 2026-03-03, by: Member 5, set: {meeting_day: 2026-04-10}}
  - {at: 2026-03-04, by: Sam, set: {meeting_day: 2026-04-10}, refused: outside the window}
  - {at: 2026-03-02 10:00, by: Sam, set: {meeting_day: 2026-04-12}}
  - at: 2026-03-05
    expect: {stage: election, opens: 2026-04-11, backed: "4 of 30 entitled member", gate: 3 of 30, roll: {size: 29, why: {Member 4: standing}}}
  - {by: Member 31, back: for}
  - {by: Nobody, back: for}
  - {at: 2026-04-10, papers: {for: 3, yes: 9}}
expect:
  outcome: lost
  shares: {of members: 1/2}
  holds: {secretary: Member 2, director: Sam}
  minutes: There was cake.
  slot: {meeting_day: 2026-04-11}
  waits_for: the secretary
  effect: adopt resolution
  in_force: Keep bees
  running: {special_meeting: 0}
  told: 7
`)
	want := []string{
		"x.yaml:8: `call` is refused\n    expected  too few\n    got       it was done",
		"x.yaml:9: `set` was refused: clause 6: meeting day is set by secretary",
		"x.yaml:10: `set` is refused\n",
		"x.yaml:11: this step is before the one above it",
		"x.yaml:13: stage\n    expected  election\n    got       vote",
		"x.yaml:13: vote opens\n    expected  11 April 2026\n    got       ",
		"x.yaml:13: backed\n    expected  4 of 30 entitled member\n    got       3 of 30 entitled member, needs 3",
		"x.yaml:13: `gate` cannot be looked at: nothing has been gathered yet",
		"x.yaml:13: roll: size\n    expected  29\n    got       30",
		"x.yaml:13: roll: Member 4\n    expected  standing\n    got       entitled",
		"x.yaml:14: `back` was refused: there are 30 called Member, and no Member 31",
		"x.yaml:15: `back` was refused: nobody and nothing here is called \"Nobody\"",
		"x.yaml:18: outcome\n    expected  lost\n    got       ",
		"x.yaml:19: `shares` cannot be looked at: no ballot has been opened yet",
		"x.yaml:20: office of secretary\n    expected  Member 2\n    got       Sam",
		"x.yaml:20: office of director\n    expected  Sam\n    got       nobody",
		"x.yaml:21: the record says\n    expected  There was cake.",
		"x.yaml:22: slot meeting_day",
		"x.yaml:23: waits for",
		"x.yaml:27: told\n    expected  7",
	}
	var got []string
	for _, f := range r.Failures {
		got = append(got, f.String())
	}
	all := strings.Join(got, "\n")
	for _, w := range want {
		if !strings.Contains(all, w) {
			t.Errorf("not said: %s", w)
		}
	}
	if t.Failed() {
		t.Log(all)
	}
}

// The story tells acts and what followed, with their times.
func TestStory(t *testing.T) {
	r := run(t, small+`steps:
  - {at: 2026-03-02, by: Member 2..4, call: special_meeting, with: {text: Keep bees}}
  - {at: 2026-05-01 19:00, papers: {for: 3}}
`)
	var lines []string
	for _, l := range r.Story {
		lines = append(lines, fmt.Sprintf("%s|%d|%s", l.When, l.Depth, l.Text))
	}
	all := strings.Join(lines, "\n")
	for _, w := range []string{
		"2 March 2026, 12:00|0|Member 2..4 calls special meeting with text Keep bees.",
		"2 March 2026, 12:00|1|Called: special meeting (requisition).",
		"1 May 2026|1|Voting begins.",
		"1 May 2026, 19:00|0|Papers come in: for 3.",
		"1 May 2026, 19:00|1|Adopted as a resolution: Keep bees",
	} {
		if !strings.Contains(all, w) {
			t.Errorf("not told: %s", w)
		}
	}
	if t.Failed() {
		t.Log(all)
	}
}

// People join, leave, come under a sanction and are freed of it, lose an
// office, in the middle of a rehearsal, through the registry.
func TestRegisterChanges(t *testing.T) {
	r := run(t, `rehearsal: Changes
rulebook: cooperative
change: {sanctions.suspension: {removes: vote, says: Is suspended., cite: "1"}}
begin: 2026-03-01
people:
  - {named: Member, make: 12, class: member, since: 2020-01-01..2026-02-20}
  - {also: Member 1..5, holds: director}
  - {also: Member 11, under: suspension, until: 2026-03-20}
steps:
  - {at: 2026-03-02, by: board, call: special_meeting, with: {text: Keep bees}}
  - expect: {roll: {size: 10, left_out: {"sanction:suspension": 1, standing: 1}}}
  - {at: 2026-03-03, people: [{also: Member 2..3, under: suspension}, {also: Member 4, leaves: member}, {also: Member 5, loses: director}, {named: New, make: 3, class: member}]}
  - expect: {holds: {director: "Member 1..4"}, roll: {size: 7, left_out: {member: 1, standing: 4}, why: {Member 4: member, New 2: standing}}}
  - {at: 2026-03-21, people: [{also: Member 2, freed: suspension}]}
  - expect: {roll: {size: 9, left_out: {"sanction:suspension": 1}}}
`)
	for _, f := range r.Failures {
		t.Error(f)
	}
}

// A rehearsal that would go on for ever, or too long, ends.
func TestEnds(t *testing.T) {
	src := strings.Replace(small, "begin: 2026-03-01", "begin: 1950-01-01", 1) + "steps: [{at: 2051-01-01}]\n"
	list, err := Read("x.yaml", []byte(strings.Replace(src, "since: 2020-01-01", "since: 1940-01-01", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), list[0], Options{}); err == nil || !strings.Contains(err.Error(), "at most 100 years") {
		t.Errorf("a hundred and one years: %v", err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer stop()
	list, err = Read("x.yaml", []byte(strings.Replace(small, "make: 30", "make: 200000", 1)+"steps: [{at: 2026-03-02}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if _, err := Run(ctx, list[0], Options{}); err == nil {
		t.Error("a rehearsal that was stopped went on")
	} else if time.Since(begun) > 30*time.Second {
		t.Error("it took long to stop")
	}
}
