package httpdconf

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// outcome is what one line has come to.
type outcome struct {
	Verdict
	line    string
	said    bool // by a diagnostic
	changed bool // the model, by the line
}

// outcomeOf loads a configuration with one directive of a module, and without
// it.
func outcomeOf(t *testing.T, dir string, info *directiveInfo) outcome {
	t.Helper()
	o := outcome{line: strings.TrimSpace(info.Name + " " + argumentsOf(info))}
	if strings.HasPrefix(info.Name, "<") {
		inner := cmp.Or(contents[info.Name], "#")
		o.line += ">\n" + inner + "\n</" + info.Name[1:] + ">"
	}
	with, diags := loadOutcome(t, dir, info, o.line)
	without, _ := loadOutcome(t, dir, info, strings.Repeat("#\n", strings.Count(o.line, "\n"))+"#")
	o.changed = !sameModel(with, without)
	for _, v := range with.Report(diags).Verdicts {
		if v.Name == info.Name {
			o.Verdict = v
		}
	}
	o.said = slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return d.Subject != nil && d.Subject.Start.Line == o.Line })
	return o
}

// loadOutcome loads a line where its directive may stand, with its module.
func loadOutcome(t *testing.T, dir string, info *directiveInfo, line string) (*Config, hcl.Diagnostics) {
	t.Helper()
	text := "ErrorLog /dev/null\nServerName main.example\n"
	for _, source := range append(slices.Clone(first), info.Module, "mod_authz_core.c", "mod_authn_core.c", "mod_authn_file.c", "mod_auth_basic.c", "mod_authz_user.c") {
		if !slices.Contains(builtIn, source) && !strings.Contains(text, identOf(source)) {
			text += fmt.Sprintf("LoadModule %s none.so\n", identOf(source))
		}
	}
	around := surroundings[info.Name]
	if around == "" && info.Where&topOverride == 0 {
		around = "<Directory /tmp>\nLINE\n</Directory>"
	}
	text += strings.Replace(cmp.Or(around, "LINE"), "LINE", line, 1) + "\n"
	file := filepath.Join(dir, "httpd.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(file, Options{Program: "httpd", ServerRoot: dir, Judge: true})
}

// sameModel compares what two configurations mean, but for their texts.
func sameModel(a, b *Config) bool {
	x, y := *a, *b
	x.Files, y.Files, x.verdicts, y.verdicts = nil, nil, nil, nil
	return reflect.DeepEqual(&x, &y)
}

// TestOutcomeOfEachDirective takes each directive of each stock module: it is
// obeyed, which the model shows, or its line is told harmless, warned of, or
// refused with a remedy. Nothing of tier C or D passes in silence.
func TestOutcomeOfEachDirective(t *testing.T) {
	dir := outcomeFiles(t)
	seen := make(map[string]bool)
	for _, infos := range stockTable() {
		for _, info := range infos {
			o := outcomeOf(t, dir, info)
			seen[info.Name] = true
			if wrong := o.wrong(info); wrong != "" {
				t.Errorf("%s, of %s and tier %c: %s; it is %v: %s: %s", o.line, info.Module, 'A'+rune(info.Tier), wrong, o.Fate, o.How, o.Remedy)
			}
		}
	}
	for _, list := range []map[string]string{sampleArguments, contents, surroundings, obeyedUnseen} {
		for name := range list {
			if !seen[name] {
				t.Errorf("%s is no directive", name)
			}
		}
	}
}

// wrong says what is amiss with an outcome, "" if nothing is.
func (o *outcome) wrong(info *directiveInfo) string {
	hasRow := slices.ContainsFunc(commandTable()[strings.ToLower(info.Name)], func(c command) bool { return c.module == info.Module })
	switch {
	case o.Name == "":
		return "nothing is known of its line"
	case o.Line < 3 || o.Line > strings.Count(o.line, "\n")+60:
		return fmt.Sprintf("it is placed on line %d", o.Line)
	case o.Fate == Refused && hasRow && !refusedRows[info.Name]:
		return "a directive with a row is refused"
	case o.Fate == Refused && !strings.HasPrefix(info.Name, "Error") && !strings.HasPrefix(info.Name, "SSLLog") && (!strings.Contains(o.How, strings.TrimPrefix(info.Name, "<")) || o.Remedy == ""):
		return "the refusal does not name it, or has no remedy"
	case o.Fate == Refused, o.Fate == Skipped:
		return ""
	case !o.changed && !o.said && obeyedUnseen[info.Name] == "":
		return "silence"
	case o.Fate == Honoured && !o.changed && obeyedUnseen[info.Name] == "":
		return "it is said to be obeyed, and changes nothing"
	case o.Fate == Harmless && info.Tier == tierC && !slices.ContainsFunc(harmlessHere, func(prefix string) bool { return strings.HasPrefix(info.Name, prefix) }):
		return "what narrows access cannot be harmless"
	}
	return ""
}

// refusedRows are directives whose rows refuse them, with all arguments or with
// those of the sample. It is constant.
var refusedRows = map[string]bool{
	"Error": true, "Port": true, "SSLFIPS": true, "SSLInsecureRenegotiation": true, "RemoteIPProxyProtocol": true, "AuthBasicFake": true, "AuthBasicUseDigestAlgorithm": true,
	"SSLLog": true, "SSLLogLevel": true, "SSLOCSPEnable": true, "SSLOpenSSLConfCmd": true,
}

// harmlessHere begin the names of directives of tier C that narrow nothing
// here: nothing is proxied, no OCSP responder is asked, no header of the PROXY
// protocol is read. It is constant.
var harmlessHere = []string{"SSLProxy", "SSLOCSP", "RemoteIPProxyProtocolExceptions"}

// obeyedUnseen are directives whose effect is not in the model, each with the
// reason. It is constant.
var obeyedUnseen = map[string]string{
	"AllowOverride": "None is what holds", "AuthBasicProvider": "file is what holds", "AuthBasicAuthoritative": "On is what holds",
	"<Macro": "seen by Use", "UndefMacro": "seen by Use", "MacroIgnoreEmptyArgs": "seen by Macro", "MacroIgnoreBadNesting": "seen by Macro",
}

// contents are what has to stand in a section. It is constant.
var contents = map[string]string{
	"<RequireAll": "Require all granted", "<RequireAny": "Require all granted", "<RequireNone": "Require ip 10.0.0.1", "<Limit": "Require all denied",
	"<LimitExcept": "Require all denied", "<If": "SetHandler none", "<ElseIf": "SetHandler none", "<Else": "SetHandler none", "<IfModule": "ServerAdmin a", "<IfDefine": "ServerAdmin a",
	"<IfVersion": "ServerAdmin a", "<IfFile": "ServerAdmin a", "<IfDirective": "ServerAdmin a", "<IfSection": "ServerAdmin a", "<Macro": "ServerAdmin a",
}

// surroundings are what has to stand around a directive's LINE. It is constant.
var surroundings = map[string]string{
	"ServerAlias": "<VirtualHost *>\nLINE\n</VirtualHost>", "ServerPath": "<VirtualHost *>\nLINE\n</VirtualHost>",
	"ThreadsPerChild": "MaxRequestWorkers 500\nLINE", "ServerLimit": "MaxRequestWorkers 500\nLINE",
	"RewriteBase": "<Directory /tmp>\nLINE\n</Directory>", "RewriteCond": "RewriteEngine On\nLINE\nRewriteRule ^/a /b",
	"<ElseIf": "<If \"true\">\n</If>\nLINE", "<Else": "<If \"true\">\n</If>\nLINE", "Use": "<Macro m>\nServerAdmin a\n</Macro>\nLINE", "UndefMacro": "<Macro m>\n</Macro>\nLINE",
	"LogFormat": "LINE\nCustomLog logs/a n", "UnDefine": "Define A\nLINE", "<RequireAll": "<Directory /tmp>\nLINE\n</Directory>",
}

// sampleArguments are arguments that are right, where those of the rule are
// not. It is constant.
var sampleArguments = map[string]string{
	"<Else":                     "",
	"<ElseIf":                   "\"true\"",
	"<If":                       "\"true\"",
	"<IfDefine":                 "!A",
	"<IfDirective":              "Listen",
	"<IfFile":                   "list",
	"<IfModule":                 "mod_so.c",
	"<IfSection":                "Location",
	"<IfVersion":                ">= 2.4",
	"<Limit":                    "POST",
	"<LimitExcept":              "GET",
	"<Macro":                    "m",
	"<RequireAll":               "",
	"<RequireAny":               "",
	"<RequireNone":              "",
	"<VirtualHost":              "*",
	"AcceptPathInfo":            "on",
	"AddType":                   "text/x .x",
	"Alias":                     "/a /tmp",
	"AliasMatch":                "^/a /tmp",
	"allow":                     "from all",
	"AllowOverride":             "None",
	"AuthBasicProvider":         "file",
	"AuthGroupFile":             "users",
	"AuthMerging":               "And",
	"AuthType":                  "Basic",
	"AuthUserFile":              "users",
	"BrowserMatch":              "a A",
	"BrowserMatchNoCase":        "a A",
	"CustomLog":                 "logs/a \"%h\"",
	"DefaultRuntimeDir":         "run",
	"Define":                    "A b",
	"deny":                      "from all",
	"DirectoryIndexRedirect":    "on",
	"DocumentRoot":              "docs",
	"ErrorDocument":             "404 x",
	"ErrorLogFormat":            "\"%t %M\"",
	"LimitInternalRecursion":    "5",
	"ErrorLog":                  "logs/e",
	"ExpiresByType":             "text/html A600",
	"ExpiresDefault":            "A600",
	"FileETag":                  "None",
	"Group":                     "#65534",
	"Header":                    "set X y",
	"Include":                   "some.conf",
	"IncludeOptional":           "some.conf",
	"KeepAlive":                 "Off",
	"LimitRequestBody":          "10",
	"Listen":                    "127.0.0.1:8080",
	"LoadFile":                  "list",
	"LoadModule":                "env_module x",
	"LogFormat":                 "\"%h\" n",
	"LogLevel":                  "debug",
	"MaxKeepAliveRequests":      "5",
	"Options":                   "None",
	"order":                     "allow,deny",
	"PassEnv":                   "PATH",
	"PidFile":                   "logs/p",
	"Redirect":                  "/a http://h/",
	"RedirectMatch":             "^/a http://h/",
	"RedirectPermanent":         "/a http://h/",
	"RedirectTemp":              "/a http://h/",
	"RemoteIPInternalProxy":     "10.0.0.1",
	"RemoteIPInternalProxyList": "list",
	"RemoteIPTrustedProxy":      "10.0.0.1",
	"RemoteIPTrustedProxyList":  "list",
	"RequestHeader":             "set X y",
	"RequestReadTimeout":        "header=1",
	"Require":                   "all denied",
	"RewriteBase":               "/a",
	"RewriteCond":               "%{REQUEST_URI} ^/a",
	"RewriteEngine":             "On",
	"RewriteMap":                "a txt:map.txt",
	"RewriteOptions":            "Inherit",
	"RewriteRule":               "^/a /b",
	"Satisfy":                   "any",
	"ServerName":                "h.example",
	"ServerPath":                "/a",
	"ServerRoot":                "docs",
	"ServerSignature":           "On",
	"ServerTokens":              "OS",
	"SetEnv":                    "A b",
	"SetEnvIf":                  "Host a A",
	"SetEnvIfExpr":              "\"true\" A=b",
	"SetEnvIfNoCase":            "Host a A",
	"SetHandler":                "websocket-handler",
	"SSLSessionTicketKeyFile":   "ticket.key", "SSLVHostSNIPolicy": "strict", "SSLRequire": "true", "SSLCACertificatePath": "docs",
	"SSLCACertificateFile":     "cert.pem",
	"SSLCertificateChainFile":  "cert.pem",
	"SSLCertificateFile":       "cert.pem",
	"SSLCertificateKeyFile":    "cert.pem",
	"SSLCipherSuite":           "HIGH",
	"SSLEngine":                "on",
	"SSLOptions":               "+StdEnvVars",
	"SSLPassPhraseDialog":      "builtin",
	"SSLProtocol":              "TLSv1.3",
	"SSLVerifyClient":          "require",
	"Timeout":                  "5",
	"TransferLog":              "logs/t",
	"TypesConfig":              "list",
	"UnDefine":                 "A",
	"UndefMacro":               "m",
	"Use":                      "m",
	"UseCanonicalName":         "On",
	"UseCanonicalPhysicalPort": "On",
	"SendBufferSize":           "4096", "ReceiveBufferSize": "4096", "MergeSlashes": "Off", "AllowEncodedSlashes": "On",
	"TraceEnable":         "off",
	"HttpProtocolOptions": "RegisteredMethods",
	"SSLCARevocationPath": "docs", "SSLCADNRequestPath": "docs", "SSLCARevocationFile": "cert.pem", "SSLCADNRequestFile": "cert.pem", "SSLCARevocationCheck": "chain",
	"User":                 "#65534",
	"WebSocketOriginCheck": "Same",
}

// argumentsOf returns arguments for a directive.
func argumentsOf(info *directiveInfo) string {
	if sample, has := sampleArguments[info.Name]; has {
		return sample
	}
	if strings.HasPrefix(info.Name, "<") {
		return "/tmp"
	}
	return [...]string{argsRaw: "a", argsOne: "1", argsTwo: "a b", argsIterate: "a", argsIterate2: "a b", argsFlag: "On", argsNone: "", argsOneTwo: "a", argsThree: "a b c",
		argsTwoThree: "a b", argsOneTwoThree: "a", argsOneThree: "a", argsArgv: "a"}[info.Args]
}

// outcomeFiles makes what the samples name.
func outcomeFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"logs", "docs", "run"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"some.conf": "ServerAdmin a\n", "list": "10.0.0.1\n", "users": "a:b\n", "cert.pem": "x\n", "map.txt": "a b\n", "ticket.key": strings.Repeat("k", 48)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
