package rulebook

import (
	"sort"
	"strings"
)

// kind is the kind of a type in expressions.
type kind uint8

const (
	kNone kind = iota
	kFlag
	kNumber
	kShare
	kWords
	kMoment
	kSpan
	kMoney
	kPerson
	kPeople
	kUnit
	kText
	kRun
	kStage
	kClass
	kOffice
	kBody
	kUnitKind
	kElectorate
	kEvent
	kSanction
	kDecision // a kind of decision
)

// typ is a type in expressions. Every procedure is a type of run of its own.
type typ struct {
	k    kind
	proc string // of a run: which procedure; of a stage: the procedure, a dot and the stage
}

// String gives the type as people say it, with its article.
func (t typ) String() string {
	switch t.k {
	case kFlag:
		return "a yes or no"
	case kNumber:
		return "a number"
	case kShare:
		return "a share"
	case kWords:
		return "words"
	case kMoment:
		return "a moment"
	case kSpan:
		return "a length of time"
	case kMoney:
		return "a sum of money"
	case kPerson:
		return "a person"
	case kPeople:
		return "a list of people"
	case kUnit:
		return "a unit"
	case kText:
		return "a text"
	case kRun:
		return "a run of `" + t.proc + "`"
	case kStage:
		return "a stage"
	case kClass:
		return "a class"
	case kOffice:
		return "an office"
	case kBody:
		return "a body"
	case kUnitKind:
		return "a kind of unit"
	case kElectorate:
		return "an electorate"
	case kEvent:
		return "an event"
	case kSanction:
		return "a sanction"
	case kDecision:
		return "a kind of decision"
	}
	return "nothing"
}

// valueType gives the exported type of what can be a Value.
func (t typ) valueType() ValueType {
	switch t.k {
	case kFlag:
		return TypeFlag
	case kNumber:
		return TypeNumber
	case kShare:
		return TypeShare
	case kMoment:
		return TypeMoment
	case kSpan:
		return TypeSpan
	case kMoney:
		return TypeMoney
	case kPerson:
		return TypePerson
	case kPeople:
		return TypePeople
	case kUnit:
		return TypeUnit
	}
	return TypeWords
}

// isName tells whether values of the kind are names of the book.
func (t typ) isName() bool { return t.k >= kClass }

func factKind(f FactType) kind {
	switch f {
	case FactFlag:
		return kFlag
	case FactNumber:
		return kNumber
	case FactDate:
		return kMoment
	}
	return kWords
}

func slotKind(s SlotType) kind {
	switch s {
	case SlotDate:
		return kMoment
	case SlotSpan:
		return kSpan
	case SlotShare:
		return kShare
	case SlotNumber:
		return kNumber
	case SlotMoney:
		return kMoney
	}
	return kWords
}

// sortOf is the sort of a name: what it names.
type sortOf string

const (
	aClass     sortOf = "class"
	aUnit      sortOf = "kind of unit"
	anOffice   sortOf = "office"
	aBody      sortOf = "body"
	anElect    sortOf = "electorate"
	aSlot      sortOf = "slot"
	anEvent    sortOf = "event"
	aSanction  sortOf = "sanction"
	aProcedure sortOf = "procedure"
	aDecision  sortOf = "kind of decision"
)

// article puts a or an in front.
func (s sortOf) article() string {
	if strings.ContainsRune("aeiou", rune(s[0])) {
		return "an " + string(s)
	}
	return "a " + string(s)
}

// entry is one name of the table of names.
type entry struct {
	sort  sortOf
	pos   Pos
	outer bool // of a local book: belongs to the outer one
}

// procSig is what is known of a procedure before its expressions are read.
type procSig struct {
	name   string
	in     string
	takes  []Take
	fills  []string
	stages []string
	node   *node
}

// symbols is the table of every name of a book.
type symbols struct {
	names   map[string]entry
	facts   map[FactOf]map[string]FactType
	slots   map[string]SlotType
	choices map[string][]string // of slots
	per     map[string]string   // of offices and bodies
	procs   map[string]*procSig
	results map[string][]string // of stages, by procedure, dot and stage: their outcomes
	cal     Calendar
}

