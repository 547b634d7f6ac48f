package httpdconf

import (
	"fmt"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// checkArity returns httpd's sentence for a wrong number of words, "" for a
// right one (httpd 2.4 server/config.c, invoke_cmd). An empty word counts as
// missing, as it does there.
func checkArity(info *directiveInfo, words []syntax.Arg) string {
	n := len(words)
	empty := func(i int) bool { return i >= n || words[i].Text == "" }
	rule, bad := "", false
	switch info.Args {
	case argsNone:
		rule, bad = "takes no arguments", n > 0
	case argsOne:
		rule, bad = "takes one argument", empty(0) || n > 1
	case argsTwo:
		rule, bad = "takes two arguments", empty(0) || empty(1) || n > 2
	case argsThree:
		rule, bad = "takes three arguments", empty(0) || empty(1) || empty(2) || n > 3
	case argsOneTwo:
		rule, bad = "takes 1-2 arguments", empty(0) || n > 2
	case argsTwoThree:
		rule, bad = "takes two or three arguments", empty(0) || empty(1) || n > 3
	case argsOneTwoThree:
		rule, bad = "takes one, two or three arguments", empty(0) || n > 3
	case argsOneThree:
		rule, bad = "takes one or three arguments", empty(0) || n == 2 && !empty(1) || n > 3
	case argsIterate:
		rule, bad = "requires at least one argument", empty(0)
	case argsIterate2:
		rule, bad = "requires at least two arguments", empty(0) || n < 2
	case argsFlag:
		if empty(0) || !strings.EqualFold(words[0].Text, "on") && !strings.EqualFold(words[0].Text, "off") {
			return info.Name + " must be On or Off"
		}
	}
	if !bad {
		return ""
	}
	if info.Usage == "" {
		return fmt.Sprintf("%s %s", info.Name, rule)
	}
	return fmt.Sprintf("%s %s, %s", info.Name, rule, info.Usage)
}
