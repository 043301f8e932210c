-- +goose Up
CREATE TABLE head (id INTEGER PRIMARY KEY, origin TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, root BLOB NOT NULL, token BLOB NOT NULL);
CREATE TABLE minute (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, access TEXT NOT NULL, office TEXT NOT NULL, proceeding TEXT NOT NULL, rulebook TEXT NOT NULL, clause TEXT NOT NULL, salt BLOB NOT NULL, commitment BLOB NOT NULL, body BLOB);
CREATE INDEX minute_by_proceeding ON minute (proceeding, seq) WHERE proceeding <> '';
CREATE TABLE particular (seq INTEGER NOT NULL, n INTEGER NOT NULL, person INTEGER NOT NULL, salt BLOB NOT NULL, cipher BLOB, PRIMARY KEY (seq, n)) WITHOUT ROWID;
CREATE INDEX particular_by_person ON particular (person);
CREATE TABLE tile (level INTEGER NOT NULL, n INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, n));
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note BLOB NOT NULL);

CREATE TABLE term (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
CREATE TABLE person (id INTEGER PRIMARY KEY, external TEXT UNIQUE, email_mac BLOB, facts BLOB NOT NULL, particular BLOB, seq INTEGER NOT NULL);
CREATE INDEX person_by_email ON person (email_mac) WHERE email_mac IS NOT NULL;
CREATE TABLE unit (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, parent INTEGER NOT NULL, name TEXT NOT NULL, facts BLOB NOT NULL, opened INTEGER NOT NULL, closed INTEGER NOT NULL, seq INTEGER NOT NULL);
CREATE TABLE office_term (id INTEGER PRIMARY KEY, office TEXT NOT NULL, unit INTEGER NOT NULL, person INTEGER NOT NULL, from_at INTEGER NOT NULL, until_at INTEGER NOT NULL, known_seq INTEGER NOT NULL, ended_seq INTEGER NOT NULL);
CREATE INDEX office_term_by_person ON office_term (person);
CREATE TABLE rulebook (hash TEXT PRIMARY KEY, title TEXT NOT NULL, edition TEXT NOT NULL, source BLOB NOT NULL, within TEXT NOT NULL, in_force_at INTEGER NOT NULL, seq INTEGER NOT NULL);

CREATE TABLE proceeding (ref TEXT PRIMARY KEY, procedure TEXT NOT NULL, unit INTEGER NOT NULL, office TEXT NOT NULL, version INTEGER NOT NULL, phase TEXT NOT NULL, due_at INTEGER, state BLOB NOT NULL, called_at INTEGER NOT NULL, ended_at INTEGER);
CREATE INDEX proceeding_due ON proceeding (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE roll (id INTEGER PRIMARY KEY, proceeding TEXT NOT NULL, ballot TEXT NOT NULL, root BLOB NOT NULL, size INTEGER NOT NULL, seed BLOB NOT NULL, valid_seq INTEGER NOT NULL, facts BLOB NOT NULL);
CREATE INDEX roll_by_proceeding ON roll (proceeding);
CREATE TABLE roll_chunk (roll INTEGER NOT NULL, n INTEGER NOT NULL, entries BLOB NOT NULL, PRIMARY KEY (roll, n));

-- The two sides of an open ballot. Neither has a rowid, a time or a number
-- that would tell in which order rows came.
CREATE TABLE marked (ballot TEXT NOT NULL, section TEXT NOT NULL, voter INTEGER NOT NULL, PRIMARY KEY (ballot, section, voter)) WITHOUT ROWID;
CREATE TABLE box_paper (ballot TEXT NOT NULL, id BLOB NOT NULL, section TEXT NOT NULL, cipher BLOB NOT NULL, PRIMARY KEY (ballot, id)) WITHOUT ROWID;

CREATE TABLE mail (id BLOB PRIMARY KEY, dedupe TEXT NOT NULL UNIQUE, person INTEGER NOT NULL, address BLOB NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL, due_at INTEGER NOT NULL, sent_at INTEGER, attempts INTEGER NOT NULL, last_error TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX mail_due ON mail (due_at) WHERE sent_at IS NULL;
CREATE TABLE login (hash BLOB PRIMARY KEY, person INTEGER NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE session (hash BLOB PRIMARY KEY, person INTEGER NOT NULL, roles TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
