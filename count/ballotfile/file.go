// Package ballotfile reads papers from the formats that programs exchange:
// BLT, PrefLib (.soc .soi .toc .toi) and CSV, each plain or gzipped.
//
// It decides only what the bytes say. It never counts, and it repairs
// nothing: what it does not understand is an *Error with line and column.
// Gaps, repeats and equal ranks are kept as written; whether they spoil a
// paper is the contest's rule.
//
// Formats: see ReadBLT, ReadPrefLib, ReadCSV, ReadCards and ReadRounds.
package ballotfile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/omov/omov/count"
	"github.com/omov/omov/fault"
)

// File is what a file of papers holds.
type File struct {
	Title      string
	Candidates []string
	Seats      int   // 0: the format does not say
	Withdrawn  []int // before the voting, as far as the file says so
	Order      []int // an order to break ties by, if the file gives one
	Papers     *count.Papers
}

// Contest gives a contest over the file's candidates.
func (f *File) Contest() count.Contest {
	return count.Contest{Candidates: f.Candidates, Seats: f.Seats, Withdrawn: f.Withdrawn}
}

// Options change how a file is read.
type Options struct {
	// Name is the file's name; its ending decides the format where the
	// content does not.
	Name string
	// KeepPapers remembers which group each paper belongs to.
	KeepPapers bool
	// MaxBytes bounds the unpacked size; 0 means 1 GiB.
	MaxBytes int64
	// Candidates are the names known beforehand (CSV); others are then errors.
	Candidates []string
	// Overvote says what a CSV cell "overvote" does: the paper ends there
	// (the zero value) or, with Skip, the next rank follows, and it is no gap.
	Overvote count.Validity
}

// Error says where a file cannot be understood. It unwraps to a *fault.Error
// of kind Invalid.
type Error struct {
	Line, Column int // from 1; the column counts bytes
	Message      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Unwrap gives the refusal for people.
func (e *Error) Unwrap() error { return fault.New(fault.Invalid, "%s", e.Error()) }

// Read reads a file whose format is recognised: gzip by its first bytes,
// PrefLib and CSV by the name's ending or a leading "# ", anything else is BLT.
func Read(r io.Reader, o Options) (*File, error) {
	data, err := slurp(r, o)
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(strings.ToLower(o.Name), ".gz")
	switch path.Ext(name) {
	case ".soc", ".soi", ".toc", ".toi":
		return ReadPrefLib(data, o)
	case ".csv":
		return ReadCSV(data, o)
	case ".blt":
		return ReadBLT(data, o)
	}
	switch head := bytes.TrimSpace(data[:min(len(data), 4096)]); {
	case bytes.HasPrefix(head, []byte("# FILE NAME")), bytes.HasPrefix(head, []byte("# TITLE")):
		return ReadPrefLib(data, o)
	case looksLikeCSV(head):
		return ReadCSV(data, o)
	}
	return ReadBLT(data, o)
}

// looksLikeCSV tells whether the first line has commas and letters, as no
// first line of a BLT file does.
func looksLikeCSV(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	if len(line) == 0 || line[0] == '#' || line[0] == '[' || line[0] == '/' {
		return false
	}
	return bytes.ContainsRune(line, ',') && bytes.ContainsAny(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

// slurp reads everything, unpacked, without byte-order mark.
func slurp(r io.Reader, o Options) ([]byte, error) {
	limit := o.MaxBytes
	if limit <= 0 {
		limit = 1 << 30
	}
	data, err := readAll(r, sizeOf(r), limit)
	if err != nil {
		return nil, err
	}
	if len(data) >= 2 && data[0] == 0x1f && data[1] == 0x8b {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "The file begins like gzip but is not")
		}
		if data, err = readAll(z, int64(len(data))*4, limit); err != nil {
			if fault.Of(err) != nil {
				return nil, err
			}
			return nil, fault.Wrap(fault.Invalid, err, "The gzip file is damaged or cut off")
		}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, &Error{1, 1, "The file is empty."}
	}
	return data, nil
}

func sizeOf(r io.Reader) int64 {
	if f, ok := r.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if i, err := f.Stat(); err == nil && i.Mode().IsRegular() {
			return i.Size()
		}
	}
	if b, ok := r.(interface{ Len() int }); ok {
		return int64(b.Len())
	}
	return 0
}

// readAll reads up to limit bytes into a buffer that begins with the
// expected size, and refuses more.
func readAll(r io.Reader, expect, limit int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(max(expect, 1024), limit) + bytes.MinRead))
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if n > limit {
		return nil, fault.New(fault.TooMuch, "The file has more than %d bytes.", limit)
	}
	return b.Bytes(), nil
}

// place gives line and column of an offset.
func place(data []byte, at int) (line, column int) {
	at = min(at, len(data))
	line = 1 + bytes.Count(data[:at], []byte("\n"))
	return line, at - bytes.LastIndexByte(data[:at], '\n')
}

// wrong makes an *Error at an offset.
func wrong(data []byte, at int, format string, args ...any) error {
	line, column := place(data, at)
	return &Error{line, column, fmt.Sprintf(format, args...)}
}

// located gives an error of the counting package a place.
func located(data []byte, at int, err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return wrong(data, at, "%s", f.Message)
	}
	return err
}
