package httpdconf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// MethodSet is a set of request methods. HEAD is GET in it, as in httpd. A nil
// one holds every method.
type MethodSet struct {
	Names  []string
	Except bool // all but Names
}

// Has reports whether a method is in the set.
func (s *MethodSet) Has(method string) bool {
	return s == nil || slices.Contains(s.Names, methodName(method)) != s.Except
}

func (s *MethodSet) String() string {
	switch {
	case s == nil:
		return "all methods"
	case s.Except:
		return "all but " + strings.Join(s.Names, " ")
	}
	return strings.Join(s.Names, " ")
}

// methodName is the name under which a method is compared: HEAD and GET are one
// number in httpd.
func methodName(method string) string {
	if method == "HEAD" {
		return "GET"
	}
	return method
}

// all returns the set that a nil one stands for.
func (s *MethodSet) all() MethodSet {
	if s == nil {
		return MethodSet{Except: true}
	}
	return *s
}

// intersect returns the methods that are in both sets.
func (s *MethodSet) intersect(o *MethodSet) *MethodSet {
	a, b := s.all(), o.all()
	if a.Except && b.Except {
		return &MethodSet{Except: true, Names: slices.Concat(a.Names, b.Names)}
	}
	if a.Except {
		a, b = b, a
	}
	var both MethodSet
	for _, name := range a.Names {
		if b.Has(name) {
			both.Names = append(both.Names, name)
		}
	}
	return &both
}

// union returns the methods that are in one of the sets, nil for all of them.
func (s *MethodSet) union(o *MethodSet) *MethodSet {
	if s == nil || o == nil {
		return nil
	}
	neither := s.complement().intersect(o.complement())
	return neither.complement()
}

func (s *MethodSet) complement() *MethodSet {
	return &MethodSet{Names: s.Names, Except: !s.Except}
}

func (s *MethodSet) isEmpty() bool { return !s.Except && len(s.Names) == 0 }

// isWithin reports whether every method of s is in o.
func (s *MethodSet) isWithin(o *MethodSet) bool {
	rest := o.all()
	return s.intersect(rest.complement()).isEmpty()
}

// limitSectionCommands are the rows of the core's containers for some methods.
func limitSectionCommands() map[string]command {
	return map[string]command{
		"<Limit":       {"core.c", (*walk).limitSection, "`Require`, `Order`, `Allow`, `Deny` and `Satisfy` in it hold for these methods only; GET stands for HEAD too"},
		"<LimitExcept": {"core.c", (*walk).limitSection, "the same for all methods but these"},
	}
}

// limitSection is Limit and LimitExcept (httpd 2.4 server/core.c,
// ap_limit_section). Directives that do not ask for methods act as if they
// stood outside.
func (w *walk) limitSection(n *syntax.Node, _ []syntax.Arg) *problem {
	arg, p := opener(n)
	if p != nil {
		return p
	}
	if strings.TrimSpace(arg) == "" {
		return &problem{text: fmt.Sprintf("<%s> directive requires additional arguments", n.Name)}
	}
	limit := &MethodSet{Except: strings.EqualFold(n.Name, "LimitExcept")}
	for _, name := range wordsOf(arg) {
		if name == "TRACE" && !limit.Except {
			return &problem{text: "TRACE cannot be controlled by <Limit>, see TraceEnable", at: n.ArgsRange()}
		}
		if !slices.Contains(httpMethods, name) && !slices.Contains(w.config.Methods, name) {
			w.config.Methods = append(w.config.Methods, name)
		}
		limit.Names = append(limit.Names, methodName(name))
	}
	left := w.methods.intersect(limit)
	switch {
	case left.isEmpty():
		return &problem{text: fmt.Sprintf("<%s> directive excludes all methods", n.Name), at: n.ArgsRange()}
	case w.methods.isWithin(left):
		return &problem{text: fmt.Sprintf("<%s> directive specifies methods already excluded", n.Name), at: n.ArgsRange()}
	}
	outer := w.methods
	w.methods = left
	w.nodes(n.Children)
	w.methods = outer
	return nil
}
