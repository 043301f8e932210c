package store_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/store"
	"github.com/omov/omov/store/storetest"
)

// check fails the test inside a transaction without ending the writer's
// goroutine.
func check(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v; want %+v", what, got, want)
	}
}

func people(n int) []store.PersonRow {
	ps := make([]store.PersonRow, n)
	for i := range ps {
		id := int64(i + 1)
		ps[i] = store.PersonRow{ID: id, Facts: fmt.Appendf(nil, "facts of person %d", id), Seq: 7}
		if i%2 == 0 {
			ps[i].External, ps[i].EmailMAC, ps[i].Particular = fmt.Sprint("M-", id), []byte{byte(i), 1}, []byte{9, byte(i)}
		}
	}
	return ps
}

func TestPeople(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ps := people(25_000)
		write(t, db, func(tx *store.Tx) error { return tx.PutPeople(ps) })
		ps[2].Facts = []byte("changed")
		write(t, db, func(tx *store.Tx) error { return tx.PutPeople(ps[1:3]) })
		read(t, db, func(tx *store.Tx) error {
			p, err := tx.Person(3)
			check(t, "Person", p, ps[2])
			if err != nil {
				return err
			}
			p, err = tx.PersonByExternal("M-3")
			check(t, "PersonByExternal", p, ps[2])
			if err != nil {
				return err
			}
			found, err := tx.PeopleByEmail(ps[0].EmailMAC)
			if len(found) < 2 || !reflect.DeepEqual(found[0], ps[0]) {
				t.Errorf("PeopleByEmail: %+v", found)
			}
			if err != nil {
				return err
			}
			_, err = tx.Person(99_999)
			wantKind(t, err, fault.NotFound)
			for _, c := range [][3]int{{0, 0, 25_000}, {5, 10_000, 10_000}, {5, 3, 3}, {24_999, 10, 1}, {25_000, 0, 0}} {
				n := 0
				for p, err := range tx.PeopleAfter(int64(c[0]), c[1]) {
					if err != nil {
						return err
					}
					if w := ps[c[0]+n]; p.ID != w.ID || string(p.Facts) != string(w.Facts) || p.Seq != w.Seq {
						t.Fatalf("person %d of the stream is %+v", n, p)
					}
					n++
				}
				check(t, fmt.Sprint("stream ", c), n, c[2])
			}
			for range tx.PeopleAfter(0, 0) {
				break
			}
			ext, err := tx.WithExternal(2, 20_000)
			check(t, "WithExternal", [2]int{len(ext), int(ext[0].ID)}, [2]int{12_499, 3})
			check(t, "WithExternal, whole", ext[1], ps[ext[1].ID-1])
			few, err3 := tx.WithExternal(0, 7)
			check(t, "WithExternal, few", len(few), 7)
			if err3 != nil {
				return err3
			}
			n, last, err2 := tx.CountPeople()
			check(t, "CountPeople", [2]int64{n, last}, [2]int64{25_000, 25_000})
			if err2 != nil {
				return err2
			}
			return err
		})
		wantKind(t, db.Write(t.Context(), func(tx *store.Tx) error {
			return tx.PutPeople([]store.PersonRow{{ID: 30_000, External: "M-1"}})
		}), fault.Conflict)
		write(t, db, func(tx *store.Tx) error { return tx.ErasePerson(3) })
		read(t, db, func(tx *store.Tx) error {
			p, err := tx.Person(3)
			check(t, "erased", p, store.PersonRow{ID: 3, Facts: []byte("changed"), Seq: 7})
			return err
		})
	})
}

func TestVocabulary(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(tx *store.Tx) error {
			for i, w := range []string{"member", "supporter", "member", "Mitglied ü"} {
				id, err := tx.Term(w)
				if err != nil {
					return err
				}
				check(t, w, id, []int64{1, 2, 1, 3}[i])
			}
			return nil
		})
		read(t, db, func(tx *store.Tx) error {
			ts, err := tx.Terms()
			check(t, "Terms", ts, map[int64]string{1: "member", 2: "supporter", 3: "Mitglied ü"})
			if err != nil {
				return err
			}
			_, err = tx.Term("new")
			wantKind(t, err, fault.NotFound)
			return nil
		})
	})
}

