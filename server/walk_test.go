package server

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// tree makes files, folders (a slash at the end) and links ("name -> target").
func tree(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range names {
		name, target, isLink := strings.Cut(name, " -> ")
		path := filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		switch {
		case err != nil:
		case isLink:
			err = os.Symlink(target, path)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o755)
		default:
			err = os.WriteFile(path, []byte(name), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func always(flags httpdconf.OptionFlags) func(string) httpdconf.OptionFlags {
	return func(string) httpdconf.OptionFlags { return flags }
}

func TestFollow(t *testing.T) {
	root := tree(t, "a/f", "a/b/", "file -> a/f", "folder -> a", "dangling -> nowhere", "loop -> loop", "a/up -> ../a/f")
	if err := unix.Mkfifo(filepath.Join(root, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	const yes, no = httpdconf.OptFollowSymLinks, httpdconf.OptIndexes
	tests := []struct {
		name            string
		options         httpdconf.OptionFlags
		what            finding
		dir, base, rest string
	}{
		{"", no, isFolder, "", "", ""},
		{"/", no, isFolder, "", "", ""},
		{"/a", no, isFolder, "/a", "a", ""},
		{"/a/", no, isFolder, "/a", "", ""},
		{"/a/f", no, isFile, "/a", "f", ""},
		{"/a/f/", no, isFile, "/a", "f", "/"},
		{"/a/f/x/y", no, isFile, "/a", "f", "/x/y"},
		{"/a/none", no, isNothing, "/a", "none", ""},
		{"/none/f", no, isNothing, "", "none", "/f"},
		{"/pipe", no, isOther, "", "pipe", ""},
		{"/" + strings.Repeat("x", 256), no, isRefused, "", strings.Repeat("x", 256), ""},
		{"/file", yes, isFile, "", "file", ""},
		{"/file", no, isRefused, "", "file", ""},
		{"/folder/f", yes, isFile, "/folder", "f", ""},
		{"/folder/f", no, isRefused, "", "folder", "/f"},
		{"/a/up", yes, isFile, "/a", "up", ""},
		{"/dangling", yes, isRefused, "", "dangling", ""},
		{"/loop", yes, isRefused, "", "loop", ""},
		{"/file", httpdconf.OptSymLinksIfOwnerMatch, isFile, "", "file", ""},
	}
	for _, tt := range tests {
		p, file := follow(root+tt.name, always(tt.options), true)
		if dir := strings.TrimPrefix(p.dir, root); p.what != tt.what || dir != tt.dir || p.rest != tt.rest || tt.name != "" && p.base != tt.base {
			t.Errorf("follow(%q) = %+v, want %+v", tt.name, p, tt)
		}
		if opened := file != nil; opened != (tt.what == isFile && tt.rest == "") {
			t.Errorf("follow(%q) has opened a file: %v", tt.name, opened)
		}
		if file != nil {
			file.Close()
		}
	}
}

func TestFollowAsksForTheFolderOfTheLink(t *testing.T) {
	root := tree(t, "a/b/f", "a/link -> b")
	var asked []string
	p, _ := follow(root+"/a/link/f", func(dir string) httpdconf.OptionFlags {
		asked = append(asked, dir)
		return httpdconf.OptFollowSymLinks
	}, false)
	if len(asked) != 1 || asked[0] != root+"/a" || p.what != isFile {
		t.Errorf("asked for %q, found %+v; want one question, for %s/a", asked, p, root)
	}
}

// TestLinkOfAnotherOwner: root gives the link away, others point theirs at a
// file of root's.
func TestLinkOfAnotherOwner(t *testing.T) {
	root := tree(t, "link -> /etc/passwd")
	if os.Getuid() == 0 {
		if err := os.Lchown(filepath.Join(root, "link"), 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	if p, _ := follow(root+"/link", always(httpdconf.OptSymLinksIfOwnerMatch), false); p.what != isRefused {
		t.Errorf("a link of another owner leads to %+v", p)
	}
	if p, _ := follow(root+"/link", always(httpdconf.OptSymLinksIfOwnerMatch|httpdconf.OptFollowSymLinks), false); p.what != isFile {
		t.Errorf("FollowSymLinks besides: %+v", p)
	}
}

// TestRaceOutOfTheRoot: while a folder is swapped for a link again and again,
// no walk that forbids links gets to what the link shows (reliability.md,
// hazard 28).
func TestRaceOutOfTheRoot(t *testing.T) {
	root := tree(t, "in/dir/f", "out/f", "link -> out")
	dir, link := filepath.Join(root, "in/dir"), filepath.Join(root, "link")
	stop := make(chan struct{})
	var swapping sync.WaitGroup
	swapping.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Renameat2(unix.AT_FDCWD, dir, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE)
			}
		}
	})
	found, refused := 0, 0
	for range 20000 {
		p, file := follow(dir+"/f", always(0), true)
		if p.what == isRefused {
			refused++
		}
		if file == nil {
			continue
		}
		found++
		text := make([]byte, 16)
		n, _ := file.ReadAt(text, 0)
		file.Close()
		if string(text[:n]) != "in/dir/f" {
			t.Errorf("read %q", text[:n])
			break
		}
	}
	close(stop)
	swapping.Wait()
	if found == 0 || refused == 0 {
		t.Errorf("found %d times and refused %d times: nothing was raced for", found, refused)
	}
}

// TestFileThatIsSwapped: what takes the place of a file behind the walk's back
// is not sent.
func TestFileThatIsSwapped(t *testing.T) {
	l, root := site(t, "")
	r := &route{host: l.cfg.Main, path: "/a.txt"}
	r.walk()
	name := filepath.Join(root, "docs/a.txt")
	if err := os.Rename(name, name+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "outside/secret.txt"), name); err != nil {
		t.Fatal(err)
	}
	if f, status := l.openFile(nil, r); f != nil || status != 404 {
		t.Errorf("what took the file's place is answered %d", status)
	}
}

// TestOpenFoundOpensNoOther: a file in the place of the one that was looked up.
func TestOpenFoundOpensNoOther(t *testing.T) {
	root := tree(t, "f", "other")
	at, err := openAt(unix.AT_FDCWD, root, unix.O_PATH)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(at)
	e, err := enter(at, "f", func() httpdconf.OptionFlags { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(e.fd)
	if err := os.Rename(filepath.Join(root, "other"), filepath.Join(root, "f")); err != nil {
		t.Fatal(err)
	}
	if p, file := openFound(place{what: isFile}, at, &e); file != nil || p.what != isNothing {
		t.Errorf("found %+v, file %v", p, file)
	}
}
