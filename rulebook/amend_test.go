package rulebook

import (
	"strings"
	"testing"
)

// same tells whether two trees say the same.
func same(a, b *node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.form != b.form || a.text != b.text || len(a.pairs) != len(b.pairs) || len(a.items) != len(b.items) {
		return false
	}
	for i := range a.pairs {
		if a.pairs[i].key != b.pairs[i].key || !same(a.pairs[i].val, b.pairs[i].val) {
			return false
		}
	}
	for i := range a.items {
		if !same(a.items[i], b.items[i]) {
			return false
		}
	}
	return true
}

// TestWriteTree writes every example anew and reads the same back.
func TestWriteTree(t *testing.T) {
	for _, name := range []string{"cooperative.yaml", "party-2018.yaml", "college-1981.yaml", "college-1993.yaml", "others.yaml", "network.yaml", "broken.yaml"} {
		c := &complaints{}
		a := readTree([]byte(example(t, name)), c)
		if a.form == sequence {
			a = &node{form: mapping, pairs: []pair{{key: "cases", val: a}}}
		}
		out := writeTree(a)
		b := readTree(out, c)
		if len(c.list) > 0 || !same(a, b) {
			t.Errorf("%s does not read back: %v", name, c.list)
		}
	}
}

func TestAmend(t *testing.T) {
	b, err := Parse([]byte(example(t, "cooperative.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ name, changes, want string }{
		{"a figure", "annual_meeting.nominations.needs.at_least: 3", "at least 3 members"},
		{"a list of changes", "- edition: 2027-01-01\n- rule_change.vote.passes: {at_least: 3/4, of: cast}", "at least 3/4 of the votes cast"},
		{"a new slot", "slots.fee: {is: money, set_by: board, otherwise: 5 GBP}\nspecial_meeting.begins.+: {by: secretary}", "If nothing is decided: 5 GBP"},
		{"a stage removed", "annual_meeting.accounts:", ""},
		{"nowhere", "annual_meeting.nominatons.needs.at_least: 3", "!dead"},
		{"nothing to remove", "annual_meeting.freeze:", "!dead"},
		{"unsound", "rule_change.vote.then.carried: {nothing: Noted.}", "!no-amendment"},
		{"misspelt", "annual_meeting.nominations.stand: membre", "!dead"},
		{"no change", "[]", "!missing"},
		{"not a change", "- hello", "!type"},
	} {
		got, ps := b.Amend([]byte(x.changes))
		code, refused := strings.CutPrefix(x.want, "!")
		switch {
		case refused && (got != nil || !ps.Has(Code(code))):
			t.Errorf("%s: %v", x.name, ps)
		case !refused && got == nil:
			t.Errorf("%s: refused: %v", x.name, ps)
		case !refused && !strings.Contains(strings.Join(strings.Fields(got.Explain().Text(0)), " "), x.want):
			t.Errorf("%s: %q is not said", x.name, x.want)
		}
	}
	if again, _ := b.Amend([]byte("edition: 2027-01-01")); again == nil || again.Hash == b.Hash || again.Edition.String() != "2027-01-01" {
		t.Error("an amendment does not make a new edition")
	}
}

// TestDiffSeesEverything changes one thing after the other; none may go
// unsaid, even where the sentence that describes it stays the same.
func TestDiffSeesEverything(t *testing.T) {
	b := party(t)
	for _, change := range []string{
		"leadership_voters.tenure.when: person.is(member) && person.since(member) <= freeze",
		"leadership_voters.dues.remedy: Pay at once.",
		"conference_card.affiliates.weight: 49\nconference_card.constituencies.weight: 51",
		"facts.person.paid_to.kept_by: constituency_secretary",
		"classes.member.says: A member.",
		"offices.leader.term: 4 years",
		"offices.executive_member.seats: 10",
		"bodies.executive.when: person.holds(executive_member)",
		"bodies.executive.decides.quorum.at_least: 1/3",
		"units.branch.decides.how: counted",
		"slots.ballot_window.allow: value >= 3 weeks && value <= 8 weeks",
		"slots.ballot_window.by: called + 8 days",
		"slots.general_meeting.standing: false",
		"events.conference.declared_by: general_secretary",
		"sanctions.warning.removes: [stand]",
		"precedence: [rulebook, policy, programme, executive_decision]",
		"powers.3.limit: 7 days",
		"holidays: [2026-01-01]",
		"leadership.challenge.backed.at_least: 25%",
		"leadership.challenge.window: 14 days",
		"leadership.challenge.backed.round: down",
		"leadership.freeze: called",
		"leadership.mps.automatic: holders(deputy_leader)",
		"leadership.vote.how: box",
		"leadership.vote.method: plurality",
		"leadership.supporters.fee: 3 GBP",
		"shadow_cabinet.vote.paper.1.at_least: 7",
		"trigger.branches.then.short: {end: endorsed}",
		"selection.shortlist.pick.1.at_most: 7",
		"selection.stops_on.snap_election: {end: stopped}",
		"appeal.begins: {by: decision.subject, if: called <= decision.ended + 15 days, says: Within 14 days of the decision}",
		"case.panel_of_three.seats: 5",
		"case.charge.closes: called + 9 weeks",
		"case.charge.otherwise: charge",
		"reopening.leave.then.granted.2.with.subject: decision.subject\nreopening.leave.then.granted.2.with.allegation: decision.clause",
		"rule_change.card.then.carried.in_force: card.closed + 1 day",
	} {
		c, ps := b.Amend([]byte(change))
		if c == nil {
			t.Errorf("%s: %v", change, ps)
			continue
		}
		if d := Diff(b, c); len(d.Sections) == 0 {
			t.Errorf("%s: nothing is said", change)
		}
	}
}
