package draft76

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// The examples of hixie-76, sections 1.2, 1.3 and 5.2.
var examples = []struct{ section, key1, key2, key3, answer string }{
	{"1.2", "4 @1  46546xW%0l 1 5", "12998 5 Y3 1  .P00", "^n:ds[4U", "8jKS'y:G*Co,Wxa-"},
	{"1.3", "18x 6]8vM;54 *(5:  {   U1]8  z [  8", "1_ tx7X d  <  nw  334J702) 7]o}` 0", "Tm[K T2u", "fQJ,fN/4F4!~K~MH"},
	{"5.2", "3e6b263  4 17 80", "17  9 G`ZD9   2 2b 7X 3 /r90", "WjN}|M(6", "n`9eBk9z$R8pOtVb"},
}

func TestTheDraftsOwnExamplesGetTheirAnswers(t *testing.T) {
	for _, e := range examples {
		t.Run(e.section, func(t *testing.T) {
			h, refusal := CheckRequest(&Request{Method: "GET", HTTP11: true, Key1: []string{e.key1}, Key2: []string{e.key2}})
			if refusal != nil {
				t.Fatal(refusal)
			}
			if got := h.Answer([8]byte([]byte(e.key3))); string(got[:]) != e.answer {
				t.Errorf("Answer = %q, want %q", got, e.answer)
			}
		})
	}
}

func TestFirstExampleHasTheChallengeOfTheDraft(t *testing.T) {
	h, refusal := CheckRequest(&Request{Method: "GET", HTTP11: true,
		Key1: []string{examples[0].key1}, Key2: []string{examples[0].key2}})
	if refusal != nil || h.Part1 != 829309203 || h.Part2 != 259970620 {
		t.Errorf("parts %d, %d, %v, want 829309203 and 259970620", h.Part1, h.Part2, refusal)
	}
}

// good returns a request that passes, of either draft.
func good(draft75 bool) *Request {
	if draft75 {
		return &Request{Draft75: true, Method: "GET", HTTP11: true}
	}
	return &Request{Method: "GET", HTTP11: true, Key1: []string{examples[0].key1}, Key2: []string{examples[0].key2}}
}

func TestRequestsAreJudged(t *testing.T) {
	key := func(s string) func(*Request) { return func(r *Request) { r.Key2 = []string{s} } }
	length := func(s ...string) func(*Request) { return func(r *Request) { r.ContentLength = s } }
	tests := []struct {
		name      string
		change    func(*Request)
		in76      bool
		in75      bool
		substring string
	}{
		{"nothing wrong", func(*Request) {}, true, true, ""},
		{"HEAD is refused", func(r *Request) { r.Method = "HEAD" }, false, false, "GET"},
		{"HTTP/1.0 is refused", func(r *Request) { r.HTTP11 = false }, false, false, "HTTP/1.1"},
		{"a chunked body is refused", func(r *Request) { r.TransferEncoding = []string{"chunked"} }, false, false, "body"},
		{"a body of 8 bytes is key 3", length("8"), true, false, "body"},
		{"a body of 0 bytes is none in 75", length("0"), false, true, "body"},
		{"a body of 9 bytes is refused", length("9"), false, false, "body"},
		{"two lengths are refused", length("8", "8"), false, false, "body"},
		{"two Key1 lines are refused", func(r *Request) { r.Key1 = append(r.Key1, "1 ") }, false, true, "one line"},
		{"no Key2 line is refused", func(r *Request) { r.Key2 = nil }, false, true, "one line"},
		{"a key without digits is the number 0", key("a b"), true, true, ""},
		{"a key without spaces is refused", key("1299853100"), false, true, "no space"},
		{"a tab is no space", key("12\t"), false, true, "no space"},
		{"a remainder is refused", key("7 7 "), false, true, "multiple"},
		{"the largest number is 32 bits of ones", key("4294967295 "), true, true, ""},
		{"one more is refused", key("4294967296 "), false, true, "32 bits"},
		{"a number that would wrap 64 bits is refused", key("18446744073709551616 "), false, true, "32 bits"},
		{"a number beyond any size is refused", key(strings.Repeat("9", 8000) + " "), false, true, "32 bits"},
		{"a subprotocol list with a tab is refused", func(r *Request) { r.Protocol = []string{"a\tb"} }, false, false, "subprotocols"},
		{"a subprotocol list beyond ASCII is refused", func(r *Request) { r.Protocol = []string{"\x7f"} }, false, false, "subprotocols"},
	}
	for _, test := range tests {
		for _, draft75 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, 75 %v", test.name, draft75), func(t *testing.T) {
				r := good(draft75)
				test.change(r)
				want := test.in76
				if draft75 {
					want = test.in75
					r.Key1, r.Key2 = nil, nil
				}
				_, refusal := CheckRequest(r)
				if (refusal == nil) != want {
					t.Fatalf("CheckRequest(%+v) = %v", r, refusal)
				}
				if refusal != nil && (refusal.Status != 400 || !strings.Contains(refusal.Reason, test.substring)) {
					t.Errorf("refused with %d, %q, want 400 and %q", refusal.Status, refusal.Reason, test.substring)
				}
			})
		}
	}
}

