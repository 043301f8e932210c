package rehearsal

import (
	"context"
	"fmt"
	"testing"
)

// contestOf is a leadership contest under the rules of 2014 from the call to
// the result, with so many members and papers.
func contestOf(members, papers int) string {
	return fmt.Sprintf(`rehearsal: A leadership contest with %d members
rulebook: omov-2014
begin: 2015-05-11
people:
  - {named: MP, make: 232, class: member, since: 2010-05-06, holds: mp, on_electoral_register: true, paid_to: 2016-12-31}
  - {named: Member, make: %d, class: member, since: 2010-01-01..2015-06-30, on_electoral_register: true, paid_to: 2015-02-01..2016-12-31}
  - {named: Payer, make: 100, class: affiliated, since: 2014-09-01, on_electoral_register: true}
  - {named: Gwen, holds: general_secretary}
  - {named: Sid, holds: scrutineer}
steps:
  - {at: 2015-05-11, by: Gwen, call: leadership, for: leader}
  - {at: 2015-05-12, by: MP 1..36, back: MP 1}
  - {by: MP 40..74, back: MP 2}
  - {by: MP 100..134, back: MP 3}
  - {by: MP 140..170, back: MP 4}
  - {at: 2015-05-20, expect: {candidates: MP 1..3, stage: registration}}
  - {at: 2015-06-20, papers: {MP 1 > MP 2: %d, MP 2 > MP 3: %d, MP 3 > MP 1: %d}}
  - {at: 2015-08-01}
expect: {outcome: elected, holds: {leader: MP 1}}
`, members, members, papers/2, papers/4, papers/4)
}

func bench(b *testing.B, members, papers int) {
	list, err := Read("bench.yaml", []byte(contestOf(members, papers)))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r, err := Run(context.Background(), list[0], Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range r.Failures {
			b.Fatal(f)
		}
		b.ReportMetric(r.Took.Seconds(), "s")
	}
}

// A thousand people and six hundred papers, replayed and verified.
func BenchmarkThousand(b *testing.B) { bench(b, 666, 600) }

// Six hundred thousand members, of whom fifty thousand vote, replayed.
func BenchmarkMembers600k(b *testing.B) { bench(b, 600_000, 50_000) }
