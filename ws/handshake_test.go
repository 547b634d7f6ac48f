package ws

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const sampleKey = "dGhlIHNhbXBsZSBub25jZQ==" // RFC 6455, section 1.3

func TestIsUpgrade(t *testing.T) {
	one := func(s string) []string { return []string{s} }
	tests := []struct {
		name                string
		upgrade, connection []string
		want                bool
	}{
		{"plain", one("websocket"), one("Upgrade"), true},
		{"any case", one("WebSocket"), one("UPGRADE"), true},
		{"behind keep-alive", one("websocket"), one("keep-alive, Upgrade"), true},
		{"before a final comma", one("websocket"), one("close, Upgrade,"), true},
		{"behind and before parameters", one("websocket"), one("x;a=b, upgrade;q=1"), true},
		{"before another word", one("websocket"), one("Upgrade x"), true},
		{"no space behind the comma", one("websocket"), one("keep-alive,Upgrade"), true},
		{"tabs", one("websocket"), one("\tkeep-alive\t,\tUpgrade\t"), true},
		{"over two lines", one("websocket"), []string{"keep-alive", "upgrade"}, true},
		{"comma in a quoted parameter", one("websocket"), one(`x;a="b, c;", upgrade`), true},
		{"white space around a parameter", one("websocket"), one("x ; a=b ; c=d , upgrade"), true},
		{"parameter without a name", one("websocket"), one("x;, upgrade"), true},

		{"no Upgrade header", nil, one("Upgrade"), false},
		{"another protocol", one("h2c"), one("Upgrade"), false},
		{"a list of protocols", one("websocket, h2c"), one("Upgrade"), false},
		{"two Upgrade lines", []string{"websocket", "websocket"}, one("Upgrade"), false},
		{"protocol with a version", one("websocket/13"), one("Upgrade"), false},
		{"letter that only Unicode folds to s", one("web\u017focket"), one("Upgrade"), false},
		{"no Connection header", one("websocket"), nil, false},
		{"empty Connection header", one("websocket"), one(""), false},
		{"empty element first", one("websocket"), one(", Upgrade"), false},
		{"empty element before", one("websocket"), one("close,, Upgrade"), false},
		{"no comma before", one("websocket"), one("keep-alive Upgrade"), false},
		{"longer word", one("websocket"), one("upgraded"), false},
		{"shorter word", one("websocket"), one("upgrad"), false},
		{"inside a quoted string", one("websocket"), one(`x;a=", upgrade`), false},
		{"as a parameter", one("websocket"), one("x;upgrade"), false},
		{"word behind a parameter", one("websocket"), one("x;a=b c, upgrade"), false},
		{"empty first line", one("websocket"), []string{"", "upgrade"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := IsUpgrade(test.upgrade, test.connection); got != test.want {
				t.Errorf("IsUpgrade(%q, %q) = %v, want %v", test.upgrade, test.connection, got, test.want)
			}
		})
	}
}

// goodRequest returns a request that nothing is wrong with.
func goodRequest() *Request {
	return &Request{Method: "GET", HTTP11: true, Version: []string{"13"}, Key: []string{sampleKey}}
}

