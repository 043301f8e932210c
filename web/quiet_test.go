package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/omov/omov/proceeding"
)

// Where the rulebook wants it quiet, how many letters there are is on no page
// but the officers', until there are enough; who can write one still can.
func TestQuietSupport(t *testing.T) {
	p, ids := serveRules(t, strings.Replace(society, "  rule_change:\n", `  confidence:
    says: Members who have lost confidence in the chair write letters.
    cite: "2"
    begins: [{as: letters, backed: {from: member, at_least: 4}, window: 30 days, quiet: true}]
    stages:
      - {stage: vote, ballot: member, how: counted, passes: {more_than: 1/2, of: cast}, then: {carried: {vacate: chair}, lost: {nothing: The chair stays.}}}
  rule_change:
`, 1))
	secretary, member, public := p.reader("the secretary", ids[3]), p.reader("a member", ids[7]), p.reader("the public", 0)
	member.do("/begin", "/begin", url.Values{"procedure": {"confidence"}, "cause": {"letters"}, "sure": {"1"}}, "Begun")
	st := p.latest("confidence")
	page := "/contests/" + st.Ref
	write := func(n int) {
		if _, err := p.s.Do(p.ctx, st.Ref, proceeding.Back{By: proceeding.Actor{Person: ids[n]}}); err != nil {
			t.Fatal(err)
		}
	}
	write(8)
	write(9)
	const untold = "nobody is told until it is enough"
	for _, r := range []*reader{member, public} {
		if got := r.get(page); strings.Contains(got.text(), "of 4 needed") || !strings.Contains(got.text(), untold) {
			t.Errorf("%s is told how many letters there are: %s", r.who, got.text())
		}
	}
	if got := secretary.get(page); !strings.Contains(got.text(), "3 of 4 needed") || strings.Contains(got.text(), untold) {
		t.Errorf("the secretary is not told: %s", got.text())
	}
	write(10)
	if got := public.get(page); strings.Contains(got.text(), untold) || p.latest("confidence").Phase != proceeding.Running {
		t.Errorf("there are enough, and nothing has been called: %s", got.text())
	}
}
