package server

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTextMapIsReadAgain: a file of RewriteMap is read once, and again where it
// has changed; one that is not there any more has no values.
func TestTextMapIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map")
	var maps textMaps
	expect := func(want string) {
		t.Helper()
		values, err := maps.of(path)
		if got := values["key"]; err != nil || got != want {
			t.Errorf("the value is %q, %v; want %q", got, err, want)
		}
	}
	put := func(text string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now().Truncate(time.Second)
	put("key one\n", now)
	expect("one")
	put("key two\n", now)
	expect("one") // nothing tells that it has changed
	put("key two\n", now.Add(time.Second))
	expect("two")
	put("key three\n", now.Add(time.Second))
	expect("three")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := maps.of(path); err == nil {
		t.Error("a file that is not there has values")
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, maxMapSize+1); err != nil {
		t.Fatal(err)
	}
	if _, err := maps.of(path); err == nil {
		t.Error("a file without end is read")
	}
}