func TestSubprotocolsAreSeparatedBySpacesOnly(t *testing.T) {
	r := good(true)
	r.Protocol = []string{"  chat a,b  chat"}
	h, refusal := CheckRequest(r)
	if want := []string{"chat", "a,b", "chat"}; refusal != nil || !reflect.DeepEqual(h.Protocols, want) {
		t.Errorf("Protocols = %q, %v, want %q", h.Protocols, refusal, want)
	}
}

func TestHeadsAreTheDraftsByteForByte(t *testing.T) {
	location := Location(false, "Example.COM:80", "/a%20b?x=1")
	tests := map[string]struct {
		response Response
		want     string
	}{
		"76": {Response{Location: "ws://example.com/demo", Origin: "http://example.com", HasOrigin: true, Protocol: "sample",
			Fields: []Field{{"X-Set-By-Plugin", "value"}}},
			"HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
				"Sec-WebSocket-Location: ws://example.com/demo\r\nSec-WebSocket-Origin: http://example.com\r\n" +
				"Sec-WebSocket-Protocol: sample\r\nX-Set-By-Plugin: value\r\n\r\n"},
		"75": {Response{Draft75: true, Location: location, Origin: "http://example.com", HasOrigin: true, Protocol: "sample"},
			"HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
				"WebSocket-Location: ws://Example.COM:80/a%20b?x=1\r\nWebSocket-Origin: http://example.com\r\n" +
				"WebSocket-Protocol: sample\r\n\r\n"},
		"an empty origin is one": {Response{Location: "wss://h/", HasOrigin: true},
			"HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
				"Sec-WebSocket-Location: wss://h/\r\nSec-WebSocket-Origin: \r\n\r\n"},
		"nothing but the location": {Response{Location: Location(true, "h", "/")},
			"HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
				"Sec-WebSocket-Location: wss://h/\r\n\r\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := string(AppendResponse(nil, &test.response)); got != test.want {
				t.Errorf("AppendResponse =\n%q, want\n%q", got, test.want)
			}
		})
	}
}

func TestWhatCanBeAnsweredAsSubprotocol(t *testing.T) {
	for s, want := range map[string]bool{"chat": true, "a,b/c": true, "~!": true, "": false, "a b": false, "a\n": false, "\xff": false} {
		if got := IsProtocol(s); got != want {
			t.Errorf("IsProtocol(%q) = %v, want %v", s, got, want)
		}
	}
}

func FuzzKey(f *testing.F) {
	for _, e := range examples {
		f.Add(e.key1)
		f.Add(e.key2)
	}
	f.Add("4294967296 ")
	f.Fuzz(func(t *testing.T, key string) {
		got, refusal := part([]string{key})
		want, ok := naivePart(key)
		if (refusal == nil) != ok || ok && got != want {
			t.Errorf("part(%q) = %d, %v, want %d, %v", key, got, refusal, want, ok)
		}
	})
}

// naivePart is section 5.2, steps 4 to 7, word by word: the digits, without
// leading zeros, are compared as text, so that nothing can wrap.
func naivePart(key string) (uint32, bool) {
	digits := strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, key)
	digits = strings.TrimLeft(digits, "0")
	spaces := uint64(strings.Count(key, " "))
	const most = "4294967295"
	if len(digits) > len(most) || len(digits) == len(most) && digits > most || spaces == 0 {
		return 0, false
	}
	var number uint64
	for _, c := range digits {
		number = number*10 + uint64(c-'0')
	}
	return uint32(number / spaces), number%spaces == 0
}
