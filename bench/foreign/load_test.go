package foreign

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

// serve answers messages by answer and returns the server's URL.
func serve(t *testing.T, answer func([]byte) []byte) string {
	t.Helper()
	upgrader := websocket.Upgrader{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			kind, p, err := c.ReadMessage()
			if err != nil || c.WriteMessage(kind, answer(p)) != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return "ws" + strings.TrimPrefix(s.URL, "http")
}

func TestEchoIsCounted(t *testing.T) {
	url := serve(t, func(p []byte) []byte { return p })
	for _, text := range []bool{false, true} {
		l := &Load{URL: url, Connections: 3, Size: 100, Pipeline: 4, Time: 50 * time.Millisecond, Text: text, PID: os.Getpid()}
		r, err := l.Run()
		if err != nil {
			t.Fatal(err)
		}
		if r.Messages < 12 || r.Messages%4 != 0 || r.PerSecond <= 0 || r.LatencyP50 <= 0 || r.LatencyP99 < r.LatencyP50 || r.ServerCPU <= 0 {
			t.Errorf("result %+v", r)
		}
		if r.SlowestToFastest <= 0 || r.SlowestToFastest > 1 {
			t.Errorf("slowest to fastest = %v", r.SlowestToFastest)
		}
	}
}

func TestWrongEchoIsAnError(t *testing.T) {
	url := serve(t, func(p []byte) []byte { return append(p[:len(p)-1], '!') })
	l := &Load{URL: url, Connections: 1, Size: 10, Pipeline: 1, Time: time.Second}
	if r, err := l.Run(); err == nil {
		t.Errorf("a changed echo counts: %+v", r)
	}
}

func TestServerThatIsNotThereIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "ws://" + l.Addr().String()
	l.Close()
	if _, err := (&Load{URL: url, Connections: 1, Pipeline: 1}).Run(); err == nil {
		t.Error("no error")
	}
}
