package httpdconf

import (
	"slices"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// lack is what of httpd's behaviour a client misses where a directive has no
// effect here, or none with some arguments.
type lack struct {
	how string
	// unless lists arguments, each a whole line in lower case, with which the
	// line says what holds anyway.
	unless []string
	// only lists the words of which one has to be there.
	only []string
	// with names the module that is missed, where it is not the directive's own:
	// without it httpd does no more than this server.
	with string
	// obeyed says that the directive has an effect here, but for this.
	obeyed bool
}

// off are the arguments that most switches have for what holds anyway.
var off = []string{"off"}

// lacks are by directive, as the tables have it in lower case. What is not
// named here and has no effect changes no answer. It is constant.
var lacks = map[string][]lack{
	"options": {
		{how: "folders are not listed: without an index file they are answered 403", only: []string{"indexes", "+indexes", "all"}, with: "mod_autoindex.c", obeyed: true},
		{how: "MultiViews finds no file", only: []string{"multiviews", "+multiviews"}, with: "mod_negotiation.c", obeyed: true},
	},
	"traceenable":         {{how: "TRACE with a body is answered 413 all the same", only: []string{"extended"}, obeyed: true}},
	"httpprotocoloptions": {{how: "requests are read strictly all the same", only: []string{"unsafe", "allow0.9"}, obeyed: true}},
	"sslhonorcipherorder": {{how: "the order of cipher suites is the server's own"}},

	"contentdigest":         {{how: "no Content-MD5 is sent", unless: off}},
	"fileetag":              {{how: "an ETag is made of time and size, not of the content", only: []string{"digest", "+digest"}, obeyed: true}},
	"hostnamelookups":       {{how: "logs and variables have addresses, not names of hosts", unless: off}},
	"setinputfilter":        {{how: "what is sent to the server passes no filter"}},
	"setoutputfilter":       {{how: "answers pass no filter: they are neither compressed nor changed"}},
	"addoutputfilterbytype": {{how: "answers pass no filter: they are neither compressed nor changed"}},
	"addoutputfilter":       {{how: "answers pass no filter: they are neither compressed nor changed"}},
	"filterchain":           {{how: "answers pass no filter: they are neither compressed nor changed"}},
	"filterprovider":        {{how: "answers pass no filter: they are neither compressed nor changed"}},
	"maxranges":             {{how: "200 ranges of a file are sent at most, all the same", unless: []string{"default", "200"}}},
	"maxrangeoverlaps":      {{how: "20 ranges may overlap, all the same", unless: []string{"default", "20"}}},
	"maxrangereversals":     {{how: "ranges may come in any order", unless: []string{"default", "unlimited"}}},
	"protocols":             {{how: "HTTP/1.1 is spoken and no other protocol", only: []string{"h2", "h2c"}}},

	"addinputfilter": {{how: "what is sent to the server passes no filter"}},
	"removehandler":  {{how: "the handler of the extension stays: such files are answered 501"}},
	"mimemagicfile":  {{how: "types are told by extension alone"}},

	"userdir":           {{how: "/~user is answered 404", unless: []string{"disabled"}}},
	"checkspelling":     {{how: "misspelt paths are answered 404", unless: off}},
	"aliaspreservepath": {{how: "an Alias in a Location does not keep the path", unless: off}},

	"cookietracking": {{how: "no cookie is set", unless: off}},
	"metafiles":      {{how: "no headers are read from files", unless: off}},
	"forensiclog":    {{how: "this log is not written"}},
	"logiotrackttfb": {{how: "%^FB is logged as -", unless: off}},
	"logmessage":     {{how: "the message is not logged"}},
	"sslusestapling": {{how: "no OCSP answer is stapled", unless: off}},
}

// missed returns what of httpd's behaviour is not there where a directive
// stands with these arguments, "" if nothing is. idle says that it has no
// effect at all.
func (s *moduleSet) missed(info *directiveInfo, args string, idle bool) string {
	line := strings.Join(strings.Fields(strings.ToLower(args)), " ")
	words := strings.Fields(line)
	var list []string
	for _, l := range lacks[strings.ToLower(info.Name)] {
		applies := (idle || l.obeyed) && !slices.Contains(l.unless, line) && (l.with == "" || s.isLoaded(l.with))
		if applies && (l.only == nil || slices.ContainsFunc(words, func(w string) bool { return slices.Contains(l.only, w) })) {
			list = append(list, l.how)
		}
	}
	return strings.Join(list, "; ")
}

// tellMissed says once at info what of a directive is not there, or that it is
// idle.
func (w *walk) tellMissed(n *syntax.Node, info *directiveInfo, idle bool) {
	how := w.modules.missed(info, n.Args, idle)
	key := strings.ToLower(info.Name)
	switch {
	case how != "" && !w.noted[key]:
		w.noted[key] = true
		w.differs(n, n.NameRange(), LevelInfo, shortName(info.Module), info.Name+": "+how, "")
	case idle:
		w.note(n, info)
	}
}
