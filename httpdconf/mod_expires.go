package httpdconf

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// Expiry is how long an answer may be kept: from the time of the request, or
// from that at which its file was changed.
type Expiry struct {
	After             time.Duration
	SinceModification bool
}

// ExpiresDir is mod_expires' record.
type ExpiresDir struct {
	Active  *bool // nil inherits, and stands for Off
	Default *Expiry
	ByType  map[string]Expiry // by media type in lower case, or "text/*"
}

// Of returns how long what has a media type may be kept; is says whether a line
// tells. The record may be nil (httpd 2.4 modules/metadata/mod_expires.c,
// expires_filter).
func (d *ExpiresDir) Of(mediaType string) (e Expiry, is bool) {
	if d == nil || d.Active == nil || !*d.Active {
		return Expiry{}, false
	}
	mediaType, _, _ = strings.Cut(strings.ToLower(mediaType), ";")
	mediaType = strings.TrimSpace(mediaType)
	if e, is = d.ByType[mediaType]; is {
		return e, true
	}
	if major, _, hasSlash := strings.Cut(mediaType, "/"); hasSlash {
		if e, is = d.ByType[major+"/*"]; is {
			return e, true
		}
	}
	if d.Default == nil {
		return Expiry{}, false
	}
	return *d.Default, true
}

func mergeExpires(base, over *ExpiresDir) *ExpiresDir {
	if base == nil || over == nil {
		return replace(base, over)
	}
	m := &ExpiresDir{Active: replace(base.Active, over.Active), Default: replace(base.Default, over.Default), ByType: maps.Clone(base.ByType)}
	for mediaType, e := range over.ByType {
		m.set(mediaType, e)
	}
	return m
}

func (d *ExpiresDir) set(mediaType string, e Expiry) {
	if d.ByType == nil {
		d.ByType = make(map[string]Expiry)
	}
	d.ByType[mediaType] = e
}

// expiresCommands are the rows of mod_expires.
func expiresCommands() map[string]command {
	row := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"mod_expires.c", set, effect}
	}
	return map[string]command{
		"ExpiresActive":  row("`On` sends Expires and Cache-Control with files", (*walk).setExpiresActive),
		"ExpiresDefault": row("how long they may be kept, as `access plus 1 month` or `A2592000`", (*walk).setExpiresDefault),
		"ExpiresByType":  row("the same for a media type, or for `text/*`", (*walk).setExpiresByType),
	}
}

func (w *walk) expires() *ExpiresDir {
	if w.records.Expires == nil {
		w.records.Expires = &ExpiresDir{}
	}
	return w.records.Expires
}

func (w *walk) setExpiresActive(_ *syntax.Node, words []syntax.Arg) *problem {
	on := strings.EqualFold(words[0].Text, "on")
	w.expires().Active = &on
	return nil
}

func (w *walk) setExpiresDefault(_ *syntax.Node, words []syntax.Arg) *problem {
	e, wrong := parseExpiry(words[0].Text)
	if wrong != "" {
		return &problem{text: fmt.Sprintf("'ExpiresDefault %s': %s", words[0].Text, wrong), at: words[0].Range}
	}
	w.expires().Default = &e
	return nil
}

func (w *walk) setExpiresByType(_ *syntax.Node, words []syntax.Arg) *problem {
	mediaType, code := words[0].Text, words[1].Text
	if !strings.Contains(mediaType, "/") {
		return &problem{text: "Invalid mimetype: should contain a slash", at: words[0].Range}
	}
	e, wrong := parseExpiry(code)
	if wrong != "" {
		return &problem{text: fmt.Sprintf("'ExpiresByType %s %s': %s", mediaType, code, wrong), at: words[1].Range}
	}
	w.expires().set(strings.ToLower(mediaType), e)
	return nil
}

// expiryUnits are what a number may be followed by, in any case and as far as
// the letters in front of the bar. It is constant.
var expiryUnits = []struct {
	letters string
	unit    int64 // seconds
}{
	{"y", 365 * 24 * 3600}, {"mo", 30 * 24 * 3600}, {"w", 7 * 24 * 3600}, {"d", 24 * 3600}, {"h", 3600}, {"mi", 60}, {"s", 1},
}

// parseExpiry reads a code: A or M and seconds, or words. wrong is what httpd
// says of one that is no good (httpd 2.4 modules/metadata/mod_expires.c,
// check_code).
func parseExpiry(code string) (e Expiry, wrong string) {
	if strings.HasPrefix(code, "A") || strings.HasPrefix(code, "M") {
		return Expiry{time.Duration(leadingSeconds(code[1:])) * time.Second, code[0] == 'M'}, ""
	}
	words := strings.Fields(code)
	base := ""
	if len(words) > 0 {
		base, words = words[0], words[1:]
	}
	switch {
	case hasLetters(base, "n"), hasLetters(base, "a"):
	case hasLetters(base, "m"):
		e.SinceModification = true
	default:
		return Expiry{}, fmt.Sprintf("bad expires code, unrecognised <base> '%s'", base)
	}
	if len(words) > 0 && hasLetters(words[0], "p") { // plus
		words = words[1:]
	}
	seconds := int64(0)
	for ; len(words) > 0; words = words[2:] {
		if words[0][0] < '0' || words[0][0] > '9' {
			return Expiry{}, fmt.Sprintf("bad expires code, numeric value expected <num> '%s'", words[0])
		}
		if len(words) == 1 {
			return Expiry{}, "bad expires code, missing <type>"
		}
		unit := int64(0)
		for _, u := range expiryUnits {
			if hasLetters(words[1], u.letters) {
				unit = u.unit
				break
			}
		}
		if unit == 0 {
			return Expiry{}, fmt.Sprintf("bad expires code, unrecognised <type>'%s'", words[1])
		}
		seconds = min(seconds+leadingSeconds(words[0])*unit, mostSeconds)
	}
	e.After = time.Duration(seconds) * time.Second
	return e, ""
}

// hasLetters reports whether a word begins with letters, in any case.
func hasLetters(word, letters string) bool {
	return len(word) >= len(letters) && strings.EqualFold(word[:len(letters)], letters)
}

// mostSeconds bounds a time: a time.Duration holds three times as much.
const mostSeconds = 100 * 365 * 24 * 3600

// leadingSeconds is what C's atoi makes of a text, within bounds.
func leadingSeconds(s string) int64 {
	n, _ := leadingNumber(s)
	return max(-mostSeconds, min(n, mostSeconds))
}