func TestUnitsAndOffices(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		us := []store.UnitRow{{1, "region", 0, "North", []byte{1}, 5, 0, 2}, {2, "branch", 1, "Hill", []byte{2}, 6, 9, 3}}
		ts := []store.OfficeTermRow{{1, "leader", 0, 17, 100, 1 << 62, 4, 0}, {2, "chair", 2, 18, 100, 200, 4, 6}}
		write(t, db, func(tx *store.Tx) error {
			if err := tx.PutUnits(us); err != nil {
				return err
			}
			us[1].Name = "Hill and Vale"
			if err := tx.PutUnits(us[1:]); err != nil {
				return err
			}
			return tx.PutOfficeTerms(ts)
		})
		read(t, db, func(tx *store.Tx) error {
			got, err := tx.Units()
			check(t, "Units", got, us)
			if err != nil {
				return err
			}
			u, err := tx.Unit(2)
			check(t, "Unit", u, us[1])
			if err != nil {
				return err
			}
			_, err = tx.Unit(3)
			wantKind(t, err, fault.NotFound)
			terms, err := tx.OfficeTerms()
			check(t, "OfficeTerms", terms, ts)
			if err != nil {
				return err
			}
			terms, err = tx.OfficeTermsOf(18)
			check(t, "OfficeTermsOf", terms, ts[1:])
			if err != nil {
				return err
			}
			last, err := tx.LastOfficeTerm()
			check(t, "LastOfficeTerm", last, int64(2))
			return err
		})
	})
}

func proceedingRow(ref string, version int64, due time.Time) store.ProceedingRow {
	return store.ProceedingRow{Ref: ref, Procedure: "leader", Unit: 0, Office: "leader", Version: version, Phase: "open",
		DueAt: due, State: []byte("{}"), CalledAt: time.UnixMilli(1000).UTC()}
}

func TestProceedings(t *testing.T) {
	at := time.UnixMilli(1_800_000_000_000).UTC()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		a, b := proceedingRow("2026-L-001", 1, at), proceedingRow("2026-L-002", 1, time.Time{})
		write(t, db, func(tx *store.Tx) error {
			if err := tx.PutProceeding(a, 0); err != nil {
				return err
			}
			return tx.PutProceeding(b, 0)
		})
		stale := func(p store.ProceedingRow, was int64) {
			wantKind(t, db.Write(t.Context(), func(tx *store.Tx) error { return tx.PutProceeding(p, was) }), fault.Conflict)
		}
		stale(a, 0)
		a.Version, a.Phase = 3, "closed"
		stale(a, 2)
		write(t, db, func(tx *store.Tx) error { return tx.PutProceeding(a, 1) })
		stale(a, 1)
		b.Version, b.EndedAt = 2, at
		write(t, db, func(tx *store.Tx) error { return tx.PutProceeding(b, 1) })
		read(t, db, func(tx *store.Tx) error {
			p, err := tx.Proceeding("2026-L-001")
			check(t, "Proceeding", p, a)
			if err != nil {
				return err
			}
			_, err = tx.Proceeding("2026-L-003")
			wantKind(t, err, fault.NotFound)
			_, err = tx.ProceedingVersion("2026-L-003")
			wantKind(t, err, fault.NotFound)
			v, err := tx.ProceedingVersion("2026-L-001")
			check(t, "ProceedingVersion", v, int64(3))
			if err != nil {
				return err
			}
			all, err := tx.Proceedings()
			check(t, "Proceedings", all, []store.ProceedingRow{b, a})
			if err != nil {
				return err
			}
			open, err := tx.OpenProceedings()
			check(t, "OpenProceedings", open, []store.ProceedingRow{a})
			if err != nil {
				return err
			}
			due, err := tx.DueBefore(at)
			check(t, "DueBefore", due, []store.ProceedingRow{a})
			if err != nil {
				return err
			}
			due, err = tx.DueBefore(at.Add(-time.Millisecond))
			check(t, "DueBefore earlier", len(due), 0)
			if err != nil {
				return err
			}
			next, err := tx.NextDue()
			check(t, "NextDue", next, at)
			return err
		})
		rb := store.RulebookRow{Hash: "9f", Title: "Rules", Edition: "2018", Source: []byte("yaml"), Within: "party", InForceAt: at, Seq: 3}
		write(t, db, func(tx *store.Tx) error { return tx.PutRulebook(rb) })
		read(t, db, func(tx *store.Tx) error {
			got, err := tx.Rulebook("9f")
			check(t, "Rulebook", got, rb)
			if err != nil {
				return err
			}
			all, err := tx.Rulebooks()
			check(t, "Rulebooks", all, []store.RulebookRow{rb})
			return err
		})
	})
}

