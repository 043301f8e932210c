package rulebook

// keySet is what may stand in one kind of mapping: it is the one place where
// keys are named, for the reader, for the schema of editors and for the
// documentation.
type keySet struct {
	name string
	keys []key
}

// key is one key of a form.
type key struct {
	name  string
	must  bool
	shape string // see shapes in schema.go
	says  string // for editors
}

// The names of forms.
const (
	fBook       = "rulebook"
	fLocal      = "local rulebook"
	fOrigin     = "origin"
	fFacts      = "facts"
	fFact       = "fact"
	fClass      = "class"
	fUnit       = "unit"
	fOffice     = "office"
	fBody       = "body"
	fDecides    = "decides"
	fElectorate = "electorate"
	fCondition  = "condition"
	fSection    = "section"
	fSlot       = "slot"
	fEvent      = "event"
	fSanction   = "sanction"
	fPower      = "power"
	fProcedure  = "procedure"
	fBegins     = "beginning"
	fGather     = "gather"
	fBallot     = "ballot"
	fDecide     = "decide"
	fDraw       = "draw"
	fThreshold  = "threshold"
	fEffect     = "effect"
)

func keysOf(name string, keys ...key) keySet { return keySet{name, keys} }

// namedKeys are the keys of every definition.
func namedKeys(more ...key) []key {
	return append([]key{
		{"says", false, "sentence", "the sentence people read"},
		{"cite", false, "clause", "the clause it rests on"},
	}, more...)
}

// forms gives every form of the language.
func forms() map[string]keySet {
	out := map[string]keySet{}
	for _, f := range append(append(bookForms(), definitionForms()...), procedureForms()...) {
		out[f.name] = f
	}
	return out
}

func bookForms() []keySet {
	return []keySet{
		keysOf(fBook,
			key{"rulebook", true, "words", "the title"},
			key{"edition", true, "day", "the day of adoption"},
			key{"zone", true, "zone", "the time zone in which days begin and end, as in Europe/London"},
			key{"holidays", false, "holidays", "a calendar's name, or dates; needed for working days"},
			key{"clauses", false, "texts", "number: text; every cite must be among them"},
			key{"based_on", false, "one:" + fOrigin, "where the book was taken over from"},
			key{"facts", false, "one:" + fFacts, "what the register keeps about people, units and texts"},
			key{"classes", false, "map:" + fClass, "in which capacity people belong"},
			key{"units", false, "map:" + fUnit, "kinds of unit"},
			key{"offices", true, "map:" + fOffice, "posts that are held"},
			key{"bodies", false, "map:" + fBody, "people who sit and decide together"},
			key{"electorates", false, "map:" + fElectorate, "rules for who may vote"},
			key{"slots", false, "map:" + fSlot, "whatever somebody may decide as the case arises"},
			key{"events", false, "map:" + fEvent, "what is declared, and begins or ends procedures"},
			key{"sanctions", false, "map:" + fSanction, "what takes rights away"},
			key{"precedence", true, "names", "kinds of decision, the stronger first"},
			key{"powers", false, "list:" + fPower, "orders that may be given outside any procedure"},
			key{"local", false, "parts", "what units of a kind may add in rulebooks of their own"},
			key{"procedures", true, "map:" + fProcedure, "rules for how something is decided"},
		),
		keysOf(fLocal,
			key{"rulebook", true, "words", "the title"},
			key{"edition", true, "day", "the day of adoption"},
			key{"within", true, "words", "the outer rulebook"},
			key{"unit", true, "texts", "kind: name of the unit whose rulebook it is"},
			key{"set", false, "values", "slots that the outer book leaves to the unit"},
			key{"clauses", false, "texts", "number: text"},
			key{"based_on", false, "one:" + fOrigin, "where the book was taken over from"},
			key{"facts", false, "one:" + fFacts, "what the register keeps about people, units and texts"},
			key{"classes", false, "map:" + fClass, "in which capacity people belong"},
			key{"units", false, "map:" + fUnit, "kinds of unit"},
			key{"offices", false, "map:" + fOffice, "posts that are held"},
			key{"bodies", false, "map:" + fBody, "people who sit and decide together"},
			key{"electorates", false, "map:" + fElectorate, "rules for who may vote"},
			key{"slots", false, "map:" + fSlot, "whatever somebody may decide as the case arises"},
			key{"events", false, "map:" + fEvent, "what is declared, and begins or ends procedures"},
			key{"sanctions", false, "map:" + fSanction, "what takes rights away"},
			key{"powers", false, "list:" + fPower, "orders that may be given outside any procedure"},
			key{"procedures", false, "map:" + fProcedure, "rules for how something is decided"},
		),
		keysOf(fOrigin, key{"title", true, "words", "its title"}, key{"edition", false, "words", "its edition"}, key{"hash", false, "words", "the SHA-256 of its text"}),
		keysOf(fFacts,
			key{"person", false, "map:" + fFact, "about a person"},
			key{"unit", false, "map:" + fFact, "about a unit"},
			key{"text", false, "map:" + fFact, "about a text that is put to the vote"}),
		keysOf(fFact, namedKeys(
			key{"is", true, "fact", "flag, number, date or words"},
			key{"kept_by", false, "name", "the office to ask for a correction"})...),
		keysOf(fPower,
			key{"who", true, "whos", "office or body"},
			key{"may", true, "names", "set, set_aside, stay, resume, stop, extend, close"},
			key{"limit", false, "span", "by how much, for extend"},
			key{"together", false, "flag", "all of who have to act"},
			key{"says", false, "sentence", "the sentence people read"},
			key{"cite", false, "clause", "the clause it rests on"}),
	}
}

