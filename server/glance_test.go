package server

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// looksLikeFollow has names looked at by a glance and by a walk.
func looksLikeFollow(t *testing.T, g *glance, names ...string) (glances int) {
	t.Helper()
	for _, name := range names {
		walked, _ := follow(name, always(httpdconf.OptFollowSymLinks), false)
		if walked.what == isNothing {
			walked.id = fileID{} // of the folder on the way
		}
		found, ok := g.missing(name, false)
		switch {
		case ok && found != walked:
			t.Errorf("%s: glance %+v, walk %+v", name, found, walked)
		case ok:
			glances++
		default:
			g.learn(&walked)
		}
	}
	return glances
}

func TestGlanceFindsWhatAWalkFinds(t *testing.T) {
	root := tree(t, "docs/f", "docs/sub/", "docs/dangling -> nowhere", "docs/link -> sub")
	g := newGlance(&httpdconf.Host{})
	docs := root + "/docs"
	names := []string{
		docs + "/ws", docs + "/ws", docs + "/ws/a/b", docs + "/ws/", docs + "/other", docs + "/f", docs + "/f/x", docs + "/sub", docs + "/sub/ws",
		docs + "/sub/ws", docs + "/dangling", docs + "/link/ws", docs + "/", docs, root + "/none", docs + "/ws", "/",
	}
	if n := looksLikeFollow(t, g, append(names, names...)...); n < 8 {
		t.Errorf("%d names were told by one look, want more", n)
	}

	// What appears is seen at once, unless the request is an upgrade.
	late, _ := follow(docs+"/late", always(httpdconf.OptFollowSymLinks), false)
	g.learn(&late)
	if err := os.WriteFile(filepath.Join(docs, "late"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := g.missing(docs+"/late", false); ok {
		t.Error("a file that has appeared was overlooked")
	}
	if p, ok := g.missing(docs+"/late", true); !ok || p.base != "late" {
		t.Errorf("with trust: %+v, %v, want what was so lately", p, ok)
	}
	g.last.Load().until = time.Now().Add(-time.Millisecond)
	if _, ok := g.missing(docs+"/late", true); ok {
		t.Error("what was so a while ago was trusted")
	}
}

func TestGlanceIsNotForHostsThatForbidLinks(t *testing.T) {
	none := &httpdconf.CoreDir{Options: &httpdconf.OptionSet{Absolute: true}}
	for what, h := range map[string]*httpdconf.Host{
		"host":    {Base: httpdconf.Records{Core: none}},
		"section": {Directories: []*httpdconf.Section{{Pattern: "/srv", Records: httpdconf.Records{Core: none}}}},
	} {
		g := newGlance(h)
		g.learn(&place{what: isNothing, dir: "/srv", base: "x"})
		if _, ok := g.missing("/srv/x", true); ok {
			t.Errorf("links forbidden in the %s: a name was told by one look", what)
		}
	}
}