func TestRolls(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		row := store.RollRow{ID: 9, Proceeding: "2026-L-001", Ballot: "main", Root: []byte{1}, Size: 3, Seed: []byte{2}, Valid: 9, Facts: []byte("{}")}
		write(t, db, func(tx *store.Tx) error {
			for n := range 3 {
				if err := tx.PutRollChunk(row.ID, int64(n), []byte{byte(n)}); err != nil {
					return err
				}
			}
			return tx.PutRoll(row)
		})
		wantKind(t, db.Write(t.Context(), func(tx *store.Tx) error { return tx.PutRoll(row) }), fault.Already)
		read(t, db, func(tx *store.Tx) error {
			_, err := tx.Roll(10)
			wantKind(t, err, fault.NotFound)
			rolls, err := tx.RollsOf("2026-L-001")
			check(t, "RollsOf", rolls, []store.RollRow{row})
			if err != nil {
				return err
			}
			var chunks [][]byte
			for x, err := range tx.RollChunks(row.ID) {
				if err != nil {
					return err
				}
				chunks = append(chunks, x.Entries)
			}
			check(t, "RollChunks", chunks, [][]byte{{0}, {1}, {2}})
			b, err := tx.RollChunk(row.ID, 1)
			check(t, "RollChunk", b, []byte{1})
			return err
		})
	})
}

func TestBox(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		vote := func(voter int64, id byte) (new bool) {
			write(t, db, func(tx *store.Tx) error {
				marked, err := tx.Mark("b", "members", voter)
				if err != nil || !marked {
					new = false
					return err
				}
				new, err = tx.PutPaper(store.Paper{Ballot: "b", ID: [32]byte{id}, Section: "members", Cipher: []byte{id, id}})
				return err
			})
			return new
		}
		check(t, "first", []bool{vote(7, 9), vote(3, 200), vote(7, 10)}, []bool{true, true, false})
		write(t, db, func(tx *store.Tx) error {
			if again, err := tx.PutPaper(store.Paper{Ballot: "b", ID: [32]byte{9}, Section: "x"}); again || err != nil {
				t.Errorf("a paper was put twice: %v, %v", again, err)
			}
			return tx.ReplacePaper("b", [32]byte{9}, []byte("new"))
		})
		wantKind(t, db.Write(t.Context(), func(tx *store.Tx) error { return tx.ReplacePaper("b", [32]byte{1}, nil) }), fault.NotFound)
		read(t, db, func(tx *store.Tx) error {
			var papers []store.Paper
			for p, err := range tx.Papers("b") {
				if err != nil {
					return err
				}
				papers = append(papers, p)
			}
			check(t, "Papers", papers, []store.Paper{{"b", [32]byte{9}, "members", []byte("new")}, {"b", [32]byte{200}, "members", []byte{200, 200}}})
			p, err := tx.Paper("b", [32]byte{9})
			check(t, "Paper", p, papers[0])
			if err != nil {
				return err
			}
			var marked []store.MarkedVoter
			for v, err := range tx.Marked("b") {
				if err != nil {
					return err
				}
				marked = append(marked, v)
			}
			check(t, "Marked", marked, []store.MarkedVoter{{"members", 3}, {"members", 7}})
			is, err := tx.IsMarked("b", "members", 3)
			check(t, "IsMarked", is, true)
			if err != nil {
				return err
			}
			n, err := tx.CountPapers("b")
			check(t, "CountPapers", n, map[string]int64{"members": 2})
			return err
		})
		write(t, db, func(tx *store.Tx) error {
			if err := tx.DestroyPapers("b"); err != nil {
				return err
			}
			return tx.ClearMarked("b")
		})
		if err := db.Scrub(t.Context()); err != nil {
			t.Error(err)
		}
		read(t, db, func(tx *store.Tx) error {
			n, err := tx.CountMarked("b")
			check(t, "CountMarked", len(n), 0)
			return err
		})
	})
}

