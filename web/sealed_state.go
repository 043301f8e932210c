package web

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealing"
)

// SealedState is how far a sealed ballot is: for everybody to read, with what an
// officer can do about it.
type SealedState struct {
	Promise
	Ref, Title          string
	Board               *sealing.Board // nil: its paper has not been fixed
	Steps               []StageRow
	Rows                []TrusteeRow
	Waits               []string // what is waited for, in sentences
	Since               string
	Groups              []GroupRow
	Manifest            string // its hash
	Opens               string
	ClosesAt            string
	CanPrepare          bool
	CanAnew             bool
	CanEnd              string // the phase that can be ended
	EndSays             string // what that does
	CanExcuse           []string
	Enough              string // how many trustees are needed and have opened
	NeedsList           bool
	Officer, HasRoll    bool
	Opened              bool // the ballot has
	Unopened, Published bool
}

// TrusteeRow is what one trustee has done.
type TrusteeRow struct {
	Name, Fingerprint, Role  string
	Key, Witness, Mix, Opens Part
}

// Part is a trustee's part in something: what came of it in a word.
type Part struct {
	Says string
	Done bool
	Late bool // waited for
}

// GroupRow is a mix group with its figures.
type GroupRow struct {
	Section, Weight  string
	Entitled, Papers int64
}

func (v *visit) sealedState() error {
	x, err := v.sealedStateView(v.r.PathValue("ref"))
	if err != nil {
		return err
	}
	return v.page("sealed_state.html", "The sealed ballot", x)
}

func (v *visit) sealedStateView(ref string) (*SealedState, error) {
	st, book, err := v.state(ref)
	if err != nil {
		return nil, err
	}
	x := &SealedState{Ref: ref, Title: contest.Title(book, st), Officer: v.Officer()}
	x.Board, err = v.s.Contests.SealedBoard(v.r.Context(), ref)
	switch {
	case fault.Is(err, fault.NotFound):
		return x, v.unprepared(x, book, st)
	case err != nil:
		return nil, err
	}
	m, err := sealed.DecodeManifest([]byte(x.Board.Manifest))
	if err != nil {
		return nil, err
	}
	hash, err := m.Hash()
	if err != nil {
		return nil, err
	}
	b := x.Board
	x.Promise = promiseOf(m, &proceeding.Seal{Server: b.Server, Registrar: b.ServerRegistrar})
	x.Manifest, x.Opens, x.ClosesAt = fmt.Sprintf("%x", hash), opening(book, b.Opens), moment(book, b.Closes)
	x.NeedsList, x.Opened = b.List == nil, b.Phase != sealing.Preparing && b.Phase != sealing.Waiting
	x.HasRoll = !x.Opened || b.Phase == sealing.Taking // codes that are lost are made anew until the close
	x.Steps = sealedSteps(b, x.Summed)
	x.Waits = waits(b, x.Registrar)
	for _, g := range b.Sections {
		row := GroupRow{Section: g.ID, Weight: g.Weight, Entitled: g.Entitled, Papers: g.Papers}
		if g.ID == chamber.SectionID("") {
			row.Section = "All voters"
		}
		x.Groups = append(x.Groups, row)
	}
	for i := range m.Trustees {
		row, err := trusteeRow(m, i, b)
		if err != nil {
			return nil, err
		}
		x.Rows = append(x.Rows, row)
	}
	x.whatOfficersCan(m)
	return x, v.waitedSince(x, book)
}

// unprepared shows who would hold the key of a ballot whose paper has not been
// fixed.
func (v *visit) unprepared(x *SealedState, book *rulebook.Book, st *proceeding.State) error {
	return v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		draft, err := proceeding.Draft(book, st, w.WithBook(book), w.At().UnixMilli())
		if err != nil {
			return err
		}
		if draft == nil {
			return fault.New(fault.NotFound, "No sealed ballot of %s has been announced.", x.Ref)
		}
		x.CanPrepare = x.Officer
		x.Opens, x.ClosesAt = opening(book, st.Now().Opens), moment(book, st.Now().Closes)
		t := w.Organisation().Trustees
		x.Server, x.Codes = t == nil || len(t.Trustees) == 0, t == nil || t.Registrar.Key == ""
		if t != nil {
			x.Registrar, x.Threshold, x.Mixers = t.Registrar.Name, t.Threshold, t.Mixers
			for _, y := range t.Trustees {
				x.Trustees = append(x.Trustees, y.Name)
			}
		}
		return nil
	})
}

