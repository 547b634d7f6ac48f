package apxs

import (
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

// TestTwoGenerationsInOneProcess: of a module with packages of its own.
func TestTwoGenerationsInOneProcess(t *testing.T) {
	dir, where := folder(t, inModule(`"1"`)), address(t)
	want(t, dir, 0, "built one.so", "build-plugin", "--unique", "-o", "one.so", ".")
	put(t, dir, inModule(`"2"`))
	want(t, dir, 0, "built two.so", "build-plugin", "--unique", "-o", "two.so", ".")
	want(t, dir, 0, "built plain.so", "build-plugin", "-o", "plain.so", ".")
	put(t, dir, map[string]string{"httpd.conf": base(where, location("/one", "one.so")+location("/two", "two.so")+location("/plain", "plain.so"))})
	serve(t, dir, where, "-X")
	answers(t, dial(t, where, "/one"), "1x")
	answers(t, dial(t, where, "/two"), "2x")
	answers(t, dial(t, where, "/plain"), "2x")

	// Without it the second is refused, and the remedy named.
	put(t, dir, inModule(`"3"`))
	want(t, dir, 0, "built plain3.so", "build-plugin", "-o", "plain3.so", ".")
	put(t, dir, map[string]string{"both.conf": base(where, location("/plain", "plain.so")+location("/three", "plain3.so"))})
	want(t, dir, 1, "package path example.com/told/v2 is already loaded from "+dir+"/plain.so", "-t", "-d", dir, "-f", "both.conf")
}

// TestRebuiltPluginIsTakenByAGracefulRestart, in Go and in C: who is connected
// stays with the old code, who comes gets the new one.
func TestRebuiltPluginIsTakenByAGracefulRestart(t *testing.T) {
	for name, source := range map[string]func(prefix string) map[string]string{
		"Go": func(prefix string) map[string]string { return inModule(`"` + prefix + `"`) },
		"C":  func(prefix string) map[string]string { return map[string]string{"tell.c": cPlugin(prefix)} },
	} {
		t.Run(name, func(t *testing.T) {
			dir, where := folder(t, source("1")), address(t)
			put(t, dir, map[string]string{"httpd.conf": base(where, location("/tell", "x.so"))})
			want(t, dir, 0, "built x.so", "build-plugin", "-o", "x.so", ".")
			master := serve(t, dir, where, "-DFOREGROUND")
			old := dial(t, where, "/tell")
			answers(t, old, "1x")
			put(t, dir, source("2"))
			want(t, dir, 0, "built x.so", "build-plugin", "-o", "x.so", ".")
			answers(t, old, "1x")
			if err := master.Signal(syscall.SIGUSR1); err != nil {
				t.Fatal(err)
			}
			for until := time.Now().Add(20 * time.Second); ; {
				c := dial(t, where, "/tell")
				got := ask(t, c)
				_ = c.WriteMessage(websocket.CloseMessage, nil) // the old worker may end
				if got == "2x" {
					break
				}
				if got != "1x" || time.Now().After(until) {
					t.Fatalf("after the restart the plugin answers %q", got)
				}
				time.Sleep(20 * time.Millisecond)
			}
			answers(t, old, "1x")
			old.Close()
		})
	}
}
