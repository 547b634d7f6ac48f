package httpdconf

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// Place is the Extra of every diagnostic of this package: what its first line
// needs beyond the range. WriteDiagnostics reads it.
type Place struct {
	// Reading is true for errors of the first pass, which are one line,
	// chained through the includes; else the form has two lines.
	Reading bool
	Node    *syntax.Node // nil for checks without a line
	// Level, Module and Code ("core", "AH00111") shape a warning or note.
	Level  LogLevel
	Module string
	Code   string
}

// readingError is an error of the first pass at rng, in httpd's words; hint
// may add what httpd does not say.
func readingError(n *syntax.Node, rng hcl.Range, text, hint string) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: text, Detail: hint, Subject: &rng,
		Extra: &Place{Reading: true, Node: n, Level: LevelError},
	}
}

// processingError is an error of the second pass.
func processingError(n *syntax.Node, rng hcl.Range, text, hint string) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: text, Detail: hint, Subject: &rng,
		Extra: &Place{Node: n, Level: LevelError},
	}
}

// warning is what does not stop the start: at level (LevelWarn, LevelNotice,
// LevelInfo), of module ("core"), with httpd's number where httpd has one.
func warning(n *syntax.Node, rng hcl.Range, level LogLevel, module, code, text, hint string) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagWarning, Summary: text, Detail: hint, Subject: &rng,
		Extra: &Place{Node: n, Level: level, Module: module, Code: code},
	}
}