// sealedSteps is the way of a sealed ballot, with where it is.
func sealedSteps(b *sealing.Board, summed bool) []StageRow {
	phases := []string{sealing.Preparing, sealing.Waiting, sealing.Taking, sealing.Closed, sealing.Witnessing, sealing.Mixing, sealing.Opening, sealing.Counted}
	at := slices.Index(phases, b.Phase)
	var out []StageRow
	add := func(label, says string, from, to int) {
		r := StageRow{Label: label, Says: says}
		switch {
		case at > to:
			r.Status = string(proceeding.Closed)
		case at >= from:
			r.Status = string(proceeding.Open)
		}
		out = append(out, r)
	}
	add("The paper is fixed", "Who is on it, who may vote, and who holds the key.", -1, -1)
	says := [3]string{"By the trustees together; nobody ever has the whole of it.", "Each trustee checks that nothing was taken out of it.", "By as many trustees as are needed."}
	if b.Server {
		says = [3]string{"By this server alone.", "By this server alone.", "By this server alone."}
	}
	add("The key is made", says[0], 0, 0)
	if b.Key != "" && at == 0 {
		out[1].Status = string(proceeding.Closed)
	}
	add("The list of voting codes", "In their public form: which code is whose is not in it.", 0, 0)
	if b.List != nil && at == 0 {
		out[2].Status = string(proceeding.Closed)
	}
	add("Voting", "", 2, 2)
	if b.Phase == sealing.Unopened {
		for i := range out {
			out[i].Status = string(proceeding.Closed)
		}
		return append(out, StageRow{Label: "Not opened", Says: "So few papers came back that opening them would say how somebody voted.", Status: string(proceeding.Closed)})
	}
	add("The record at the close is witnessed", says[1], 3, 4)
	if summed {
		add("The sum of the papers is opened", says[2]+" No single paper is.", 5, 6)
	} else {
		add("The papers are shuffled", "By one mixer after the other, each with a proof.", 5, 5)
		add("The papers are opened", says[2], 6, 6)
	}
	add("Counted", "", 7, 7)
	if at == 7 {
		out[len(out)-1].Status = string(proceeding.Closed)
	}
	return out
}

// partWords says what a part of a trustee's is called.
func partWords(does string) string {
	switch keygen.Kind(does) {
	case keygen.Commit:
		return "to commit to their part of the key"
	case keygen.Reveal:
		return "to hand out their part of the key"
	case keygen.Verdict:
		return "to say whether what they got is right"
	case keygen.Reply:
		return "to answer a complaint"
	case keygen.Confirm:
		return "to confirm the key"
	case sealed.Witness:
		return "to witness the record at the close"
	case sealed.Mix:
		return "to shuffle"
	case sealed.Open:
		return "to open their part"
	}
	return "to do their part"
}

