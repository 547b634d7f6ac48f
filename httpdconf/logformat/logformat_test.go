package logformat

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// TestParse: the modifiers stand in any order in front of the directive.
func TestParse(t *testing.T) {
	tests := []struct {
		format string
		want   []Item
		err    string
	}{
		{"", nil, ""},
		{"plain \\n\\t\\r\\\"\\\\\\x", []Item{{Text: "plain \n\t\r\"\\\\x"}}, ""},
		{"end\\", []Item{{Text: "end\\"}}, ""},
		{"100%%", []Item{{Text: "100%"}}, ""},
		{"%h %l", []Item{{Directive: 'h'}, {Text: " "}, {Directive: 'l'}}, ""},
		{"%s%>s%<s", []Item{{Directive: 's', Original: true}, {Directive: 's'}, {Directive: 's', Original: true}}, ""},
		{"%<u%u%<>m", []Item{{Directive: 'u', Original: true}, {Directive: 'u'}, {Directive: 'm'}}, ""},
		{"%!200,304{User-agent}i", []Item{{Directive: 'i', Arg: "User-agent", Statuses: []int{200, 304}, Not: true}}, ""},
		{"%!!404{a}{b}i", []Item{{Directive: 'i', Arg: "b", Statuses: []int{404}}}, ""},
		{"%{X}^ti%{Y}^to%^FB", []Item{{Directive: 'i', Arg: "X", Long: true}, {Directive: 'o', Arg: "Y", Long: true}, {Directive: 'B', Long: true}}, ""},
		{"%{SSL_PROTOCOL}x%{errcode}c", []Item{{Directive: 'x', Arg: "SSL_PROTOCOL"}, {Directive: 'c', Arg: "errcode"}}, ""},
		{"%Z", nil, "Unrecognized LogFormat directive %Z"},
		{"%200 s", nil, "Unrecognized LogFormat directive % "},
		{"%^tx", nil, "Unrecognized LogFormat directive %^"},
		{"%", nil, "Ran off end of LogFormat parsing args to some directive"},
		{"%{open", nil, "Ran off end of LogFormat parsing args to some directive"},
		{"%!200", nil, "Ran off end of LogFormat parsing args to some directive"},
	}
	for _, tt := range tests {
		got, err := Parse(tt.format, Modules{SSL: true})
		if message(err) != tt.err || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Parse(%q) = %+v, %v; want %+v, %s", tt.format, got, err, tt.want, tt.err)
		}
	}
	for _, format := range []string{"%x", "%c"} {
		if _, err := Parse(format, Modules{}); message(err) != "Unrecognized LogFormat directive "+format {
			t.Errorf("without mod_ssl %s: %v", format, err)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestLogs(t *testing.T) {
	for format, want := range map[string]bool{"%i": true, "%200i": true, "%404i": false, "%!200i": false, "%!404,500i": true, "%404,200i": true} {
		items, err := Parse(format, Modules{})
		if err != nil || items[0].Logs(200) != want {
			t.Errorf("%s with status 200: %v, %v; want %v", format, items, err, want)
		}
	}
}

func TestTime(t *testing.T) {
	for arg, want := range map[string]struct {
		atEnd  bool
		format string
	}{
		"": {}, "sec": {format: "sec"}, "begin": {}, "begin:%H": {format: "%H"}, "end": {atEnd: true}, "end:msec_frac": {atEnd: true, format: "msec_frac"},
		"ending": {format: "ending"}, "beginx": {format: "beginx"},
	} {
		item := Item{Directive: 't', Arg: arg}
		if atEnd, format := item.Time(); atEnd != want.atEnd || format != want.format {
			t.Errorf("%%{%s}t: at its end %v, as %q; want %+v", arg, atEnd, format, want)
		}
	}
}

func TestParseError(t *testing.T) {
	tests := []struct {
		format string
		want   []ErrorItem
		err    string
	}{
		{"[%{u}t] [%-m:%l] %M", []ErrorItem{{Text: "["}, {Directive: 't', Arg: "u"}, {Text: "]"}, {Text: " [", Field: true}, {Directive: 'm', Hyphen: true},
			{Text: ":"}, {Directive: 'l'}, {Text: "]"}, {Text: " ", Field: true}, {Directive: 'M'}}, ""},
		{"a  b%M", []ErrorItem{{Text: "a"}, {Text: "  b", Field: true}, {Directive: 'M'}}, ""},
		{"a\\ b\\n\\x%M", []ErrorItem{{Text: "a b\nx"}, {Directive: 'M'}}, ""},
		{"%M% ,\\ referer\\ %{Referer}i", []ErrorItem{{Directive: 'M'}, {Text: ", referer ", Field: true}, {Directive: 'i', Arg: "Referer"}}, ""},
		{"%M% %{Referer}i", []ErrorItem{{Directive: 'M'}, {Directive: 'i', Arg: "Referer", Field: true}}, ""},
		{"%%%+L%7F%M\\", []ErrorItem{{Text: "%"}, {Directive: 'L', Required: true}, {Directive: 'F', MinLevel: 7}, {Directive: 'M'}, {Text: "\\"}}, ""},
		{"%M%", nil, "Ran off end of error log format parsing args to some directive"},
		{"%{c", nil, "Ran off end of error log format parsing args to some directive"},
		{"%Z", nil, "Unrecognized error log format directive %Z"},
		{"%t", nil, "main ErrorLogFormat must contain message format string '%M'"},
	}
	for _, tt := range tests {
		got, err := ParseError(tt.format, true)
		if message(err) != tt.err || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("ParseError(%q) = %+v, %v; want %+v, %s", tt.format, got, err, tt.want, tt.err)
		}
	}
	if items, err := ParseError("%t", false); err != nil || len(items) != 1 {
		t.Errorf("of a request: %v, %v", items, err)
	}
	if _, err := ParseError("%M", false); message(err) != "%M cannot be used in once-per-request or once-per-connection formats" {
		t.Errorf("a message in the line of a request: %v", err)
	}
}

// FuzzParse: what is parsed is printed and parsed to the same, and text is
// never longer than the format.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`%h %l %u %t "%r" %>s %b "%{Referer}i" \"%{User-Agent}i\"`, "%!200,304{x}i%%", "%{end:msec_frac}t%^ti%{c}a", "%{%d/%b}t", "%99999999999999999999s", `\`, "%{", "%<>!,",
		"[%{u}t] [%-m:%l] [pid %P:tid %T] %7F: %E: [client\\ %a] %M% ,\\ referer\\ %{Referer}i", "% % %M", "%+{c}L %400M",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, format string) {
		if items, err := Parse(format, Modules{SSL: true}); err == nil {
			printed := printed(items)
			again, err := Parse(printed, Modules{SSL: true})
			if err != nil || !reflect.DeepEqual(again, items) {
				t.Errorf("%q is parsed to %+v, printed %q, and that parsed to %+v, %v", format, items, printed, again, err)
			}
		}
		items, err := ParseError(format, strings.Contains(format, "M"))
		if err != nil {
			return
		}
		size := 0
		for _, i := range items {
			size += len(i.Text) + len(i.Arg)
			if i.Directive != 0 && (i.Text != "" || strings.IndexByte(errorDirectives, i.Directive) < 0) {
				t.Errorf("%q has the item %+v", format, i)
			}
		}
		if size > len(format) {
			t.Errorf("%q of %d bytes has items of %d", format, len(format), size)
		}
	})
}

// printed writes items as a format.
func printed(items []Item) string {
	var b strings.Builder
	for _, i := range items {
		if i.Directive == 0 {
			b.WriteString(strings.NewReplacer("%", "%%", "\\", "\\\\", "\n", "\\n").Replace(i.Text))
			continue
		}
		b.WriteString("%")
		if i.Not {
			b.WriteByte('!')
		}
		b.WriteByte(map[bool]byte{true: '<', false: '>'}[i.Original])
		for _, status := range i.Statuses {
			b.WriteString(",")
			b.WriteString(strconv.Itoa(status))
		}
		if i.Arg != "" {
			b.WriteString("{" + i.Arg + "}")
		}
		name := string(i.Directive)
		if i.Long {
			name = map[byte]string{'i': "^ti", 'o': "^to", 'B': "^FB"}[i.Directive]
		}
		b.WriteString(name)
	}
	return b.String()
}