func TestCheckRequestAccepts(t *testing.T) {
	tests := []struct {
		name   string
		change func(r *Request)
		want   Handshake
	}{
		{"version 13", func(r *Request) {}, Handshake{Version: 13, Key: sampleKey}},
		{"version 8", func(r *Request) { r.Version = []string{"8"} }, Handshake{Version: 8, Key: sampleKey}},
		{"version 7", func(r *Request) { r.Version = []string{"7"} }, Handshake{Version: 7, Key: sampleKey}},
		{"version 8 with a key of 20 characters", func(r *Request) { r.Version, r.Key = []string{"8"}, []string{"x3JJHMbDL1EzLkh9GBhX"} },
			Handshake{Version: 8, Key: "x3JJHMbDL1EzLkh9GBhX"}},
		{"version 7 with one equals sign", func(r *Request) { r.Version, r.Key = []string{"7"}, []string{"a/+="} }, Handshake{Version: 7, Key: "a/+="}},
		{"one subprotocol", func(r *Request) { r.Protocol = []string{"chat"} }, Handshake{13, sampleKey, []string{"chat"}}},
		{"subprotocols keep order and duplicates", func(r *Request) { r.Protocol = []string{"b, a,b"} }, Handshake{13, sampleKey, []string{"b", "a", "b"}}},
		{"subprotocols of two lines", func(r *Request) { r.Protocol = []string{"a", "b,c"} }, Handshake{13, sampleKey, []string{"a", "b", "c"}}},
		{"empty elements are skipped", func(r *Request) { r.Protocol = []string{",, a ,\t,b\t,"} }, Handshake{13, sampleKey, []string{"a", "b"}}},
		{"an empty line among others", func(r *Request) { r.Protocol = []string{"", "a"} }, Handshake{13, sampleKey, []string{"a"}}},
		{"every byte of a token", func(r *Request) { r.Protocol = []string{"!#$%&'*+-.^_`|~09azAZ"} }, Handshake{13, sampleKey, []string{"!#$%&'*+-.^_`|~09azAZ"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := goodRequest()
			test.change(r)
			got, refusal := CheckRequest(r)
			if refusal != nil {
				t.Fatalf("CheckRequest(%+v) refuses: %+v", r, refusal)
			}
			if got.Version != test.want.Version || got.Key != test.want.Key || !slices.Equal(got.Protocols, test.want.Protocols) {
				t.Errorf("CheckRequest(%+v) = %+v, want %+v", r, got, test.want)
			}
		})
	}
}

func TestCheckRequestRefuses(t *testing.T) {
	type rule string
	const (
		method   rule = "GET"
		http11   rule = "HTTP/1.1"
		body     rule = "body"
		version  rule = "version"
		key      rule = "Sec-WebSocket-Key"
		protocol rule = "Sec-WebSocket-Protocol"
	)
	withVersion := func(lines ...string) func(r *Request) { return func(r *Request) { r.Version = lines } }
	withKey := func(v string, lines ...string) func(r *Request) {
		return func(r *Request) { r.Version, r.Key = []string{v}, lines }
	}
	withProtocol := func(lines ...string) func(r *Request) { return func(r *Request) { r.Protocol = lines } }
	tests := []struct {
		name   string
		change func(r *Request)
		rule   rule
		list   bool
	}{
		{"HEAD", func(r *Request) { r.Method = "HEAD" }, method, false},
		{"POST", func(r *Request) { r.Method = "POST" }, method, false},
		{"get in lower case", func(r *Request) { r.Method = "get" }, method, false},
		{"HTTP/1.0", func(r *Request) { r.HTTP11 = false }, http11, false},
		{"body", func(r *Request) { r.HasBody = true }, body, false},
		{"no version", withVersion(), version, true},
		{"empty version", withVersion(""), version, true},
		{"two versions", withVersion("13", "13"), version, true},
		{"list of versions", withVersion("13, 8"), version, true},
		{"version 0", withVersion("0"), version, true},
		{"version 9", withVersion("9"), version, true},
		{"version 14", withVersion("14"), version, true},
		{"version 256", withVersion("256"), version, true},
		{"version 269, which is 13 in a byte", withVersion("269"), version, true},
		{"leading zero", withVersion("013"), version, true},
		{"sign", withVersion("+13"), version, true},
		{"negative", withVersion("-1"), version, true},
		{"letters behind", withVersion("13abc"), version, true},
		{"underscore", withVersion("8_"), version, true},
		{"no key", withKey("13"), key, false},
		{"two keys", withKey("13", sampleKey, sampleKey), key, false},
		{"two keys in version 8", withKey("8", "abc", "def"), key, false},
		{"empty key", withKey("13", ""), key, false},
		{"empty key in version 7", withKey("7", ""), key, false},
		{"key of 15 bytes", withKey("13", "dGhlIHNhbXBsZSBub25j"), key, false},
		{"key of 16 bytes without its padding", withKey("13", strings.TrimRight(sampleKey, "=")), key, false},
		{"key of 17 bytes", withKey("13", "dGhlIHNhbXBsZSBub25jZWE="), key, false},
		{"key of 18 bytes with padding", withKey("13", "dGhlIHNhbXBsZSBub25jZQaa=="), key, false},
		{"key that is no canonical base64", withKey("13", "dGhlIHNhbXBsZSBub25jZR=="), key, false},
		{"key with a byte outside of base64", withKey("13", "dGhlIHNhbXBsZSBub25*ZQ=="), key, false},
		{"key with an equals sign inside", withKey("13", "dGhlIHNhbXBsZSBub25=ZQ=="), key, false},
		{"key with a space", withKey("8", "abc def"), key, false},
		{"key with three equals signs", withKey("8", "abc==="), key, false},
		{"key in the URL alphabet", withKey("7", "ab-_"), key, false},
		{"empty list of subprotocols", withProtocol(""), protocol, false},
		{"nothing but commas", withProtocol(" , ,\t"), protocol, false},
		{"space inside a subprotocol", withProtocol("a b"), protocol, false},
		{"tab inside a subprotocol", withProtocol("a\tb"), protocol, false},
		{"bad subprotocol behind a good one", withProtocol("a, b/c"), protocol, false},
		{"byte above ASCII", withProtocol("é"), protocol, false},

		{"method goes before everything", func(r *Request) { *r = Request{Method: "PUT", HasBody: true} }, method, true},
		{"HTTP version goes before a body", func(r *Request) { *r = Request{Method: "GET", HasBody: true} }, http11, true},
		{"a body goes before the version", func(r *Request) { *r = Request{Method: "GET", HTTP11: true, HasBody: true} }, body, true},
		{"the version goes before the key", func(r *Request) { r.Version, r.Key = nil, nil }, version, true},
		{"the key goes before subprotocols", func(r *Request) { r.Key, r.Protocol = nil, []string{""} }, key, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := goodRequest()
			test.change(r)
			h, refusal := CheckRequest(r)
			if refusal == nil {
				t.Fatalf("CheckRequest(%+v) = %+v, want a refusal", r, h)
			}
			if refusal.Status != 400 || refusal.ListVersions != test.list || !strings.Contains(refusal.Reason, string(test.rule)) {
				t.Errorf("CheckRequest(%+v) refuses %+v, want 400 about %s, list %v", r, refusal, test.rule, test.list)
			}
		})
	}
}

