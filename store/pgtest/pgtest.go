// Package pgtest starts a PostgreSQL server for tests, from the binaries that
// Debian's package brings, in a folder of its own and reachable only through
// a socket there. Where the tests run as root the server runs as the user
// postgres, because it refuses to run as root.
package pgtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running server.
type Server struct {
	dir    string
	cmd    *exec.Cmd
	exited chan error
}

// ErrMissing is the cause of Start's error where PostgreSQL is not installed.
var ErrMissing = errors.New("PostgreSQL is not installed; install it with: apt-get install postgresql")

// Start makes a cluster and starts a server on it. Without durable it does
// not wait for the disk, which is right for every test that is not about
// durability. Stop ends it.
func Start(ctx context.Context, durable bool) (*Server, error) {
	initdb, err := find("initdb")
	if err != nil {
		return nil, err
	}
	postgres := filepath.Join(filepath.Dir(initdb), "postgres")
	dir, err := os.MkdirTemp("", "omov-pg")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, exited: make(chan error, 1)}
	attr, err := s.own()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	init := exec.CommandContext(ctx, initdb, "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	init.Dir, init.SysProcAttr = dir, attr
	if out, err := init.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w\n%s", err, out), os.RemoveAll(dir))
	}
	return s, s.run(ctx, postgres, attr, durable)
}

func (s *Server) run(ctx context.Context, postgres string, attr *syscall.SysProcAttr, durable bool) error {
	fsync := "off"
	if durable {
		fsync = "on"
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd = exec.Command(postgres, "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync="+fsync,
		"-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "max_wal_size=512MB")
	s.cmd.Dir, s.cmd.SysProcAttr, s.cmd.Stdout, s.cmd.Stderr = s.dir, attr, log, log
	if err := s.cmd.Start(); err != nil {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	go func() { s.exited <- s.cmd.Wait() }()
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		c, err := pgx.Connect(ctx, s.DSN("postgres"))
		if err == nil {
			return c.Close(ctx)
		}
		if time.Since(start) > 30*time.Second || len(s.exited) > 0 {
			out, _ := os.ReadFile(log.Name())
			return errors.Join(fmt.Errorf("PostgreSQL did not start: %w\n%s", err, out), s.Stop())
		}
	}
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// own gives the folder to the user under which the server will run.
func (s *Server) own() (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{}
	dieWithParent(attr)
	if os.Getuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrMissing, err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err, err2, os.Chown(s.dir, int(uid), int(gid))); err != nil {
		return nil, err
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, nil
}

// find looks for a program of PostgreSQL: where Debian keeps them, the newest
// version first, then in the path.
func find(name string) (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return slices.Max(found), nil
	}
	p, err := exec.LookPath(name)
	if err != nil {
		return "", ErrMissing
	}
	return filepath.EvalSymlinks(p)
}

// DSN is the address of a database of this server.
func (s *Server) DSN(database string) string { return address(s.dir, database) }

func address(dir, database string) string {
	return "postgres://postgres@/" + database + "?host=" + url.QueryEscape(dir)
}

// Create makes an empty database beside the one that dsn names, and gives its
// address and a function that drops it.
func Create(ctx context.Context, dsn string) (string, func() error, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", nil, err
	}
	var r [6]byte
	rand.Read(r[:])
	name := "test_" + hex.EncodeToString(r[:])
	run := func(sql string) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		c, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return err
		}
		_, err = c.Exec(ctx, sql)
		return errors.Join(err, c.Close(ctx))
	}
	if err := run("CREATE DATABASE " + name); err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	return u.String(), func() error { return run("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)") }, nil
}

// Kill ends the server at once, as a power cut would, without letting it
// write anything. Restart starts it again on what is on the disk.
func (s *Server) Kill() error {
	err := s.cmd.Process.Signal(syscall.SIGQUIT) // postmaster: immediate shutdown
	if err == nil {
		<-s.exited
	}
	return err
}

// Restart starts a server again that was killed.
func (s *Server) Restart(ctx context.Context, durable bool) error {
	return s.run(ctx, s.cmd.Path, s.cmd.SysProcAttr, durable)
}

// Stop ends the server and removes its folder.
func (s *Server) Stop() error {
	var err error
	if s.cmd != nil && s.cmd.ProcessState == nil {
		if err = s.cmd.Process.Signal(syscall.SIGINT); err == nil {
			select {
			case <-s.exited:
			case <-time.After(20 * time.Second):
				err = s.cmd.Process.Kill()
			}
		}
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
