package ws

import (
	"strings"
	"testing"
)

func TestCloseAnswer(t *testing.T) {
	type codes struct{ from, to int }
	tests := []struct {
		name     string
		codes    codes
		answer   CloseCode // 0 stands for the code itself
		reserved CloseCode // the same with allowReserved
	}{
		{"codes below 1000 are no codes", codes{0, 999}, 1002, 1002},
		{"1000 to 1003 are echoed", codes{1000, 1003}, 0, 0},
		{"1004 is reserved", codes{1004, 1004}, 1002, 0},
		{"1005 and 1006 are never sent", codes{1005, 1006}, 1002, 1002},
		{"1007 to 1013 are echoed", codes{1007, 1013}, 0, 0},
		{"1014 is reserved", codes{1014, 1014}, 1002, 0},
		{"1015 is never sent", codes{1015, 1015}, 1002, 1002},
		{"1016 to 2999 are reserved", codes{1016, 2999}, 1002, 0},
		{"3000 to 4999 are echoed", codes{3000, 4999}, 0, 0},
		{"codes from 5000 on are no codes", codes{5000, 65535}, 1002, 1002},
	}
	next := 0
	for _, test := range tests {
		if test.codes.from != next {
			t.Fatalf("the table leaves out %d", next)
		}
		next = test.codes.to + 1
		t.Run(test.name, func(t *testing.T) {
			for code := test.codes.from; code <= test.codes.to; code++ {
				for _, allow := range []bool{false, true} {
					answer := test.answer
					if allow {
						answer = test.reserved
					}
					// The reason is looked at only where the code is good.
					badReason := answer
					if answer == 0 {
						answer, badReason = CloseCode(code), 1007
					}
					for reason, want := range map[string]CloseCode{"": answer, "bye, é": answer, "\xff": badReason, "caf\xc3": badReason} {
						payload := append([]byte{byte(code >> 8), byte(code)}, reason...)
						if got := CloseAnswer(payload, allow); got != want {
							t.Fatalf("CloseAnswer(%x, %v) = %d, want %d", payload, allow, got, want)
						}
					}
				}
			}
		})
	}
	if next != 65536 {
		t.Errorf("the table ends before %d", next)
	}
}

func TestCloseAnswerWithoutCode(t *testing.T) {
	for _, allow := range []bool{false, true} {
		if got := CloseAnswer(nil, allow); got != NormalClosure {
			t.Errorf("CloseAnswer(nil, %v) = %v, want 1000", allow, got)
		}
		if got := CloseAnswer([]byte{3}, allow); got != ProtocolError {
			t.Errorf("CloseAnswer of one byte, %v = %v, want 1002", allow, got)
		}
	}
}

func TestCloseCodeFor(t *testing.T) {
	for _, test := range []struct {
		code CloseCode
		old  CloseCode // in versions 8 and 7
	}{
		{1000, 1000}, {1001, 1001}, {1002, 1002}, {1003, 1003}, {1007, 1007}, {1008, 1008},
		{1009, 1004}, {1011, 1001}, {1012, 1001}, {0, 0}, {4000, 4000},
	} {
		for v, want := range map[Version]CloseCode{0: test.code, 13: test.code, 8: test.old, 7: test.old} {
			if got := test.code.For(v); got != want {
				t.Errorf("CloseCode(%d).For(%d) = %d, want %d", test.code, v, got, want)
			}
		}
	}
}

func TestCloseCodeString(t *testing.T) {
	for code, want := range map[CloseCode]string{
		0: "0", 1000: "1000 normal closure", 1002: "1002 protocol error", 1004: "1004 too large",
		1007: "1007 invalid payload", 1009: "1009 too large", 1011: "1011 internal error", 1016: "1016", 4999: "4999",
	} {
		if got := code.String(); got != want {
			t.Errorf("CloseCode(%d) = %q, want %q", uint16(code), got, want)
		}
	}
	for code := NormalClosure; code <= TLSHandshake; code++ {
		if !strings.Contains(code.String(), " ") {
			t.Errorf("CloseCode(%d) = %q says nothing", uint16(code), code)
		}
	}
}
