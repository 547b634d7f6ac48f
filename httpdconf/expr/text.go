package expr

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
)

// plainInPath are the characters besides letters and digits that escape leaves
// alone (httpd 2.4 server/util.c, ap_os_escape_path).
const plainInPath = "$-_.+!*'(),:;@&=/~"

// escape writes what cannot stand in a path as %xx.
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if isLetter(c) || isDigit(c) || strings.IndexByte(plainInPath, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteString(hex.EncodeToString([]byte{c}))
	}
	return b.String()
}

// unescape turns %xx into characters, but leaves %2f. It is empty if one is
// malformed or stands for a zero byte (httpd 2.4 server/util.c,
// ap_unescape_url_keep2f).
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		value, err := strconv.ParseUint(s[i+1:min(i+3, len(s))], 16, 8)
		if err != nil || i+3 > len(s) || value == 0 {
			return ""
		}
		if value == '/' {
			b.WriteString(s[i : i+3])
		} else {
			b.WriteByte(byte(value))
		}
		i += 2
	}
	return b.String()
}

func base64Encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// base64Decode reads up to what is no base64. In C the text ends at a zero
// byte (APR's apr_base64_decode).
func base64Decode(s string) string {
	s = s[:span(s, func(c byte) bool { return isLetter(c) || isDigit(c) || c == '+' || c == '/' })]
	if len(s)%4 == 1 {
		s = s[:len(s)-1]
	}
	decoded, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		panic("expr: base64 that was checked: " + err.Error())
	}
	text, _, _ := strings.Cut(string(decoded), "\x00")
	return text
}

func sha1Hex(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// ldapEscape writes what is special in a distinguished name or in a filter, and
// what is no printable ASCII, as \xx (APR's apr_pescape_ldap, APR_ESCAPE_LDAP_ALL).
func ldapEscape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if ' ' <= c && c < 0x7f && strings.IndexByte(`"()*+,;<>\`, c) < 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('\\')
		b.WriteString(hex.EncodeToString([]byte{c}))
	}
	return b.String()
}
