-- +goose Up
CREATE TABLE sealed_credential (ballot TEXT COLLATE "C" NOT NULL, key BYTEA NOT NULL, section TEXT COLLATE "C" NOT NULL, class TEXT COLLATE "C" NOT NULL, hash BYTEA, sequence BIGINT NOT NULL, seq BIGINT NOT NULL, PRIMARY KEY (ballot, key));
CREATE TABLE sealed_paper (ballot TEXT COLLATE "C" NOT NULL, hash BYTEA NOT NULL, key BYTEA NOT NULL, sequence BIGINT NOT NULL, seq BIGINT NOT NULL, PRIMARY KEY (ballot, hash));
CREATE TABLE sealed_used (ballot TEXT COLLATE "C" NOT NULL, element BYTEA NOT NULL, PRIMARY KEY (ballot, element));
CREATE TABLE sealed_refused (ballot TEXT COLLATE "C" NOT NULL, reason TEXT COLLATE "C" NOT NULL, papers BIGINT NOT NULL, PRIMARY KEY (ballot, reason));
CREATE TABLE sealed_entry (ballot TEXT COLLATE "C" NOT NULL, seq BIGINT NOT NULL, kind TEXT COLLATE "C" NOT NULL, PRIMARY KEY (ballot, seq));
