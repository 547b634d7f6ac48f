package httpdconf

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// ErrorDocument is what is answered in place of an error page. The zero value
// is the page.
type ErrorDocument struct {
	Kind  ErrorDocumentKind
	Text  *expr.Expr // the text, the path or the URL
	Range hcl.Range
}

// ErrorDocumentKind says what an ErrorDocument is.
type ErrorDocumentKind int

// The kinds of ErrorDocument.
const (
	DefaultDocument ErrorDocumentKind = iota
	TextDocument
	PathDocument // a path of this server
	URLDocument  // elsewhere, by redirect
)

// Signature is the mode of ServerSignature.
type Signature int

// The modes of ServerSignature.
const (
	SignatureUnset Signature = iota
	SignatureOff
	SignatureOn
	SignatureEmail
)

// Tokens is the mode of ServerTokens: how much the Server header tells.
type Tokens int

// The modes of ServerTokens. TokensProduct stands where no line sets it.
const (
	TokensProduct Tokens = iota
	TokensMajor
	TokensMinor
	TokensMinimal
	TokensOS
)

// answerCommands are the rows of the core that shape answers.
func answerCommands() map[string]command {
	row := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"core.c", set, effect}
	}
	return map[string]command{
		"ErrorDocument":   row("text, a path of the server, a URL or `default` in place of an error page", (*walk).setErrorDocument),
		"ServerTokens":    row("how much the Server header tells: `wshttpd`, also where no line says so, to `wshttpd/0.1.0 (Unix)`", (*walk).setServerTokens),
		"ServerSignature": row("a footer on error pages", (*walk).setServerSignature),
		"ServerAdmin":     row("the address in the footer and in expressions", (*walk).setServerAdmin),
	}
}

// isStatus reports whether httpd knows a status (httpd 2.4
// modules/http/http_protocol.c, status_lines).
func isStatus(code int) bool {
	for _, r := range [][2]int{
		{100, 103}, {200, 208}, {226, 226}, {300, 305}, {307, 308}, {400, 417}, {421, 424}, {426, 426}, {428, 429}, {431, 431}, {451, 451}, {500, 508}, {510, 511},
	} {
		if code >= r[0] && code <= r[1] {
			return true
		}
	}
	return false
}

// setErrorDocument is httpd 2.4 server/core.c, set_error_document.
func (w *walk) setErrorDocument(n *syntax.Node, words []syntax.Arg) *problem {
	code, err := strconv.Atoi(words[0].Text)
	if err != nil || !isStatus(code) {
		return &problem{text: "Unsupported HTTP response code " + words[0].Text, at: words[0].Range}
	}
	text := words[1].Text
	d := ErrorDocument{Kind: TextDocument, Range: n.Range()}
	switch {
	case strings.HasPrefix(text, "/"):
		d.Kind = PathDocument
	case isFullURL(text):
		d.Kind = URLDocument
	case strings.EqualFold(text, "default"):
		d.Kind = DefaultDocument
	}
	if code == 401 && d.Kind == URLDocument {
		w.fail(warning(n, words[1].Range, LevelNotice, "core", "AH00113",
			fmt.Sprintf("%s:%d cannot use a full URL in a 401 ErrorDocument directive --- ignoring!", n.Line.Filename(), n.Line.Last()), ""))
		return nil
	}
	if d.Kind != DefaultDocument {
		var p *problem
		if d.Text, p = w.textExpr(text, "Cannot parse expression in ErrorDocument: "); p != nil {
			p.at = words[1].Range
			return p
		}
	}
	if w.core().ErrorDocuments == nil {
		w.core().ErrorDocuments = make(map[int]ErrorDocument)
	}
	w.core().ErrorDocuments[code] = d
	return nil
}

// isFullURL reports whether s begins as a URL with its scheme (httpd 2.4
// server/util.c, ap_is_url).
func isFullURL(s string) bool {
	scheme, rest, found := strings.Cut(s, ":")
	if !found || scheme == "" || !strings.HasPrefix(rest, "//") || rest == "//" {
		return false
	}
	for i := range len(scheme) {
		c := scheme[i] | 0x20
		if (c < 'a' || c > 'z') && (scheme[i] < '0' || scheme[i] > '9') && !strings.ContainsRune("+-.", rune(scheme[i])) {
			return false
		}
	}
	return true
}

func (w *walk) setServerTokens(_ *syntax.Node, words []syntax.Arg) *problem {
	modes := map[string]Tokens{
		"os": TokensOS, "full": TokensOS, "min": TokensMinimal, "minimal": TokensMinimal, "major": TokensMajor, "minor": TokensMinor,
		"prod": TokensProduct, "productonly": TokensProduct,
	}
	mode, known := modes[strings.ToLower(words[0].Text)]
	if !known {
		return &problem{text: "ServerTokens takes 1 argument: 'Prod(uctOnly)', 'Major', 'Minor', 'Min(imal)', 'OS', or 'Full'", at: words[0].Range}
	}
	w.config.Tokens = mode
	return nil
}

func (w *walk) setServerSignature(_ *syntax.Node, words []syntax.Arg) *problem {
	mode := map[string]Signature{"on": SignatureOn, "off": SignatureOff, "email": SignatureEmail}[strings.ToLower(words[0].Text)]
	if mode == SignatureUnset {
		return &problem{text: "ServerSignature: use one of: off | on | email", at: words[0].Range}
	}
	w.core().Signature = mode
	return nil
}

func (w *walk) setServerAdmin(_ *syntax.Node, words []syntax.Arg) *problem {
	w.host.Admin = words[0].Text
	return nil
}

// mergeAnswer merges what this file sets.
func (c *CoreDir) mergeAnswer(over *CoreDir) {
	if over.Signature != SignatureUnset {
		c.Signature = over.Signature
	}
	if over.CanonicalName != nil {
		c.CanonicalName = over.CanonicalName
	}
	if over.PhysicalPort != nil {
		c.PhysicalPort = over.PhysicalPort
	}
	if len(c.ErrorDocuments) == 0 || len(over.ErrorDocuments) == 0 {
		if len(over.ErrorDocuments) > 0 {
			c.ErrorDocuments = over.ErrorDocuments
		}
	} else {
		c.ErrorDocuments = maps.Clone(c.ErrorDocuments)
		maps.Copy(c.ErrorDocuments, over.ErrorDocuments)
	}
	c.Ifs = append(c.Ifs[:len(c.Ifs):len(c.Ifs)], over.Ifs...)
}