// waits says in sentences who is waited for.
func waits(b *sealing.Board, registrar string) []string {
	var out []string
	if b.Phase == sealing.Preparing && b.List == nil {
		out = append(out, registrar+", to make the voting codes and hand in their list")
	}
	for _, n := range b.Next {
		s := n.Trustee + ", " + partWords(n.Does)
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func trusteeRow(m *sealed.Manifest, i int, b *sealing.Board) (TrusteeRow, error) {
	t := m.Trustees[i]
	sign, seal, err := elements(t.Sign, t.Seal)
	if err != nil {
		return TrusteeRow{}, err
	}
	row := TrusteeRow{Name: t.Name, Fingerprint: keygen.Fingerprint(sign, seal)}
	if t.Operator {
		row.Role = "runs this server"
	}
	row.Key = keyPart(t.Name, b)
	if b.Closing == nil {
		return row, nil
	}
	waited := func(kind string) bool {
		return slices.ContainsFunc(b.Next, func(w sealing.Waits) bool { return w.Trustee == t.Name && w.Does == kind })
	}
	part := func(kind string) Part {
		n := 0
		for _, d := range b.Deeds {
			if d.From == t.Name && d.Kind == kind {
				n++
			}
		}
		switch {
		case waited(kind):
			return Part{Says: "waited for", Late: true}
		case n > 0:
			return Part{Says: "done", Done: true}
		}
		return Part{Says: "–"}
	}
	row.Witness, row.Opens = part(sealed.Witness), part(sealed.Open)
	row.Mix = Part{Says: "–"}
	if slices.Contains(m.Mixers, t.Name) {
		row.Mix = part(sealed.Mix)
		if slices.Contains(b.Excused, t.Name) && !row.Mix.Done {
			row.Mix = Part{Says: "excused"}
		}
	}
	return row, nil
}

func keyPart(name string, b *sealing.Board) Part {
	switch {
	case slices.Contains(b.Ceremony.Disqualified, name):
		return Part{Says: "left out"}
	case b.Key != "":
		return Part{Says: "done", Done: true}
	case slices.Contains(b.Ceremony.Waiting, name):
		return Part{Says: "waited for", Late: true}
	}
	return Part{Says: "done so far", Done: true}
}

// whatOfficersCan fills in the forms.
func (x *SealedState) whatOfficersCan(m *sealed.Manifest) {
	b := x.Board
	did := map[string]bool{}
	kind := map[string]string{sealing.Witnessing: sealed.Witness, sealing.Opening: sealed.Open}[b.Phase]
	for _, d := range b.Deeds {
		if d.Kind == kind {
			did[d.From] = true
		}
	}
	if kind != "" && !b.Server {
		x.Enough = fmt.Sprintf("It takes %d of the %d trustees, whoever they are. So far: %d.", m.Threshold, len(m.Trustees), len(did))
	}
	x.Unopened = b.Phase == sealing.Unopened
	x.Published = b.Phase == sealing.Counted
	if !x.Officer {
		return
	}
	if b.Phase == sealing.Preparing && b.Key == "" && !b.Server {
		x.CanAnew = true
		x.CanEnd, x.EndSays = b.Ceremony.Phase, endSays(keygen.Kind(b.Ceremony.Phase), m.Threshold)
	}
	if b.Phase == sealing.Mixing {
		for _, n := range b.Next {
			if n.Does == sealed.Mix && len(m.Mixers)-len(b.Excused) > 2 && !slices.Contains(x.CanExcuse, n.Trustee) {
				x.CanExcuse = append(x.CanExcuse, n.Trustee)
			}
		}
	}
}

// endSays says what ending a phase of the key generation does.
func endSays(phase keygen.Kind, threshold int) string {
	switch phase {
	case keygen.Verdict:
		return "Whoever has said nothing by now has nothing to complain of, and stays a trustee."
	case keygen.Confirm:
		return fmt.Sprintf("It is enough that %d have confirmed the key. The others stay trustees.", threshold)
	}
	return fmt.Sprintf("Whoever has not done their part now has no share in making this ballot’s key, for good. At least %d have to be left.", threshold)
}

// waitedSince finds when the last step was entered: what is waited for has been
// waited for since.
func (v *visit) waitedSince(x *SealedState, book *rulebook.Book) error {
	if len(x.Waits) == 0 {
		return nil
	}
	return v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		var last time.Time
		for _, kind := range []string{proceeding.KindPrepared, proceeding.KindMessage, proceeding.KindPhase, proceeding.KindClosing, proceeding.KindDeed, proceeding.KindExcused} {
			seqs, err := w.Tx().SealedEntries(x.Board.Ballot, kind)
			if err != nil {
				return err
			}
			if len(seqs) == 0 {
				continue
			}
			m, err := w.Tx().Minute(seqs[len(seqs)-1])
			if err != nil {
				return err
			}
			if m.At.After(last) {
				last = m.At
			}
		}
		if !last.IsZero() {
			x.Since = last.In(book.Zone).Format("Monday 2 January 2006, 15:04")
		}
		return nil
	})
}

