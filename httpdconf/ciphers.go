package httpdconf

import (
	"crypto/tls"
	"slices"
	"strings"
)

// cipher is a suite that Go has, by OpenSSL's name and the words of its cipher
// strings that select it.
type cipher struct {
	id   uint16
	name string
	is   string // words, each between blanks
}

// ciphers are the suites up to TLS 1.2 in the order of preference. It is
// constant.
var ciphers = []cipher{
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384", " HIGH ECDSA aECDSA AES AES256 AESGCM AEAD ECDHE "},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384", " HIGH RSA aRSA AES AES256 AESGCM AEAD ECDHE "},
	{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305", " HIGH ECDSA aECDSA CHACHA20 AEAD ECDHE "},
	{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305", " HIGH RSA aRSA CHACHA20 AEAD ECDHE "},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256", " HIGH ECDSA aECDSA AES AES128 AESGCM AEAD ECDHE "},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256", " HIGH RSA aRSA AES AES128 AESGCM AEAD ECDHE "},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, "ECDHE-ECDSA-AES128-SHA256", " HIGH ECDSA aECDSA AES AES128 SHA256 ECDHE "},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, "ECDHE-RSA-AES128-SHA256", " HIGH RSA aRSA AES AES128 SHA256 ECDHE "},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, "ECDHE-ECDSA-AES256-SHA", " HIGH ECDSA aECDSA AES AES256 SHA1 SHA ECDHE "},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, "ECDHE-RSA-AES256-SHA", " HIGH RSA aRSA AES AES256 SHA1 SHA ECDHE "},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "ECDHE-ECDSA-AES128-SHA", " HIGH ECDSA aECDSA AES AES128 SHA1 SHA ECDHE "},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, "ECDHE-RSA-AES128-SHA", " HIGH RSA aRSA AES AES128 SHA1 SHA ECDHE "},
	{tls.TLS_RSA_WITH_AES_256_GCM_SHA384, "AES256-GCM-SHA384", " HIGH RSA aRSA kRSA AES AES256 AESGCM AEAD "},
	{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, "AES128-GCM-SHA256", " HIGH RSA aRSA kRSA AES AES128 AESGCM AEAD "},
	{tls.TLS_RSA_WITH_AES_128_CBC_SHA256, "AES128-SHA256", " HIGH RSA aRSA kRSA AES AES128 SHA256 "},
	{tls.TLS_RSA_WITH_AES_256_CBC_SHA, "AES256-SHA", " HIGH RSA aRSA kRSA AES AES256 SHA1 SHA "},
	{tls.TLS_RSA_WITH_AES_128_CBC_SHA, "AES128-SHA", " HIGH RSA aRSA kRSA AES AES128 SHA1 SHA "},
}

// CipherName is OpenSSL's name of a suite.
func CipherName(id uint16) string {
	if i := slices.IndexFunc(ciphers, func(c cipher) bool { return c.id == id }); i >= 0 {
		return ciphers[i].name
	}
	return tls.CipherSuiteName(id)
}

// cipherWords are OpenSSL's words, those that select nothing here as well: what
// Go has not cannot be chosen. It is constant.
var cipherWords = strings.Fields(`ALL COMPLEMENTOFALL COMPLEMENTOFDEFAULT DEFAULT HIGH MEDIUM LOW EXP EXPORT EXPORT40 EXPORT56 eNULL NULL aNULL kRSA aRSA RSA kDHr kDHd kDH kEDH kDHE EDH DHE
	DH ADH kEECDH kECDHE EECDH ECDHE ECDH kECDH aECDH AECDH aECDSA ECDSA aDSS DSS DSA aDH TLSv1.3 TLSv1.2 TLSv1.1 TLSv1.0 TLSv1 SSLv3 SSLv2 AES128 AES256 AES AESGCM AESCCM AESCCM8 ARIA128 ARIA256 ARIA
	CAMELLIA128 CAMELLIA256 CAMELLIA CHACHA20 3DES DES RC4 RC2 IDEA SEED MD5 SHA1 SHA SHA256 SHA384 aGOST aGOST01 kGOST GOST94 GOST89MAC PSK kPSK kECDHEPSK kDHEPSK kRSAPSK aPSK
	SUITEB128 SUITEB128ONLY SUITEB192 KRB5 SRP kSRP aSRP aKRB5 kKRB5 CBC FIPS AEAD`)

// defaultCiphers are those of DEFAULT and ALL: what Go itself offers first.
func defaultCiphers(c *cipher) bool { return !strings.Contains(c.is, " kRSA ") }

// parseCiphers reads an OpenSSL cipher string (openssl-ciphers(1)) and returns
// the suites that are left of it, in order. unknown is a word that is neither a
// suite nor one of OpenSSL's.
func parseCiphers(s string) (ids []uint16, unknown string) {
	var list []*cipher
	killed := make(map[uint16]bool)
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ':' || r == ',' || r == ' ' || r == ';' })
	for _, word := range words {
		op := byte(0)
		if strings.IndexByte("!-+", word[0]) >= 0 {
			op, word = word[0], word[1:]
		}
		if strings.HasPrefix(word, "@") {
			continue // STRENGTH and SECLEVEL: the order is Go's, weak keys are never taken
		}
		selected, known := selectCiphers(word)
		if !known {
			return nil, word
		}
		for _, c := range selected {
			at := slices.Index(list, c)
			switch {
			case op == '!':
				killed[c.id] = true
				fallthrough
			case op == '-':
				if at >= 0 {
					list = slices.Delete(list, at, at+1)
				}
			case op == '+':
				if at >= 0 {
					list = append(slices.Delete(list, at, at+1), c)
				}
			case at < 0 && !killed[c.id]:
				list = append(list, c)
			}
		}
	}
	for _, c := range list {
		ids = append(ids, c.id)
	}
	return ids, ""
}

// selectCiphers returns the suites of one word: a suite's name, a word of
// OpenSSL's, or several of these joined by plus signs.
func selectCiphers(word string) (selected []*cipher, known bool) {
	parts := strings.Split(word, "+")
	for _, part := range parts {
		if !isCipherWord(part) {
			return nil, false
		}
	}
	for i := range ciphers {
		c := &ciphers[i]
		if !slices.ContainsFunc(parts, func(part string) bool { return !c.matches(part) }) {
			selected = append(selected, c)
		}
	}
	return selected, true
}

func (c *cipher) matches(word string) bool {
	switch word {
	case "ALL":
		return true
	case "DEFAULT", "PROFILE=SYSTEM":
		return defaultCiphers(c)
	case "EECDH", "kEECDH", "kECDHE":
		word = "ECDHE"
	case "TLSv1.2":
		return strings.Contains(c.is, " SHA256 ") || strings.Contains(c.is, " AEAD ")
	case "TLSv1", "TLSv1.0", "SSLv3":
		return strings.Contains(c.is, " SHA1 ")
	}
	return c.name == word || strings.Contains(c.is, " "+word+" ")
}

// isCipherWord reports whether OpenSSL knows a word: the names of suites that Go
// lacks are told by their beginning.
func isCipherWord(word string) bool {
	if word == "PROFILE=SYSTEM" || slices.Contains(cipherWords, word) {
		return true
	}
	for _, prefix := range []string{"ECDHE-", "ECDH-", "DHE-", "DH-", "EDH-", "ADH-", "AECDH-", "AES", "CAMELLIA", "ARIA", "DES-", "RC4-", "SEED-", "IDEA-", "PSK-", "RSA-PSK-", "SRP-", "EXP-", "NULL-", "TLS_"} {
		if strings.HasPrefix(word, prefix) {
			return true
		}
	}
	return false
}