func TestIsToken(t *testing.T) {
	const good = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for c := range 256 {
		s := string([]byte{'x', byte(c)})
		if got, want := IsToken(s), strings.IndexByte(good, byte(c)) >= 0; got != want {
			t.Errorf("IsToken(%q) = %v, want %v", s, got, want)
		}
	}
	if IsToken("") {
		t.Error("the empty string is a token")
	}
}

func TestAppendAccept(t *testing.T) {
	for key, want := range map[string]string{
		sampleKey:                  "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", // RFC 6455, section 1.3
		"x3JJHMbDL1EzLkh9GBhXDw==": "HSmrc0sMlYUkAGmm5OPpG2HaGWk=",
	} {
		if got := AppendAccept([]byte("a: "), key); string(got) != "a: "+want {
			t.Errorf("AppendAccept(%q) = %q, want %q", key, got, want)
		}
	}
}

func TestAppendResponse(t *testing.T) {
	const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	for _, test := range []struct {
		name     string
		protocol string
		fields   []Field
		want     string
	}{
		{"these lines and nothing else", "", nil, head + "\r\n"},
		{"subprotocol", "chat", nil, head + "Sec-WebSocket-Protocol: chat\r\n\r\n"},
		{"fields in their order, behind the subprotocol", "chat", []Field{{"X-Set-By-Plugin", "value"}, {"A", ""}},
			head + "Sec-WebSocket-Protocol: chat\r\nX-Set-By-Plugin: value\r\nA: \r\n\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := AppendResponse([]byte("."), sampleKey, test.protocol, test.fields); string(got) != "."+test.want {
				t.Errorf("AppendResponse = %q, want %q", got, test.want)
			}
		})
	}
}

