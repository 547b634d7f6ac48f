// Package expr parses and evaluates httpd's expressions, the language of <If>,
// Require expr, SetEnvIfExpr and of values written "expr=..." (httpd 2.4
// docs/manual/expr.html, server/util_expr_scan.l, util_expr_parse.y and
// util_expr_eval.c).
//
//	text ─▶ scanner ─▶ parser ─▶ Expr ─┬─▶ Bool   true or false
//	                                   └─▶ String the text of a value
//
//	condition   true  false  !c  c && c  c || c  (c)
//	            -op word     word -op word     word == word     word -eq word
//	            word =~ /re/     word in { word, ... }     word in list(word)
//	word        12  "text"  %{VAR}  %{func:text}  func(word)  $1  word . word
//
// What httpd refuses is refused, in the words that httpd -t prints; the words
// are those of a parser made by bison, down to the tokens it expected. What
// httpd would abort on ("flex scanner jammed") is refused too. The evaluation
// has httpd's limit on nesting, 20 levels, and the parser its limit of 10000
// symbols that are still open.
//
// The package reads no file, no environment and no clock: whatever a request
// or the system has to tell comes through Env.
//
// It differs from httpd in these points:
//
//   - Regular expressions are PCRE's, run by a library that backtracks. What
//     that library does not have (recursion, verbs, \K, branch reset, \p) is
//     refused; the error's second line says which. A lookbehind may have any
//     length. The flags are httpd's defaults, whatever RegexDefaultOptions
//     says. A match that takes longer than 250 ms is an error, not a "no match".
//   - -ipmatch compares addresses; a host name on its left is not looked up,
//     and matches nothing.
//   - No Vary header is made of the request headers that were read; Reads has
//     their names.
//   - Only names of the core are known, and with Options.SSL those of mod_ssl.
package expr