// sealedTasks are what a sealed ballot wants of an officer: to see that those do
// their part who are waited for. like is a task of the contest.
func sealedTasks(book *rulebook.Book, st *proceeding.State, like Task) []Task {
	like.Link = "/contests/" + st.Ref + "/trustees"
	now, b := st.Now(), st.OpenBallot()
	switch {
	case b == nil && now != nil && now.Status == proceeding.Coming && now.Prep != nil && !now.Prep.Ready():
		like.Do, like.Until = "See who is waited for", opening(book, now.Opens)
		switch {
		case now.Prep.Key == "" && now.Prep.Listed == 0:
			like.Why = "The trustees make the key of the ballot, and the registrar its list of voting codes. It opens when both are there."
		case now.Prep.Key == "":
			like.Why = "The trustees make the key of the ballot. It opens when the key is there."
		default:
			like.Why = "The registrar makes the list of voting codes. The ballot opens when it is there."
		}
	case b != nil && b.Sealed() && b.Closed != 0 && !b.Unopened && !b.Seal.Opened:
		like.Do, like.Why = "See who is waited for", "The ballot is closed. The trustees witness, shuffle and open it; then it is counted."
	default:
		return nil
	}
	return []Task{like}
}

// What officers do about it. The use cases check the office.

func (v *visit) toState() string { return v.base() + "/trustees" }

func (v *visit) prepareSealed() error {
	if err := v.needs(); err != nil {
		return err
	}
	if err := v.s.Contests.PrepareSealed(v.r.Context(), v.r.PathValue("ref"), v.actor(), false); err != nil {
		return err
	}
	return v.done(v.toState(), "The paper is fixed. Trustees and registrar can do their part now.")
}

// beginAnew fixes the paper again, as its key cannot be made.
func (v *visit) beginAnew() error {
	if err := v.needs(); err != nil {
		return err
	}
	if v.r.PostFormValue("sure") == "" {
		return fault.New(fault.Invalid, "Tick the box, if all that has been done for this ballot is to be begun anew.")
	}
	if err := v.s.Contests.PrepareSealed(v.r.Context(), v.r.PathValue("ref"), v.actor(), true); err != nil {
		return err
	}
	return v.done(v.toState(), "It begins anew, with the trustees who are named now.")
}

func (v *visit) endPhase() error {
	if err := v.needs(); err != nil {
		return err
	}
	if v.r.PostFormValue("sure") == "" {
		return fault.New(fault.Invalid, "Tick the box, if it is to go on without those who are waited for.")
	}
	board, err := v.s.Contests.SealedBoard(v.r.Context(), v.r.PathValue("ref"))
	if err != nil {
		return err
	}
	if board.Ceremony.Phase != v.r.PostFormValue("phase") {
		return fault.New(fault.Conflict, "The trustees have gone on since you opened the page. Look again.")
	}
	if err := v.s.Contests.EndSealedPhase(v.r.Context(), v.r.PathValue("ref"), v.actor()); err != nil {
		return err
	}
	return v.done(v.toState(), "It goes on without those who had not done their part.")
}

func (v *visit) excuseMixer() error {
	if err := v.needs(); err != nil {
		return err
	}
	if err := v.s.Contests.ExcuseMixer(v.r.Context(), v.r.PathValue("ref"), v.actor(), v.r.PostFormValue("trustee"), v.r.PostFormValue("why")); err != nil {
		return err
	}
	return v.done(v.toState(), v.r.PostFormValue("trustee")+" is excused. The next mixer can go on.")
}

// cell keeps a spreadsheet from computing what somebody calls themself.
func cell(s string) string {
	if strings.HasPrefix(s, "=") || strings.HasPrefix(s, "+") || strings.HasPrefix(s, "-") || strings.HasPrefix(s, "@") {
		return "'" + s
	}
	return s
}

// sealedRoll gives the roll to the officers, for a registrar who makes the
// voting codes. It has names and addresses in it, and is kept nowhere.
func (v *visit) sealedRoll() error {
	if err := v.needsOffice(); err != nil {
		return err
	}
	roll, err := v.s.Contests.SealedRoll(v.r.Context(), v.r.PathValue("ref"))
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="roll-for-the-registrar.csv"`)
	out := csv.NewWriter(v.w)
	_ = out.Write([]string{"voter", "name", "email", "section", "class"})
	for _, e := range roll {
		if err := out.Write([]string{strconv.FormatInt(e.Voter, 10), cell(e.Name), cell(e.Email), e.Section, e.Class}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