// Pages of the streams over an open ballot meet without a gap.
func TestMarkedAndPapersInPages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const n = 21_000
		write(t, db, func(tx *store.Tx) error {
			for i := range n {
				if _, err := tx.Mark("b", fmt.Sprint("s", i%2), int64(i)); err != nil {
					return err
				}
				if _, err := tx.PutPaper(store.Paper{Ballot: "b", ID: [32]byte{byte(i), byte(i >> 8)}}); err != nil {
					return err
				}
			}
			return nil
		})
		read(t, db, func(tx *store.Tx) error {
			marked, papers := map[store.MarkedVoter]bool{}, map[[32]byte]bool{}
			for v, err := range tx.Marked("b") {
				if err != nil {
					return err
				}
				marked[v] = true
			}
			for p, err := range tx.Papers("b") {
				if err != nil {
					return err
				}
				papers[p.ID] = true
			}
			check(t, "streams", [2]int{len(marked), len(papers)}, [2]int{n, n})
			return nil
		})
	})
}

func TestMailLoginSessionSetting(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000).UTC()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		m := store.Mail{Dedupe: "notice/1/7", Person: 7, Address: []byte("a"), Subject: "s", Body: "b", DueAt: now}
		write(t, db, func(tx *store.Tx) error {
			first, err := tx.PutMail(m)
			second, err2 := tx.PutMail(m)
			check(t, "PutMail", []any{first, second, err, err2}, []any{true, false, error(nil), error(nil)})
			return nil
		})
		write(t, db, func(tx *store.Tx) error {
			ms, err := tx.TakeMail(now, now.Add(time.Minute), 10)
			if err != nil || len(ms) != 1 || ms[0].Dedupe != m.Dedupe || ms[0].ID == [16]byte{} {
				t.Errorf("TakeMail: %+v, %v", ms, err)
				return err
			}
			if ms, err := tx.DueMail(now, 10); len(ms) != 0 || err != nil {
				t.Errorf("taken mail is still due: %v, %v", ms, err)
			}
			if err := tx.FailedMail(ms[0].ID, "no route", now); err != nil {
				return err
			}
			if due, err := tx.DueMail(now, 10); len(due) != 1 || due[0].LastError != "no route" || due[0].Attempts != 1 {
				t.Errorf("failed mail: %+v, %v", due, err)
			}
			return tx.SentMail(ms[0].ID, now)
		})
		read(t, db, func(tx *store.Tx) error {
			w, s, err := tx.MailCounts()
			check(t, "MailCounts", [2]int64{w, s}, [2]int64{0, 1})
			if err != nil {
				return err
			}
			of7, err := tx.Outbox(7, 5)
			of8, err2 := tx.Outbox(8, 5)
			all, err3 := tx.Outbox(0, 5)
			check(t, "Outbox", []any{len(of7), len(of8), len(all), err, err2, err3}, []any{1, 0, 1, error(nil), error(nil), error(nil)})
			return nil
		})

		hash := []byte{1, 2}
		write(t, db, func(tx *store.Tx) error { return tx.PutLogin(hash, 7, now) })
		wantKind(t, db.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.UseLogin(hash, now); return err }), fault.SignIn)
		write(t, db, func(tx *store.Tx) error {
			p, err := tx.UseLogin(hash, now.Add(-1))
			check(t, "UseLogin", p, int64(7))
			return err
		})
		wantKind(t, db.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.UseLogin(hash, now.Add(-1)); return err }), fault.SignIn)

		s := store.Session{Hash: []byte{3}, Person: 7, Roles: "member", Expires: now}
		write(t, db, func(tx *store.Tx) error { return tx.PutSession(s) })
		read(t, db, func(tx *store.Tx) error {
			got, err := tx.Session(s.Hash, now.Add(-1))
			check(t, "Session", got, s)
			_, gone := tx.Session(s.Hash, now)
			wantKind(t, gone, fault.SignIn)
			return err
		})
		write(t, db, func(tx *store.Tx) error { return tx.SweepLogins(now.Add(time.Millisecond)) })
		read(t, db, func(tx *store.Tx) error {
			_, err := tx.Session(s.Hash, now.Add(-1))
			wantKind(t, err, fault.SignIn)
			return nil
		})

		write(t, db, func(tx *store.Tx) error {
			if err := tx.PutSetting("a", nil); err != nil {
				return err
			}
			return tx.PutSetting("b", []byte("x"))
		})
		read(t, db, func(tx *store.Tx) error {
			a, err := tx.Setting("a")
			b, err2 := tx.Setting("b")
			c, err3 := tx.Setting("c")
			check(t, "Setting", []any{a, b, c, err, err2, err3}, []any{[]byte{}, []byte("x"), []byte(nil), error(nil), error(nil), error(nil)})
			return nil
		})
	})
}

