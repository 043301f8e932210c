package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/sealing"
)

func dayText(unix int64, zone *time.Location) string {
	return time.Unix(unix, 0).In(zone).Format("2 January 2006")
}

// describe says in a sentence what a public entry records.
func describe(m *minutes.Minute) string {
	var b struct {
		Name, Title, Edition, Stage, Outcome, Waits, Slot, Order, Event string
		Procedure, Office, Cause, Why, How, Kind                        string
		Candidate                                                       proceeding.Person
		Automatic, Unopposed, Unopened, Skipped, Demo, Rebuilt          bool
		Elected, Leaves                                                 []proceeding.Person
		Value                                                           proceeding.Held
		Term                                                            json.RawMessage
		Units                                                           []register.Unit
		Done                                                            proceeding.Done
		Returned                                                        []proceeding.Returned
		Roll                                                            proceeding.Roll
		Ballot                                                          json.RawMessage
	}
	if err := json.Unmarshal(m.Body, &b); err != nil {
		return strings.TrimSuffix(m.Kind, "/1")
	}
	switch m.Kind {
	case chamber.KindFounded:
		return "The minute book of " + b.Name + " is opened."
	case chamber.KindRulebook:
		if b.Rebuilt {
			return fmt.Sprintf("The rulebook “%s”, edition %s, is put together again from the changes that stand.", b.Title, dayWords(b.Edition))
		}
		return fmt.Sprintf("The rulebook “%s”, edition %s, comes into force.", b.Title, dayWords(b.Edition))
	case chamber.KindUnfit:
		return "A change of the rules that was decided does not fit the rulebook, and is not made: " + b.Why
	case chamber.KindEvent:
		return "Declared: " + spaced(b.Event) + "."
	case register.KindUnits:
		return fmt.Sprintf("%d units are entered in the register.", len(b.Units))
	case register.KindFilled:
		var t register.TermOfOffice
		_ = json.Unmarshal(b.Term, &t)
		return fmt.Sprintf("%s holds the office of %s (%s).", b.Name, spaced(t.Office), b.How)
	case register.KindVacated:
		return "A term of office ends: " + b.Why + "."
	case proceeding.KindBegun:
		return "Support for a call is collected: " + spaced(b.Procedure) + "."
	case proceeding.KindCalled:
		return fmt.Sprintf("Called: %s, for the office of %s.", spaced(b.Procedure), spaced(b.Office))
	case proceeding.KindLapsed:
		return "The call did not find its support in time."
	case proceeding.KindEnded:
		return "It has ended: " + came(b.Outcome) + "."
	case proceeding.KindHalted:
		if b.Waits == "" {
			return "It goes on."
		}
		return "It waits for " + spaced(b.Waits) + "."
	case proceeding.KindOrdered:
		return "Ordered: " + spaced(b.Order) + "."
	case proceeding.KindAccepted:
		if b.Automatic {
			return b.Candidate.Name + " is a candidate without nominations."
		}
		return b.Candidate.Name + " is a candidate."
	case proceeding.KindWithdrew:
		return b.Candidate.Name + " withdraws."
	case proceeding.KindSlot:
		return upper(b.Slot) + " is set to " + b.Value.Text + "."
	}
	if m.Kind == proceeding.KindResult && b.Why != "" {
		return "Declared: " + came(b.Outcome) + ": " + b.Why + "."
	}
	return describeBallot(m, b.Stage, b.Outcome, b.Skipped, b.Unopposed, b.Unopened, b.Elected, b.Leaves, b.Done, b.Returned, b.Roll)
}

// namesOf lists people.
func namesOf(people []proceeding.Person) string {
	var names []string
	for _, p := range people {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// upper begins a sentence with a word of the rulebook.
func upper(word string) string { return strings.TrimSuffix(sentence(spaced(word)), ".") }

func describeBallot(m *minutes.Minute, stage, outcome string, skipped, unopposed, unopened bool, elected, leaves []proceeding.Person, done proceeding.Done, returned []proceeding.Returned, roll proceeding.Roll) string {
	switch m.Kind {
	case proceeding.KindComing:
		if skipped {
			return upper(stage) + ": not held."
		}
		return upper(stage) + ": announced."
	case proceeding.KindOpened:
		return upper(stage) + ": opened."
	case proceeding.KindClosed:
		if outcome == "done" || outcome == "" {
			return upper(stage) + ": closed."
		}
		return upper(stage) + ": closed, " + came(outcome) + "."
	case proceeding.KindRoll:
		var n int64
		for _, s := range roll.Sections {
			n += s.Entitled
		}
		return "The roll is frozen: " + group(fmt.Sprint(n)) + " are entitled."
	case proceeding.KindBallot:
		return "Voting begins."
	case proceeding.KindCommit:
		return "An officer commits to a secret for the lot."
	case proceeding.KindSecret:
		return "An officer's secret for the lot is opened."
	case proceeding.KindCloser:
		return "An officer asks to close the ballot."
	case proceeding.KindBallotShut:
		var n int64
		for _, r := range returned {
			n += r.Papers
		}
		if unopened {
			return "The ballot is closed with " + group(fmt.Sprint(n)) + " papers. That is too few for secrecy: none was opened, and all are destroyed."
		}
		return "The ballot is closed with " + group(fmt.Sprint(n)) + " papers."
	case proceeding.KindResult:
		switch {
		case unopposed && len(elected) > 0:
			return "Elected without a ballot: " + namesOf(elected) + "."
		case len(elected) > 0:
			return "Elected: " + namesOf(elected) + "."
		case len(leaves) > 0:
			return "No result yet; " + leaves[0].Name + " drops out, and another round follows."
		}
		return "Declared: " + came(outcome) + "."
	case proceeding.KindEffect:
		return followed(done)
	case proceeding.KindAdopted:
		return "A text is adopted."
	case proceeding.KindTotals:
		return "The figures of a vote are entered."
	}
	if s := sealing.Said(m.Kind); s != "" {
		return s
	}
	return strings.TrimSuffix(m.Kind, "/1")
}

// followed says what an effect did.
func followed(d proceeding.Done) string {
	target := spaced(d.Target)
	switch {
	case d.Says != "":
		return d.Says
	case d.Verb == "fill" && d.Whom == "":
		return "The office of " + target + " stays as it is: there was nobody to take it."
	case d.Verb == "fill":
		return d.Whom + " takes the office of " + target + "."
	case d.Verb == "vacate" && d.Whom == "":
		return "The office of " + target + " was vacant already."
	case d.Verb == "vacate":
		return d.Whom + " leaves the office of " + target + "."
	case d.Verb == "adopt":
		return "The " + target + " is adopted."
	case d.Verb == "admit" && d.Whom != "":
		return d.Whom + " is admitted."
	case d.Verb == "release" && d.Whom != "":
		return d.Whom + " leaves."
	case d.Verb == "admit" || d.Verb == "release":
		return "What the register says of belonging as " + target + " has changed."
	}
	if d.Verb == "report" {
		return fmt.Sprintf("This is the unit's word: %d for, %d against.", d.Yes, d.No)
	}
	does := map[string]string{"start": " begins", "stop": " ends", "stay": " is stayed", "resume": " goes on", "set_aside": " is set aside"}[d.Verb]
	if d.Ref != "" {
		target = d.Ref
	}
	return upper(target) + does + "."
}
