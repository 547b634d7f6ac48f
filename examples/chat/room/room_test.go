package room

import (
	"strings"
	"testing"
)

func TestRoom(t *testing.T) {
	r := New()
	told := make(map[string][]string)
	enter := func(name string) bool {
		return r.Enter(name, func(m []byte) { told[name] = append(told[name], string(m)) })
	}
	if !enter("Ann") || !enter("Bob") {
		t.Fatal("a good name is declined")
	}
	for _, name := range []string{"", "Ann", "a\nb", "\xff", strings.Repeat("x", 33)} {
		if enter(name) {
			t.Errorf("%q is let in", name)
		}
	}
	r.Say("Bob", `"<b>`)
	r.Say("Bob", "")
	r.Leave("Ann")
	r.Say("Bob", "alone")
	want := `{"came":"Ann","here":["Ann"]}` + "\n" + `{"came":"Bob","here":["Ann","Bob"]}` + "\n" +
		`{"from":"Bob","text":"\"\u003cb\u003e"}` + "\n" + `{"from":"Bob","text":""}`
	if got := strings.Join(told["Ann"], "\n"); got != want {
		t.Errorf("Ann was told\n%s\nwant\n%s", got, want)
	}
	if got, want := strings.Join(told["Bob"][3:], "\n"), `{"went":"Ann","here":["Bob"]}`+"\n"+`{"from":"Bob","text":"alone"}`; got != want {
		t.Errorf("Bob was told\n%s\nwant\n%s", got, want)
	}
}
