package server

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// compat tells what Order, Allow and Deny say.
func (t *trace) compat(d *httpdconf.AccessDir, method string, admits, either bool) {
	if t == nil {
		return
	}
	order := httpdconf.LastFor(d.Orders, method)
	text := [...]string{"Deny, then Allow", "Allow, then Deny", "mutual failure"}[order.Value]
	if admits {
		text += ": lets the client in"
	} else {
		text += ": does not let the client in"
	}
	lines := []hcl.Range{order.Range}
	if either {
		text += "; under Satisfy Any that is enough, and so is Require"
		lines = append(lines, httpdconf.LastFor(d.Satisfy, method).Range)
	}
	t.add(StepAccess, text, lines...)
}

// entryAsker is told of the Allow and Deny lines that name the client; nil
// where nobody wants to know.
func (t *trace) entryAsker() func(*httpdconf.AccessEntry) {
	if t == nil {
		return nil
	}
	return func(e *httpdconf.AccessEntry) { t.add(StepAccess, "names the client", e.Range) }
}

// ruleAsker is told what each rule of Require says; nil where nobody wants to
// know.
func (t *trace) ruleAsker() func(*httpdconf.AuthzRule, httpdconf.AuthzResult) {
	if t == nil {
		return nil
	}
	t.asked = make(map[*httpdconf.AuthzRule]bool)
	return func(rule *httpdconf.AuthzRule, result httpdconf.AuthzResult) {
		t.asked[rule] = true
		switch {
		case rule.Range.Filename != "":
			t.add(StepAccess, result.String(), rule.Range)
		default: // the lines of a section, or of several under AuthMerging
			if rule.Rules != nil {
				t.skipped(rule)
			}
		}
	}
}

// skipped tells which rules of a container were not asked, since those in front
// of them had decided.
func (t *trace) skipped(container *httpdconf.AuthzRule) {
	for _, rule := range container.Rules {
		switch {
		case !t.asked[rule] && rule.Range.Filename != "":
			t.add(StepAccess, "not asked: what stands in front of it decides", rule.Range)
		case rule.Rules != nil:
			t.skipped(rule)
		}
	}
}

// admitted tells what comes of all that access asks.
func (t *trace) admitted(r *route, status int) {
	switch {
	case t == nil:
	case status != 0:
		t.add(StepAccess, fmt.Sprintf("refused: %d", status))
	case !r.settings.Authz.HasRules() && r.settings.Access == nil:
		t.add(StepAccess, "granted: no line narrows it")
	default:
		t.add(StepAccess, "granted")
	}
}

func (t *trace) authentication(d *httpdconf.AuthnDir, text string) {
	switch {
	case t == nil:
	case d == nil:
		t.add(StepAuthentication, text)
	default:
		t.add(StepAuthentication, text, d.Range)
	}
}

// origin tells what the origin check says of the lines that were sent, also under
// the header's former name; c has its default.
func (t *trace) origin(c *httpdconf.Config, d *httpdconf.WebSocketDir, mode httpdconf.OriginCheck, r *route, sent, former []string, passes bool) {
	if t == nil {
		return
	}
	line := d.OriginRange
	text := "WebSocketOriginCheck is " + [...]string{"Off", "Same", "Trusted"}[mode]
	if d.OriginCheck == nil {
		text += " by default"
		if c.OriginCheckSource != nil {
			line = *c.OriginCheckSource
		}
	}
	switch mode {
	case httpdconf.OriginOff:
		text += ": any page may connect"
	case httpdconf.OriginSame:
		own, _ := newOrigin(r.scheme, r.authority)
		text += fmt.Sprintf(", and the request is for %s://%s:%d", own.scheme, own.host, own.port)
	case httpdconf.OriginTrusted:
		text += fmt.Sprintf(", and trusted are %q", d.TrustedOrigins)
	}
	switch values := slices.Concat(sent, former); {
	case mode == httpdconf.OriginOff:
	case len(values) == 0:
		text += "; no Origin was sent: accepted"
	case passes:
		text += fmt.Sprintf("; %q is accepted", values)
	default:
		text += fmt.Sprintf("; %q is not accepted", values)
	}
	t.add(StepOrigin, text, line)
}
