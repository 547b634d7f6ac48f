package expr

import (
	"strings"
	"testing"
)

// FuzzParse: nothing panics; a condition in parentheses is taken if and only
// if it is taken alone, and so is its negation, which then says the opposite.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"errors.txt", "valid.txt", "conditions.txt"} {
		for _, line := range lines(f, name) {
			f.Add(strings.TrimPrefix(line, "S:"))
		}
	}
	for _, line := range lines(f, "strings.txt") {
		f.Add(line)
	}
	for _, line := range lines(f, "regexps.txt") {
		_, re, _ := strings.Cut(line, "ed: ")
		f.Add("'ab' =~ m%" + re + "%")
	}
	env := example()
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 4096 {
			return
		}
		if e, err := ParseString(s); err == nil {
			e.String(env)
		}
		e, err := Parse(s)
		wrapped, wrappedErr := Parse("!(" + s + "\n)")
		if (err == nil) != (wrappedErr == nil) && balanced(s) {
			t.Fatalf("%q: %v, in parentheses %v", s, err, wrappedErr)
		}
		if err != nil || wrappedErr != nil {
			return
		}
		got, err := e.Bool(env)
		opposite, wrappedErr := wrapped.Bool(env)
		if err == nil && wrappedErr == nil && got == opposite {
			t.Fatalf("%q = %v, and so is its negation", s, got)
		}
	})
}

// balanced leaves out what parentheses around it would close or open, or what
// a regular expression without end would swallow.
func balanced(s string) bool { return !strings.ContainsAny(s, "()/m") }
