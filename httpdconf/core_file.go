package httpdconf

import (
	"fmt"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// ETagParts are what an ETag is made of; none of them, no ETag.
type ETagParts int

// The parts, in the order in which they stand in an ETag.
const (
	ETagINode ETagParts = 1 << iota
	ETagSize
	ETagMTime
)

// defaultETag holds where no FileETag stands (httpd 2.4 include/http_core.h,
// ETAG_BACKWARD).
const defaultETag = ETagMTime | ETagSize

// ETagSet is FileETag: parts, or changes of those that hold around it.
type ETagSet struct {
	Parts       ETagParts // of the absolute form
	Add, Remove ETagParts
	IsAbsolute  bool
}

// With returns the set that holds where over stands within s (httpd 2.4
// server/core.c, merge_core_dir_configs). Either may be nil.
func (s *ETagSet) With(over *ETagSet) *ETagSet {
	if s == nil || over == nil || over.IsAbsolute {
		return replace(s, over)
	}
	return &ETagSet{
		Parts: s.Parts, IsAbsolute: s.IsAbsolute,
		Add: s.Add&^over.Remove | over.Add, Remove: s.Remove&^over.Add | over.Remove,
	}
}

// Of returns the parts that hold; the set may be nil.
func (s *ETagSet) Of() ETagParts {
	switch {
	case s == nil:
		return defaultETag
	case s.IsAbsolute:
		return s.Parts&^s.Remove | s.Add
	}
	return defaultETag&^s.Remove | s.Add
}

// fileCommands are the rows of the core that say how files are sent.
func fileCommands() map[string]command {
	row := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"core.c", set, effect}
	}
	return map[string]command{
		"AcceptPathInfo":    row("`On`: a file answers also for what stands behind its name", (*walk).setAcceptPathInfo),
		"AddDefaultCharset": row("the charset of text/plain and text/html that have none", (*walk).setAddDefaultCharset),
		"FileETag":          row("what an ETag is made of; `Digest` is taken for the default", (*walk).setFileETag),
		"ForceType":         row("media type of all files; those of a type that names a handler, as `application/x-httpd-php`, are answered 501", (*walk).setForceType),
	}
}

func (w *walk) setAcceptPathInfo(_ *syntax.Node, words []syntax.Arg) *problem {
	on := strings.EqualFold(words[0].Text, "on")
	if !on && !strings.EqualFold(words[0].Text, "off") && !strings.EqualFold(words[0].Text, "default") {
		return &problem{text: "AcceptPathInfo must be set to on, off or default", at: words[0].Range}
	}
	w.core().PathInfo = &on // files take none by default
	return nil
}

// setAddDefaultCharset is httpd 2.4 server/core.c, set_add_default_charset.
func (w *walk) setAddDefaultCharset(_ *syntax.Node, words []syntax.Arg) *problem {
	charset := words[0].Text
	switch strings.ToLower(charset) {
	case "off":
		charset = ""
	case "on":
		charset = "iso-8859-1"
	}
	w.core().DefaultCharset = &charset
	return nil
}

// eTagNames are the words of FileETag with a part behind them. It is constant.
var eTagNames = map[string]ETagParts{"inode": ETagINode, "mtime": ETagMTime, "size": ETagSize}

// setFileETag is httpd 2.4 server/core.c, set_etag_bits.
func (w *walk) setFileETag(n *syntax.Node, _ []syntax.Arg) *problem {
	set := &ETagSet{}
	for _, a := range n.Words() {
		name, sign := strings.ToLower(a.Text), byte(0)
		if name != "" && (name[0] == '+' || name[0] == '-') {
			sign, name = name[0], name[1:]
		}
		part, isPart := eTagNames[name]
		isWhole := name == "none" || name == "all"
		switch {
		case isWhole && sign != 0:
			return &problem{text: fmt.Sprintf("FileETag keyword '%s' cannot be used with '+' or '-'", a.Text[1:]), at: a.Range}
		case name == "digest":
			part = defaultETag
		case !isPart && !isWhole:
			return &problem{text: fmt.Sprintf("Unknown keyword '%s' for FileETag directive", a.Text[len(a.Text)-len(name):]), at: a.Range}
		}
		set.take(name, part, sign)
	}
	w.core().ETag = set
	return nil
}

// take adds a word to the set.
func (s *ETagSet) take(name string, part ETagParts, sign byte) {
	switch {
	case sign == '+':
		s.Add, s.Remove = s.Add|part, s.Remove&^part
	case sign == '-':
		s.Add, s.Remove = s.Add&^part, s.Remove|part
	case name == "none":
		*s = ETagSet{IsAbsolute: true}
	case name == "all":
		*s = ETagSet{IsAbsolute: true, Parts: ETagINode | ETagSize | ETagMTime}
	default:
		*s = ETagSet{IsAbsolute: true, Parts: s.Parts | part}
	}
}

// setForceType takes a type that names a handler for that handler, where no
// SetHandler of the section names one: files of that kind must not be sent.
// SetHandler None leaves the choice to the type (httpd 2.4 server/core.c,
// core_override_type).
func (w *walk) setForceType(n *syntax.Node, words []syntax.Arg) *problem {
	c, mediaType := w.core(), words[0].Text
	c.ForcedType = &mediaType
	if !isHandlerType(mediaType) {
		return nil
	}
	if c.Handler == nil || *c.Handler == "none" {
		handler := strings.ToLower(mediaType)
		c.Handler, c.HandlerRange = &handler, n.Range()
	}
	w.fail(difference(n, words[0].Range, LevelError, "core",
		fmt.Sprintf("ForceType %s: wshttpd does not have this handler, what it governs is answered 501", mediaType), ""))
	return nil
}

// mergeFile merges what this file sets.
func (c *CoreDir) mergeFile(over *CoreDir) {
	c.PathInfo = replace(c.PathInfo, over.PathInfo)
	c.DefaultCharset = replace(c.DefaultCharset, over.DefaultCharset)
	c.ETag = c.ETag.With(over.ETag)
	c.ForcedType = replace(c.ForcedType, over.ForcedType)
}
