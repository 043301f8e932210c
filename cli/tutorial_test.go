package cli

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestTutorial does what docs/tutorial.md tells its reader to do, in an empty
// folder: files are written, added to and edited as it says, every command is
// run, and says what the page says it says. A line of its own with three dots
// stands for any lines; how long something took is not compared.
func TestTutorial(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "tutorial.md"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	doing, commands, files := "", 0, 0
	lines := strings.Split(string(page), "\n")
	for i := 0; i < len(lines); i++ {
		if note, ok := strings.CutPrefix(lines[i], "<!-- "); ok {
			doing = strings.TrimSuffix(note, " -->")
		}
		kind, ok := strings.CutPrefix(lines[i], "```")
		if !ok {
			continue
		}
		begin := i + 1
		for i++; i < len(lines) && lines[i] != "```"; i++ {
		}
		block := lines[begin:i]
		if kind == "console" {
			commands += console(t, begin+1, block)
			continue
		}
		if doing == "" {
			t.Fatalf("line %d: it is not said what to do with this", begin)
		}
		files++
		written(t, begin, doing, block)
		doing = ""
	}
	if commands < 20 || files < 20 {
		t.Errorf("only %d commands and %d pieces of files were tried", commands, files)
	}
}

// written does to a file what a note above a block says: `file` writes it,
// `add` adds to its end, `edit` replaces lines, wherever they are.
func written(t *testing.T, line int, doing string, block []string) {
	t.Helper()
	what, name, _ := strings.Cut(doing, " ")
	text := strings.Join(block, "\n") + "\n"
	old, err := os.ReadFile(name)
	if what != "file" && err != nil {
		t.Fatalf("line %d: %v", line, err)
	}
	switch what {
	case "add":
		text = string(old) + text
	case "edit":
		var before, after strings.Builder
		for _, l := range block {
			if l[0] != '+' {
				before.WriteString(l[1:] + "\n")
			}
			if l[0] != '-' {
				after.WriteString(l[1:] + "\n")
			}
		}
		text = strings.ReplaceAll(string(old), before.String(), after.String())
		if text == string(old) {
			t.Fatalf("line %d: %s has no such lines:\n%s", line, name, before.String())
		}
	case "file":
	default:
		t.Fatalf("line %d: %q is nothing that can be done", line, doing)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// console runs the commands of a block, each with what it should say below it.
func console(t *testing.T, line int, block []string) (commands int) {
	t.Helper()
	for len(block) > 0 {
		command, ok := strings.CutPrefix(block[0], "$ omov ")
		if !ok {
			t.Fatalf("line %d: %q is no command", line, block[0])
		}
		n := 1
		for n < len(block) && !strings.HasPrefix(block[n], "$ ") {
			n++
		}
		want := strings.Join(block[1:n], "\n")
		if command == "serve" {
			serves(t, want)
		} else if _, out := omov("", strings.Fields(command)...); !says(out, want) {
			t.Errorf("line %d: omov %s says\n%s\nThe page says\n%s", line, command, out, want)
		}
		block, line, commands = block[n:], line+n, commands+1
	}
	return commands
}

// says compares what a command wrote with a page.
func says(out, want string) bool {
	took := regexp.MustCompile(`\([0-9.]+ m?s\)`)
	out = regexp.MustCompile(`(?m)^.*\r`).ReplaceAllString(out, "") // progress is written over
	pattern := "^"
	for _, l := range strings.Split(took.ReplaceAllString(want, "(time)"), "\n") {
		switch quoted := regexp.QuoteMeta(l); {
		case l == "…":
			pattern += `(.*\n)*`
		default:
			pattern += strings.ReplaceAll(quoted, "…", ".*") + `\n`
		}
	}
	return regexp.MustCompile(pattern + "$").MatchString(took.ReplaceAllString(out, "(time)"))
}

// serves starts the server on a free port and waits until it says where it is.
func serves(t *testing.T, want string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		c := &ServeCmd{Where: Where{DB: "sqlite:omov.db"}, Addr: addr}
		done <- c.Run(ctx, &Streams{In: strings.NewReader(""), Out: w, Err: &bytes.Buffer{}})
		w.Close()
	}()
	said, _ := bufio.NewReader(r).ReadString('\n')
	if said != strings.Replace(want, "localhost:8080", addr, 1)+"\n" {
		t.Errorf("the server says %q", said)
	}
	stop()
	if err := <-done; err != nil && ctx.Err() == nil {
		t.Error(err)
	}
}
