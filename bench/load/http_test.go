package load

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// serveFile serves the file at /file and returns the server's address.
func serveFile(t *testing.T, file []byte) string {
	t.Helper()
	files := http.NewServeMux()
	files.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "file", time.Time{}, bytes.NewReader(file))
	})
	s := httptest.NewServer(files)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// asking are the loads that ask for a file.
var asking = map[string]func(Options) (*Result, error){"kept alive": Echo, "one each": Connect}

func TestHTTP(t *testing.T) {
	for _, size := range []int{1, 900, 100_000} {
		addr := serveFile(t, File(size))
		for name, load := range asking {
			o := short(addr)
			o.Protocol, o.Size, o.Path = HTTP, size, "/file"
			if r, err := load(o); err != nil || r.Messages == 0 {
				t.Errorf("%s, %d bytes: result %+v, error %v", name, size, r, err)
			}
		}
	}
}

func TestHTTPWrongAnswer(t *testing.T) {
	good := File(900)
	bad := slices.Clone(good)
	bad[899]++
	for name, tt := range map[string]struct {
		file       []byte
		path, want string
	}{
		"content": {bad, "/file", "byte 899 "},
		"length":  {good[1:], "/file", "no Content-Length of 900"},
		"status":  {good, "/other", "404"},
	} {
		for mode, load := range asking {
			o := short(serveFile(t, tt.file))
			o.Protocol, o.Size, o.Path = HTTP, 900, tt.path
			if r, err := load(o); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s, %s: result %+v, error %v, want %q", mode, name, r, err, tt.want)
			}
		}
	}
}
