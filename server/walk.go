package server

import (
	"errors"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// finding says what a file name was found to lead to.
type finding int

// The findings. What is not there is nothing, whatever the name.
const (
	isNothing finding = iota
	isFolder
	isFile
	isOther   // a device, a pipe, a socket
	isRefused // a link that Options forbid, or a folder that must not be searched
)

// place is how far a file name exists.
type place struct {
	what finding
	dir  string // the deepest folder on the way, without a slash at its end
	base string // the element behind dir; of a folder without a slash behind it, its own name
	rest string // what stands behind base: there is no such file then
	why  string // of isRefused, for the log
	err  error  // that has led to it, if any
	id   fileID
}

// fileID tells the files of a machine apart.
type fileID struct{ device, inode uint64 }

// name is what httpd keeps as the name of the file: without rest, and with a
// slash behind a folder where the request has one.
func (p *place) name() string {
	if p.what == isFolder && p.base != "" {
		return p.dir
	}
	return p.dir + "/" + p.base
}

// errLink refuses a symbolic link.
var errLink = errors.New("AH00037: Symbolic link not allowed or link target not accessible")

// follow walks down an absolute file name, element by element and from
// descriptor to descriptor: a folder that is swapped for a link meanwhile is
// looked at as a link (httpd 2.4 server/request.c, ap_directory_walk). options
// says what holds in the folder that a link stands in. With open, a regular
// file that the whole name leads to is opened for reading.
//
// A name without a link, which is nearly every one, the kernel follows at once.
func follow(name string, options func(dir string) httpdconf.OptionFlags, open bool) (place, *openedFile) {
	p := place{what: isFolder}
	root, err := rootFolder()
	if err != nil {
		return place{what: isRefused, why: err.Error()}, nil
	}
	if p, file, ok := straight(root, name, open); ok {
		return p, file
	}
	at := root
	leave := func() {
		if at != root {
			_ = unix.Close(at)
		}
	}
	defer func() { leave() }()
	for left := strings.TrimLeft(name, "/"); left != ""; {
		element, behind, slash := strings.Cut(left, "/")
		e, err := enter(at, element, func() httpdconf.OptionFlags { return options(p.dir) })
		if err != nil {
			p.base, p.rest = element, left[len(element):]
			if p.what, p.why = judge(err); p.what == isRefused {
				p.err = err
			}
			return p, nil
		}
		if e.what == isFolder {
			leave()
			at, left = e.fd, behind
			p.dir, p.id = p.dir+"/"+element, e.id
			if !slash {
				p.base = element
			}
			continue
		}
		_ = unix.Close(e.fd)
		p.what, p.base, p.rest, p.id = e.what, element, left[len(element):], e.id
		if open && p.what == isFile && p.rest == "" {
			return openFound(p, at, &e)
		}
		return p, nil
	}
	return p, nil
}

// straight follows a name on which no link stands, to a folder or a regular file
// (openat2, RESOLVE_NO_SYMLINKS; Linux 5.6). It is not ok where there is anything
// else to find out or to say.
func straight(root int, name string, open bool) (p place, file *openedFile, ok bool) {
	rest, rooted := strings.CutPrefix(name, "/")
	if !rooted || rest == "" || strings.Contains(name, "//") || strings.Contains(name, "/.") {
		return p, nil, false
	}
	flags := uint64(unix.O_PATH)
	if open {
		flags = unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOCTTY
	}
	fd, err := unix.Openat2(root, rest, &unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS})
	if err != nil {
		return p, nil, false
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		_ = unix.Close(fd)
		return p, nil, false
	}
	slash := strings.LastIndexByte(name, '/')
	p = place{what: kindOf(&st), dir: name[:slash], base: name[slash+1:], id: idOf(&st)}
	if open && p.what == isFile {
		return p, newOpenedFile(fd, &st), true
	}
	if p.what == isFolder && p.base != "" {
		p.dir = name
	}
	_ = unix.Close(fd)
	return p, nil, p.what != isOther
}

// rootFolder is the root of the file system, opened once.
var rootFolder = sync.OnceValues(func() (int, error) {
	return openAt(unix.AT_FDCWD, "/", unix.O_PATH|unix.O_DIRECTORY)
})

// judge says what an error of the way means.
func judge(err error) (finding, string) {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return isNothing, ""
	case errors.Is(err, unix.EACCES):
		return isRefused, "AH00035: access denied because search permissions are missing on a component of the path"
	}
	return isRefused, "AH00036: access failed"
}

// entry is an element of a folder.
type entry struct {
	fd   int // opened by O_PATH
	what finding
	id   fileID
	name string // by which it is opened again; of a link, where that points to
	link bool
}

// enter looks an element up. A link is read and followed by what was read:
// whatever takes its place meanwhile plays no part.
func enter(at int, element string, options func() httpdconf.OptionFlags) (entry, error) {
	fd, err := openAt(at, element, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return entry{}, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		_ = unix.Close(fd)
		return entry{}, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return newEntry(fd, &st, element, false), nil
	}
	defer unix.Close(fd)
	may := options()
	if may&(httpdconf.OptFollowSymLinks|httpdconf.OptSymLinksIfOwnerMatch) == 0 {
		return entry{}, errLink
	}
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", buf)
	if err != nil {
		return entry{}, errLink
	}
	target := string(buf[:n])
	targetFD, err := openAt(at, target, unix.O_PATH)
	if err != nil {
		return entry{}, errLink
	}
	owner := st.Uid
	err = unix.Fstat(targetFD, &st)
	if err != nil || may&httpdconf.OptFollowSymLinks == 0 && st.Uid != owner {
		_ = unix.Close(targetFD)
		return entry{}, errLink
	}
	return newEntry(targetFD, &st, target, true), nil
}

func newEntry(fd int, st *unix.Stat_t, name string, link bool) entry {
	return entry{fd: fd, what: kindOf(st), id: idOf(st), name: name, link: link}
}

func kindOf(st *unix.Stat_t) finding {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return isFolder
	case unix.S_IFREG:
		return isFile
	}
	return isOther
}

func idOf(st *unix.Stat_t) fileID { return fileID{uint64(st.Dev), st.Ino} }

// openFound opens a file that was looked up, and no other: what took its place
// is nothing.
func openFound(p place, at int, e *entry) (place, *openedFile) {
	flags := unix.O_RDONLY | unix.O_NONBLOCK
	if !e.link {
		flags |= unix.O_NOFOLLOW
	}
	fd, err := openAt(at, e.name, flags)
	if err != nil {
		p.what, p.why, p.err = isRefused, "AH00132: file permissions deny server access", err
		return p, nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || newEntry(fd, &st, "", false).id != e.id {
		_ = unix.Close(fd)
		p.what = isNothing
		return p, nil
	}
	return p, newOpenedFile(fd, &st)
}

// openAt is openat, again after a signal.
func openAt(at int, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(at, name, flags|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