func newSymbols() *symbols {
	return &symbols{
		names:   map[string]entry{},
		facts:   map[FactOf]map[string]FactType{OfPerson: {}, OfUnit: {}, OfText: {}},
		slots:   map[string]SlotType{},
		choices: map[string][]string{},
		per:     map[string]string{},
		procs:   map[string]*procSig{},
		results: map[string][]string{},
	}
}

func (sy *symbols) is(name string, s sortOf) bool {
	e, ok := sy.names[name]
	return ok && e.sort == s
}

// known gives the names of some sorts, sorted; of all where none is given.
func (sy *symbols) known(sorts ...sortOf) []string {
	var out []string
	for n, e := range sy.names {
		for _, s := range sorts {
			if e.sort == s {
				out = append(out, n)
			}
		}
		if len(sorts) == 0 {
			out = append(out, n)
		}
	}
	sort.Strings(out)
	return out
}

// variables gives the type of every name of the book in expressions.
func (sy *symbols) variables() map[string]typ {
	vars := make(map[string]typ, len(sy.names)+16)
	for n, e := range sy.names {
		switch e.sort {
		case aClass:
			vars[n] = typ{k: kClass}
		case aUnit:
			vars[n] = typ{k: kUnitKind}
		case anOffice:
			vars[n] = typ{k: kOffice}
		case aBody:
			vars[n] = typ{k: kBody}
		case anElect:
			vars[n] = typ{k: kElectorate}
		case anEvent:
			vars[n] = typ{k: kEvent}
		case aSanction:
			vars[n] = typ{k: kSanction}
		case aDecision:
			vars[n] = typ{k: kDecision}
		case aSlot:
			vars[n] = typ{k: slotKind(sy.slots[n])}
		case aProcedure:
			vars[n] = typ{k: kRun, proc: n}
		}
	}
	return vars
}

// takeType gives the type of what a run was handed.
func takeType(t Take) typ {
	switch t.Is {
	case TakePerson, TakeOffice:
		return typ{k: kPerson}
	case TakeNumber:
		return typ{k: kNumber}
	case TakeDate:
		return typ{k: kMoment}
	case TakeFlag:
		return typ{k: kFlag}
	case TakeUnit:
		return typ{k: kUnit}
	case TakeText:
		return typ{k: kText}
	case TakeRun:
		return typ{k: kRun, proc: t.Of}
	}
	return typ{k: kWords}
}

// field gives the type of a field; known lists the fields there are, for a
// message.
func (sy *symbols) field(t typ, name string) (ft typ, known []string, ok bool) {
	fields := sy.fields(t)
	ft, ok = fields[name]
	if !ok {
		for f := range fields {
			known = append(known, f)
		}
		sort.Strings(known)
	}
	return ft, known, ok
}

func (sy *symbols) fields(t typ) map[string]typ {
	out := map[string]typ{}
	facts := func(of FactOf) {
		for n, ft := range sy.facts[of] {
			out[n] = typ{k: factKind(ft)}
		}
	}
	switch t.k {
	case kPerson:
		facts(OfPerson)
		out["name"] = typ{k: kWords}
	case kUnit:
		facts(OfUnit)
		out["name"] = typ{k: kWords}
	case kText:
		facts(OfText)
		out["last_decided"] = typ{k: kMoment}
	case kStage:
		out["opened"], out["closed"], out["outcome"] = typ{k: kMoment}, typ{k: kMoment}, typ{k: kWords}
	case kRun:
		out["called"], out["ended"], out["outcome"] = typ{k: kMoment}, typ{k: kMoment}, typ{k: kWords}
		if p := sy.procs[t.proc]; p != nil {
			for _, tk := range p.takes {
				if k := takeType(tk); k.k != kText && k.k != kRun {
					out[tk.Name] = k
				}
			}
			for _, s := range p.stages {
				out[s] = typ{k: kStage, proc: t.proc + "." + s}
			}
		}
	}
	return out
}
