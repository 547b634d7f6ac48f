package server

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// attribute is a kind of part of a name: OpenSSL's short name, and the one in
// SSL_CLIENT_S_DN_*, which some lack.
type attribute struct{ short, variable string }

// attributes are by object identifier. It is constant.
var attributes = map[string]attribute{
	"2.5.4.3": {"CN", "CN"}, "2.5.4.4": {"SN", "S"}, "2.5.4.5": {"serialNumber", ""}, "2.5.4.6": {"C", "C"}, "2.5.4.7": {"L", "L"}, "2.5.4.8": {"ST", "ST"},
	"2.5.4.9": {"street", ""}, "2.5.4.10": {"O", "O"}, "2.5.4.11": {"OU", "OU"}, "2.5.4.12": {"title", "T"}, "2.5.4.13": {"description", "D"},
	"2.5.4.17": {"postalCode", ""}, "2.5.4.42": {"GN", "G"}, "2.5.4.43": {"initials", "I"}, "2.5.4.46": {"dnQualifier", ""}, "2.5.4.65": {"pseudonym", ""},
	"0.9.2342.19200300.100.1.1": {"UID", "UID"}, "0.9.2342.19200300.100.1.25": {"DC", ""}, "1.2.840.113549.1.9.1": {"emailAddress", "Email"},
}

// nameOf writes a name as RFC 2253 does, or as SSLOptions LegacyDNStringFormat
// says (httpd 2.4 modules/ssl/ssl_engine_vars.c,
// ssl_var_lookup_ssl_cert_dn_oneline). What cannot be read is empty.
func (e exprEnv) nameOf(raw []byte) string {
	if e.r.settings.SSL.Has(httpdconf.SSLLegacyDN) {
		return legacyName(raw)
	}
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(raw, &name); err != nil {
		return ""
	}
	slices.Reverse(name)
	var b strings.Builder
	for i, set := range name {
		if i > 0 {
			b.WriteByte(',')
		}
		for k, part := range slices.Backward(set) {
			if k < len(set)-1 {
				b.WriteByte('+')
			}
			b.WriteString(namePart(&part))
		}
	}
	return b.String()
}

func namePart(part *pkix.AttributeTypeAndValue) string {
	id := part.Type.String()
	text, isText := part.Value.(string)
	if known, is := attributes[id]; is && isText {
		return known.short + "=" + escapeName(text)
	}
	der, err := asn1.Marshal(part.Value)
	if err != nil {
		return id + "="
	}
	return id + "=#" + strings.ToUpper(hex.EncodeToString(der))
}

// escapeName escapes what has a meaning in names (RFC 2253, section 2.4, and
// OpenSSL's ASN1_STRFLGS_ESC_CTRL).
func escapeName(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\%02X`, c)
			continue
		case strings.IndexByte(`,+"\<>;`, c) >= 0, i == 0 && (c == ' ' || c == '#'), i == len(s)-1 && c == ' ':
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// legacyName is OpenSSL's X509_NAME_oneline.
func legacyName(raw []byte) string {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(raw, &name); err != nil {
		return ""
	}
	var b strings.Builder
	for _, set := range name {
		for i, part := range set {
			separator := "/"
			if i > 0 {
				separator = "+"
			}
			id := part.Type.String()
			if known, is := attributes[id]; is {
				id = known.short
			}
			b.WriteString(separator + id + "=")
			for _, c := range []byte(fmt.Sprint(part.Value)) {
				switch {
				case c < ' ' || c > '~':
					fmt.Fprintf(&b, `\x%02X`, c)
					continue
				case c == '/', c == '+':
					b.WriteByte('\\')
				}
				b.WriteByte(c)
			}
		}
	}
	return b.String()
}

// escapeValue escapes what has no place in a line, and so the escaping
// character (OpenSSL's ASN1_STRFLGS_ESC_CTRL).
func escapeValue(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\%02X`, c)
		case c == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// nameParts are the parts of a name by their variables, in upper case: CN,
// CN_0 for the same, CN_1 for the next.
func nameParts(raw []byte) map[string]string {
	parts := make(map[string]string)
	eachPart(raw, func(variable string, n int, value string) {
		variable = strings.ToUpper(variable)
		parts[variable+"_"+strconv.Itoa(n)] = value
		if n == 0 {
			parts[variable] = value
		}
	})
	return parts
}

// eachPart calls f for the parts of a name that have a variable, numbered by
// it.
func eachPart(raw []byte, f func(variable string, n int, value string)) {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(raw, &name); err != nil {
		return
	}
	count := make(map[string]int)
	for _, set := range name {
		for _, part := range set {
			variable := attributes[part.Type.String()].variable
			if value, isText := part.Value.(string); isText && variable != "" {
				f(variable, count[variable], escapeValue(value))
				count[variable]++
			}
		}
	}
}