func definitionForms() []keySet {
	return []keySet{
		keysOf(fClass, namedKeys()...),
		keysOf(fUnit, namedKeys(
			key{"in", false, "name", "the kind of the parent"},
			key{"decides", false, "one:" + fDecides, "how a unit of the kind speaks as one"})...),
		keysOf(fOffice, namedKeys(
			key{"per", false, "name", "one in every unit of this kind"},
			key{"seats", false, "number", "number of places; 1 if not said"},
			key{"from", false, "who", "who can hold it"},
			key{"term", false, "span", "for how long"})...),
		keysOf(fBody, namedKeys(
			key{"when", false, "condition", "who sits in it, as a condition on person"},
			key{"drawn", false, "flag", "its members are drawn by lot"},
			key{"outside", false, "name", "the office that records what an outside body has done"},
			key{"per", false, "name", "one in every unit of this kind"},
			key{"decides", false, "one:" + fDecides, "how it decides"})...),
		keysOf(fDecides,
			key{"by", false, "name", "an office that reports it"},
			key{"ballot", false, "who", "who votes, in a unit"},
			key{"how", false, "how", "sealed, box, recorded, counted, judged"},
			key{"quorum", false, "threshold", "who has to take part"},
			key{"passes", false, "threshold", "what a majority is"}),
		keysOf(fElectorate, namedKeys(
			key{"one_vote_per", false, "name", "person, or a kind of unit: a vote for each one belonged to"},
			key{"conditions", false, "list:" + fCondition, "all to be met"},
			key{"sections", false, "list:" + fSection, "parts of a college"})...),
		keysOf(fCondition,
			key{"id", true, "name", "its name"},
			key{"when", true, "condition", "what has to be true of the person"},
			key{"says", true, "sentence", "the condition as people read it"},
			key{"remedy", false, "sentence", "what a person can do who does not meet it"},
			key{"cite", false, "clause", "the clause it rests on"}),
		keysOf(fSection,
			key{"section", true, "words", "its name"},
			key{"of", true, "who", "who votes in it"},
			key{"weight", true, "share", "what it is worth, whatever its size"},
			key{"value", false, "number", "what one vote in it is worth"},
			key{"split", false, "flag", "a unit may split its value"},
			key{"declare", false, "sentence", "what has to be declared to vote here"},
			key{"says", false, "sentence", "the sentence people read"},
			key{"cite", false, "clause", "the clause it rests on"}),
		keysOf(fSlot, namedKeys(
			key{"is", false, "slot", "date, span, share, number, money or words"},
			key{"choices", false, "names", "what can be chosen, in place of is"},
			key{"set_by", true, "who", "who decides it"},
			key{"by", false, "moment", "until when"},
			key{"allow", false, "condition", "what may be decided, as a condition on value"},
			key{"otherwise", false, "value", "what holds if nothing is decided"},
			key{"standing", false, "flag", "holds until decided again, for every run"})...),
		keysOf(fEvent, namedKeys(key{"declared_by", true, "who", "who declares it"})...),
		keysOf(fSanction, namedKeys(key{"removes", true, "names", "vote, stand, attend, belong"})...),
	}
}

