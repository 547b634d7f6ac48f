package server

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
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

// typeOf returns the media type of a file, "" if none is known: of several
// extensions the last one that has a type decides (httpd 2.4
// modules/http/mod_mime.c, find_ct).
func (s *Server) typeOf(r *route, name string) (mediaType string) {
	types := s.types[r.host.TypesConfig]
	for _, ext := range extensions(name) {
		if t, known := types[ext]; known {
			mediaType = t
		}
		if r.settings.Mime == nil {
			continue
		}
		if t, known := r.settings.Mime.Types[ext]; known {
			mediaType = t
		}
	}
	return mediaType
}