// The same rows have the same digests on both databases, whatever the order
// in which they were written; and erasing somebody changes none.
func TestDigest(t *testing.T) {
	at := time.UnixMilli(1_800_000_000_000).UTC()
	var digests []map[string]string
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ps := people(12_000)
		if len(digests) == 1 {
			slices.Reverse(ps)
		}
		write(t, db, func(tx *store.Tx) error {
			if err := tx.PutPeople(ps); err != nil {
				return err
			}
			for _, ref := range []string{"Ä", "a", "B", "ä", "Z"} {
				if err := tx.PutProceeding(proceedingRow(ref, 1, at), 0); err != nil {
					return err
				}
			}
			if err := tx.PutRoll(store.RollRow{ID: 1, Valid: 1}); err != nil {
				return err
			}
			for n := range 25 {
				if err := tx.PutRollChunk(1, int64(n), []byte{byte(n)}); err != nil {
					return err
				}
			}
			return tx.PutUnits([]store.UnitRow{{ID: 1, Name: "ü"}})
		})
		d, err := db.Digest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, d)
		write(t, db, func(tx *store.Tx) error { return tx.ErasePerson(1) })
		if erased, err := db.Digest(t.Context()); err != nil || !maps.Equal(erased, d) {
			t.Errorf("erasing a person changed a digest: %v, %v", erased, err)
		}
		write(t, db, func(tx *store.Tx) error { return tx.PutRollChunk(1, 24, []byte("x")) })
		if other, err := db.Digest(t.Context()); err != nil || other["roll_chunk"] == d["roll_chunk"] {
			t.Errorf("a changed last chunk does not show: %v", err)
		}
	})
	if !maps.Equal(digests[0], digests[1]) {
		t.Errorf("the digests of the two databases differ:\n%v\n%v", digests[0], digests[1])
	}
}

// What Replay copies has the same log.
func TestReplay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(tx *store.Tx) error {
			for i := range 300 {
				if _, err := tx.Append(entry(i)); err != nil {
					return err
				}
			}
			return nil
		})
		copied := storetest.Open(t, storetest.SQLite(t))
		read(t, db, func(tx *store.Tx) error {
			from, err := tx.Head()
			if err != nil {
				return err
			}
			write(t, copied, func(to *store.Tx) error { return tx.Minutes(1, to.Replay) })
			read(t, copied, func(to *store.Tx) error {
				h, err := to.Head()
				check(t, "head", h, from)
				return err
			})
			return nil
		})
		wantKind(t, copied.Write(t.Context(), func(tx *store.Tx) error {
			m, err := tx.Minute(3)
			if err != nil {
				return err
			}
			return tx.Replay(m)
		}), fault.Conflict)
	})
}