func procedureForms() []keySet {
	return append([]keySet{
		keysOf(fProcedure, namedKeys(
			key{"in", false, "name", "each run belongs to one unit of this kind"},
			key{"takes", false, "takes", "what the caller supplies"},
			key{"fills", false, "names", "the office it fills, or several with one run each"},
			key{"freeze", false, "moment", "a moment that conditions may look at"},
			key{"begins", false, "list:" + fBegins, "what can begin it"},
			key{"stages", true, "list:stage", "in order"},
			key{"stops_on", false, "outcomes", "event: effects"})...),
		keysOf(fBegins,
			key{"as", false, "name", "names the cause"},
			key{"if", false, "condition", "only if"},
			key{"says", false, "sentence", "that condition, as people read it"},
			key{"by", false, "who", "an office or body that calls it"},
			key{"backed", false, "threshold", "support that calls it"},
			key{"window", false, "span", "how long support may be gathered"},
			key{"kept", false, "flag", "support stays although its giver leaves"},
			key{"quiet", false, "flag", "how much support there is, only officers see until it is enough"},
			key{"every", false, "span", "it comes round"},
			key{"vacancy", false, "name", "an office falls vacant"},
			key{"event", false, "name", "an event is declared"}),
		keysOf(fThreshold,
			key{"all", false, "thresholds", "all of these"},
			key{"any", false, "thresholds", "one of these"},
			key{"from", false, "who", "whose support"},
			key{"count", false, "name", "for, against, papers, present, marks, picked"},
			key{"at_least", false, "amount", "so many or more"},
			key{"more_than", false, "amount", "more than so many"},
			key{"at_most", false, "amount", "so many or fewer"},
			key{"of", false, "of", "entitled, present, papers, cast, seats, picked"},
			key{"round", false, "round", "up, down or nearest"},
			key{"where", false, "condition", "narrows both sides of the fraction"},
			key{"distinct", false, "name", "counts units of this kind instead of heads"},
			key{"weigh", false, "number", "adds this up instead of heads"},
			key{"when", false, "condition", "switches it on"},
			key{"cite", false, "clause", "the clause it rests on"}),
		keysOf(fEffect,
			key{"fill", false, "name", "an office, with whoever was elected, drawn or picked"},
			key{"vacate", false, "name", "an office"},
			key{"adopt", false, "name", "the text, as a decision of this kind"},
			key{"impose", false, "name", "a sanction"},
			key{"lift", false, "name", "a sanction"},
			key{"admit", false, "name", "a class or kind of unit"},
			key{"release", false, "name", "from a class, or a unit"},
			key{"start", false, "name", "a procedure"},
			key{"stop", false, "name", "a procedure's runs, or a run"},
			key{"stay", false, "name", "a procedure's runs, or a run"},
			key{"resume", false, "name", "a procedure's runs, or a run"},
			key{"set_aside", false, "name", "a decision"},
			key{"report", false, "name", "to the run that was taken: what this unit's ballot gave is its word there"},
			key{"nothing", false, "sentence", "no effect, said in public"},
			key{"go", false, "name", "to a stage"},
			key{"end", false, "name", "with this word as the outcome"},
			key{"whom", false, "people", "the person"},
			key{"until", false, "moment", "how long a sanction holds"},
			key{"in_force", false, "moment", "from when a text holds"},
			key{"if", false, "condition", "only if"},
			key{"with", false, "arguments", "what a started procedure takes"},
			key{"in", false, "unit", "the unit of a started procedure"}),
	}, stageForms()...)
}

func stageForms() []keySet {
	every := func(more ...key) []key {
		return append([]key{
			{"stage", true, "name", "its name"},
			{"says", false, "sentence", "the question, or the sentence people read"},
			{"cite", false, "clause", "the clause it rests on"},
			{"if", false, "condition", "else it is skipped"},
			{"opens", false, "moment", "when it opens; else when the stage before has ended"},
			{"notice", false, "span", "how long it is announced before"},
			{"window", false, "span", "how long it is open"},
			{"closes", false, "moment", "when it closes"},
			{"then", false, "outcomes", "what follows each outcome"},
		}, more...)
	}
	return []keySet{
		keysOf(fGather, every(
			key{"gather", true, "name", "candidates, support, or a class"},
			key{"stand", false, "who", "who can stand"},
			key{"needs", false, "threshold", "support that is needed"},
			key{"automatic", false, "people", "who needs no support"},
			key{"kept", false, "flag", "support stays although its giver leaves"},
			key{"fee", false, "money", "what has to be paid"},
			key{"votes", false, "name", "the procedure by which each unit votes; it begins in each when the stage opens"})...),
		keysOf(fBallot, every(
			key{"ballot", true, "who", "who votes"},
			key{"how", true, "how", "sealed, box, recorded, counted, judged"},
			key{"passes", false, "threshold", "what a majority is, for a vote"},
			key{"quorum", false, "threshold", "who has to take part"},
			key{"method", false, "method", "how an election is counted"},
			key{"seats", false, "number", "how many are elected; else the office's places"},
			key{"paper", false, "thresholds", "what a valid paper has to name"},
			key{"result", false, "thresholds", "quotas on who is elected"},
			key{"options", false, "names", "what can be voted for, in place of for and against"},
			key{"revote", false, "flag", "a vote may be changed until the close"},
			key{"minimum", false, "number", "the fewest papers with which a secret ballot is opened, in each section; 3 if not said"},
			key{"interval", false, "span", "between the rounds of an exhaustive ballot, for withdrawals"},
			key{"scale", false, "scale", "by points: what each rank is worth, as in 80..19 or a list; else as many as there are candidates for the first, and one for the last"})...),
		keysOf(fDecide, every(
			key{"decide", true, "who", "the office, body, unit or person that decides"},
			key{"options", false, "names", "what can be decided; else for and against"},
			key{"pick", false, "thresholds", "chooses among the candidates, within these"},
			key{"otherwise", false, "name", "what silence counts as"},
			key{"how", false, "how", "in place of its own way of voting"},
			key{"quorum", false, "threshold", "in place of its own"},
			key{"passes", false, "threshold", "in place of its own"})...),
		keysOf(fDraw, every(
			key{"draw", true, "who", "from whom lots are drawn"},
			key{"where", false, "condition", "only these people"},
			key{"seats", true, "number", "how many"},
			key{"spread", false, "name", "evenly over units of this kind"},
			key{"result", false, "thresholds", "quotas on who is drawn"},
			key{"into", false, "name", "the drawn body they form"})...),
	}
}
