package postbox

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"

	"github.com/omov/omov/fault"
)

// vault is a file under a passphrase. Its content is replaced as a whole, and
// what save has returned from survives a loss of power.
type vault struct {
	path       string
	passphrase string
	work       int // of scrypt: 2^work
	lock       *os.File
	seen       [32]byte // of the file's bytes as this program read or wrote them
}

// The work of scrypt that a guess at the passphrase costs: about a second.
const (
	usualWork = 18
	mostWork  = 20
)

// minPassphrase is how many bytes a passphrase has at least.
const minPassphrase = 12

// createVault makes a new file; there must be none of that name.
func createVault(path, passphrase string, work int, content []byte) (*vault, error) {
	if len(passphrase) < minPassphrase {
		return nil, fault.New(fault.Invalid, "the passphrase is too short: it has at least %d letters; four or five words that nobody connects with you are good", minPassphrase)
	}
	if work == 0 {
		work = usualWork
	}
	if work < 1 || work > mostWork {
		return nil, fault.New(fault.Invalid, "the work of guessing the passphrase is from 1 to %d", mostWork)
	}
	v := &vault{path: path, passphrase: passphrase, work: work}
	if err := v.hold(); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		v.close()
		return nil, fault.New(fault.Already, "%s exists already, and is not overwritten: choose another name", path)
	}
	if err := v.write(content); err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

// openVault reads a file. With shared it is only looked at, while another
// command may be using it, and can't be saved.
func openVault(path, passphrase string, most int64, shared bool) (*vault, []byte, error) {
	v := &vault{path: path, passphrase: passphrase}
	if !shared {
		if err := v.hold(); err != nil {
			return nil, nil, err
		}
	}
	content, err := v.read(most)
	if err != nil {
		v.close()
		return nil, nil, err
	}
	return v, content, nil
}

// setWork takes the work that the file's content asks for, 0 for the usual.
func (v *vault) setWork(work int) {
	v.work = usualWork
	if work > 0 {
		v.work = min(work, mostWork)
	}
}

func (v *vault) read(most int64) ([]byte, error) {
	b, err := readFile(v.path, most)
	if err != nil {
		return nil, err
	}
	id, err := age.NewScryptIdentity(v.passphrase)
	if err != nil {
		return nil, fault.New(fault.Invalid, "there is no passphrase: the file cannot be opened without")
	}
	id.SetMaxWorkFactor(mostWork)
	r, err := age.Decrypt(bytes.NewReader(b), id)
	if none := (*age.NoIdentityMatchError)(nil); errors.As(err, &none) {
		return nil, fault.New(fault.NotEntitled, "the passphrase does not open %s; nothing has been changed", v.path)
	}
	var content []byte
	if err == nil {
		content, err = io.ReadAll(r)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "%s is damaged, or not a file of this program: take the copy that you have kept", v.path)
	}
	v.seen = sha256.Sum256(b)
	return content, nil
}

func readFile(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "there is no file %s", path)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s cannot be read", path)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s cannot be read", path)
	}
	if int64(len(b)) > most {
		return nil, fault.New(fault.TooMuch, "%s is longer than such a file can be", path)
	}
	return b, nil
}

// save replaces the content. It refuses where the file is not as this program
// left it: somebody copied an older one over it.
func (v *vault) save(content []byte, most int64) error {
	if v.lock == nil {
		return fault.New(fault.Internal, "%s was opened to be looked at only", v.path)
	}
	b, err := readFile(v.path, most)
	if err != nil {
		return err
	}
	if sha256.Sum256(b) != v.seen {
		return fault.New(fault.Conflict, "%s was changed while this program was using it; nothing was sent. Start the command again", v.path)
	}
	return v.write(content)
}

// write encrypts the content, and puts it in place once it is on the disk.
func (v *vault) write(content []byte) error {
	var out bytes.Buffer
	r, err := age.NewScryptRecipient(v.passphrase)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "this passphrase cannot be used")
	}
	r.SetWorkFactor(v.work)
	w, err := age.Encrypt(&out, r)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the file could not be encrypted")
	}
	if err := replace(v.path, out.Bytes()); err != nil {
		return err
	}
	v.seen = sha256.Sum256(out.Bytes())
	return nil
}

// replace writes a file durably under its name: whole or not at all.
func replace(path string, b []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // readable by its owner only
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "nothing can be written into the folder %s", dir)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fault.Wrap(fault.Unavailable, err, "%s could not be written; nothing was sent", path)
	}
	syncDir(dir)
	return nil
}

// syncDir makes a new name durable, where the system can: some cannot open a
// folder, and write names through.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

// hold keeps other commands away from the file.
func (v *vault) hold() error {
	f, err := os.OpenFile(v.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "nothing can be written beside %s", v.path)
	}
	if !lockFile(f) {
		f.Close()
		return fault.New(fault.Conflict, "another omov command is using %s: let it finish, or stop it", v.path)
	}
	v.lock = f
	return nil
}

func (v *vault) close() {
	if v.lock != nil {
		v.lock.Close() // and so unlocks it
		v.lock = nil
	}
	v.passphrase = ""
}
