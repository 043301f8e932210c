package rulebook

import (
	"strings"
	"testing"
)

const tiers = `
rulebook: Branches decide
edition: 2026-01-01
zone: Europe/London
classes:
  member: {says: A member.}
units:
  branch: {decides: {ballot: member, how: counted, passes: {more_than: 1/2, of: cast}}}
  lodge: {decides: {by: lodge_secretary}}
offices:
  secretary: {from: member}
  branch_secretary: {per: branch, from: member}
  lodge_secretary: {per: lodge, from: member}
precedence: [rulebook, resolution]
powers:
  - {who: secretary, may: close}
procedures:
  question:
    begins: {by: secretary}
    stages:
      - stage: branches
        gather: support
        votes: branch_vote
        window: 4 weeks
        needs: {from: branch, at_least: 1/3, of: papers, round: up}
        then: {enough: {adopt: resolution}, short: {nothing: It falls.}}
  branch_vote:
    in: branch
    takes: {asked: question}
    stages:
      - stage: vote
        ballot: member
        how: sealed
        window: 2 weeks
        passes: {more_than: 1/2, of: cast}
        then: {carried: {report: asked}, lost: {report: asked}}
  amendment:
    takes: {text: rulebook}
    begins: {by: secretary}
    stages:
      - stage: vote
        ballot: member
        how: sealed
        window: 2 weeks
        passes: {at_least: 2/3, of: cast}
        then: {carried: {adopt: rulebook}, lost: {nothing: It falls.}}
`

func TestVotesOfUnits(t *testing.T) {
	if _, ps := Check([]byte(tiers)); len(ps.Errors()) > 0 {
		t.Fatalf("a sound book: %v", ps.Errors())
	}
	for _, x := range []struct{ old, new, code, says string }{
		{"in: branch\n    takes", "in: lodge\n    takes", "votes", "asks units"},
		{"takes: {asked: question}", "takes: {asked: amendment}", "takes", "has to take the run"},
		{"takes: {asked: question}", "takes: {asked: question, words: words}", "takes", "nothing else"},
		{"{carried: {report: asked}, lost: {report: asked}}", "{carried: {nothing: Yes.}, lost: {nothing: No.}}", "votes", "never reports"},
		{"lost: {report: asked}}", "lost: {report: vote}}", "votes", "names the run"},
		{"votes: branch_vote", "votes: branch_voet", "dead", "branch_voet"},
		{"gather: support\n        votes", "gather: candidates\n        stand: member\n        votes", "votes", "only where support"},
	} {
		src := strings.Replace(tiers, x.old, x.new, 1)
		_, ps := Check([]byte(src))
		found := false
		for _, p := range ps.Errors() {
			found = found || string(p.Code) == x.code && strings.Contains(p.Message+p.Remedy, x.says)
		}
		if !found {
			t.Errorf("%q for %q: want %s (%s), got %v", x.new, x.old, x.code, x.says, ps.Errors())
		}
	}
}
