package server

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// mimeTypes maps extensions, in lower case and without a dot, to media types.
type mimeTypes map[string]string

// commonTypes is used where no file of types is there. It is constant.
var commonTypes = mimeTypes{
	"html": "text/html", "htm": "text/html", "css": "text/css", "js": "text/javascript", "mjs": "text/javascript",
	"json": "application/json", "txt": "text/plain", "xml": "application/xml", "svg": "image/svg+xml",
	"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
	"ico": "image/vnd.microsoft.icon", "wasm": "application/wasm", "pdf": "application/pdf",
	"woff": "font/woff", "woff2": "font/woff2", "mp4": "video/mp4", "webm": "video/webm", "mp3": "audio/mpeg",
}

// loadTypes reads the TypesConfig files. One that a line names must be there,
// as in httpd; the default one need not.
func loadTypes(cfg *httpdconf.Config) (map[string]mimeTypes, hcl.Diagnostics) {
	all := make(map[string]mimeTypes)
	var diags hcl.Diagnostics
	for _, h := range append([]*httpdconf.Host{cfg.Main}, cfg.Hosts...) {
		if _, done := all[h.TypesConfig]; done {
			continue
		}
		types, err := readTypes(h.TypesConfig)
		if err != nil {
			types = commonTypes
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagWarning,
				Summary:  fmt.Sprintf("TypesConfig %s: %v: the most common media types are used", h.TypesConfig, err),
				Extra:    &httpdconf.Place{Level: httpdconf.LevelInfo, Module: "mime"},
			})
		}
		all[h.TypesConfig] = types
	}
	return all, diags
}

// readTypes reads a file of lines with a type and its extensions.
func readTypes(name string) (mimeTypes, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	types := make(mimeTypes)
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		for _, ext := range fields[1:] {
			types[strings.ToLower(ext)] = strings.ToLower(fields[0])
		}
	}
	return types, lines.Err()
}

// extensions returns all extensions of a file name, in lower case.
func extensions(name string) []string {
	parts := strings.Split(strings.ToLower(strings.TrimLeft(name, ".")), ".")
	return parts[1:]
}

// metadata is what an answer says of a file.
type metadata struct {
	mediaType string // "" if none is known
	encoding  string // for Content-Encoding
	languages string // for Content-Language
}

// metadataOf returns what the extensions of a file's name say of it: of several
// that have a type or a charset the last one decides, languages and encodings
// add up (httpd 2.4 modules/http/mod_mime.c, find_ct, and then server/core.c,
// core_override_type, and server/protocol.c, ap_make_content_type).
func (s *Server) metadataOf(r *route, name string) metadata {
	var m metadata
	mime := r.settings.Mime
	if mime == nil {
		mime = &noMime
	}
	charset := ""
	for _, ext := range extensions(name) {
		t, isSet := mime.Types[ext]
		if !isSet {
			t = s.types[r.host.TypesConfig][ext]
		}
		m.mediaType = cmp.Or(t, m.mediaType)
		charset = cmp.Or(mime.Charsets[ext], charset)
		m.languages = listed(m.languages, mime.Languages[ext])
		if encoding := mime.Encodings[ext]; encoding != "" {
			m.encoding = strings.TrimPrefix(m.encoding+", "+encoding, ", ")
		}
	}
	if m.languages == "" && mime.DefaultLanguage != nil {
		m.languages = *mime.DefaultLanguage
	}
	m.mediaType = cmp.Or(r.forcedType, withCharset(m.mediaType, charset))
	if core := r.settings.Core; core != nil {
		m.override(core)
	}
	return m
}

// noMime stands where no line of mod_mime does. It is constant.
var noMime httpdconf.MimeDir

// listed adds an element to a list that does not have it.
func listed(list, element string) string {
	switch {
	case element == "" || slices.Contains(strings.Split(list, ", "), element):
		return list
	case list == "":
		return element
	}
	return list + ", " + element
}

// withCharset gives a media type a charset in the place of its own.
func withCharset(mediaType, charset string) string {
	if mediaType == "" || !strings.Contains(mediaType, ";") && charset == "" {
		return mediaType
	}
	parts := strings.Split(mediaType, ";")
	hasCharset := charset == ""
	for i, part := range parts {
		part = strings.TrimSpace(part)
		if charset != "" && strings.HasPrefix(strings.ToLower(part), "charset=") {
			part, hasCharset = "charset="+charset, true
		}
		parts[i] = part
	}
	if !hasCharset {
		parts = append(parts, "charset="+charset)
	}
	return strings.Join(parts, "; ")
}

// override applies ForceType and AddDefaultCharset.
func (m *metadata) override(core *httpdconf.CoreDir) {
	if forced := core.ForcedType; forced != nil && !strings.EqualFold(*forced, "none") {
		m.mediaType = *forced
	}
	charset := core.DefaultCharset
	if charset == nil || *charset == "" || strings.Contains(strings.ToLower(m.mediaType), "charset=") {
		return
	}
	for _, prefix := range []string{"text/plain", "text/html"} {
		if len(m.mediaType) >= len(prefix) && strings.EqualFold(m.mediaType[:len(prefix)], prefix) {
			m.mediaType += "; charset=" + *charset
		}
	}
}
