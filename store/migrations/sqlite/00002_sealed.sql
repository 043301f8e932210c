-- +goose Up
-- What the board of a sealed ballot holds, so that the next paper can be
-- judged without reading it all: credentials with their current paper, every
-- accepted paper, and every element that may stand in one paper only.
CREATE TABLE sealed_credential (ballot TEXT NOT NULL, key BLOB NOT NULL, section TEXT NOT NULL, class TEXT NOT NULL, hash BLOB, sequence INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (ballot, key)) WITHOUT ROWID;
CREATE TABLE sealed_paper (ballot TEXT NOT NULL, hash BLOB NOT NULL, key BLOB NOT NULL, sequence INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (ballot, hash)) WITHOUT ROWID;
CREATE TABLE sealed_used (ballot TEXT NOT NULL, element BLOB NOT NULL, PRIMARY KEY (ballot, element)) WITHOUT ROWID;
CREATE TABLE sealed_refused (ballot TEXT NOT NULL, reason TEXT NOT NULL, papers INTEGER NOT NULL, PRIMARY KEY (ballot, reason)) WITHOUT ROWID;
-- Where the rest of a board stands in the book.
CREATE TABLE sealed_entry (ballot TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (ballot, seq)) WITHOUT ROWID;