// upgradeHeader is namesUpgrade in one expression: its oracle.
const (
	quotedByte    = `(?:[^ \t,;"]|"[^"]*(?:"|$))`
	skippedValue  = `[ \t]*` + quotedByte + `+[ \t]*(?:;[ \t]*` + quotedByte + `*[ \t]*)*,`
	upgradeHeader = `(?is)^(?:` + skippedValue + `)*[ \t]*upgrade(?:$|[ \t,;])`
)

func FuzzHandshake(f *testing.F) {
	upgradeHeader := regexp.MustCompile(upgradeHeader)
	for _, connection := range []string{"Upgrade", "keep-alive, upgrade", `x;a="b, c", upgrade;q`, ",upgrade", `"a" , upgrade`, "x; y z, upgrade"} {
		f.Add(connection, "13", sampleKey, "chat, superchat")
	}
	f.Add("upgrade", "8", "abc=", ",a,")
	f.Add("upgrade", "7", "", "")
	f.Fuzz(func(t *testing.T, connection, version, key, protocol string) {
		if got, want := IsUpgrade([]string{"websocket"}, []string{connection}), upgradeHeader.MatchString(connection); got != want {
			t.Fatalf("IsUpgrade with Connection %q = %v, want %v", connection, got, want)
		}
		r := &Request{Method: "GET", HTTP11: true, Version: []string{version}, Key: []string{key}, Protocol: []string{protocol}}
		h, refusal := CheckRequest(r)
		known := version == "13" || version == "8" || version == "7"
		if refusal != nil {
			if refusal.Status != 400 || refusal.ListVersions == known || h.Version != 0 || h.Key != "" || h.Protocols != nil {
				t.Fatalf("CheckRequest(%+v) = %+v, %+v", r, h, refusal)
			}
			if strings.Contains(version, "<") && strings.Contains(refusal.Reason, version) {
				t.Fatalf("the refusal quotes the request: %q", refusal.Reason)
			}
			return
		}
		if !known || h.Key != key || len(h.Protocols) == 0 {
			t.Fatalf("CheckRequest(%+v) = %+v", r, h)
		}
		if data, err := base64.StdEncoding.Strict().DecodeString(key); h.Version == 13 && (err != nil || len(data) != 16) {
			t.Fatalf("key %q accepted: %x, %v", key, data, err)
		}
		again, good := parseProtocols([]string{strings.Join(h.Protocols, ",")})
		if !good || !slices.Equal(again, h.Protocols) {
			t.Fatalf("subprotocols %q of %q read as %q the second time", h.Protocols, protocol, again)
		}
		head := AppendResponse(nil, h.Key, h.Protocols[0], []Field{{"X-A", "b"}})
		response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), nil)
		if err != nil || response.StatusCode != 101 || len(response.Header) != 5 ||
			response.Header.Get("Sec-WebSocket-Protocol") != h.Protocols[0] ||
			response.Header.Get("Sec-WebSocket-Accept") != string(AppendAccept(nil, key)) {
			t.Fatalf("%q reads as %v, %v", head, response, err)
		}
	})
}

func BenchmarkHandshake(b *testing.B) {
	r := goodRequest()
	r.Protocol = []string{"chat"}
	room := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		h, refusal := CheckRequest(r)
		if refusal != nil {
			b.Fatal(refusal)
		}
		room = AppendResponse(room[:0], h.Key, h.Protocols[0], nil)
	}
}
