package httpdconf

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

const apacheModules = "/usr/lib/apache2/modules"

// first are the modules that others need loaded before them. It is constant.
var first = []string{"util_ldap.c", "mod_proxy.c", "mod_cache.c", "mod_dav.c", "mod_session.c", "mod_dbd.c", "mod_slotmem_shm.c"}

// unmeasured are the modules of the table that Debian's httpd does not have.
// It is constant.
var unmeasured = []string{"mod_isapi.c", "mod_privileges.c", "mod_tls.c", "mod_websocket.c", "mod_websocket_draft76.c"}

func TestStockTableIsTheRealOnes(t *testing.T) {
	apache := realHTTPD(t)
	for _, mpm := range []string{"event.c", "worker.c", "prefork.c"} {
		t.Run(mpm, func(t *testing.T) {
			listing := listDirectives(t, apache, mpm)
			var want []string
			for _, infos := range stockTable() {
				for _, info := range infos {
					isMPM := slices.Contains([]string{"event.c", "worker.c", "prefork.c"}, info.Module)
					if slices.Contains(unmeasured, info.Module) || isMPM && info.Module != mpm {
						continue
					}
					want = append(want, fmt.Sprintf("%s (%s)\n\t%s\n%s", info.Name, info.Module, info.Usage, whereText(info)))
				}
			}
			slices.Sort(listing)
			slices.Sort(want)
			if len(listing) < 700 {
				t.Fatalf("httpd lists %d directives: there should be more than 700", len(listing))
			}
			for _, entry := range want {
				if !slices.Contains(listing, entry) {
					t.Errorf("not in httpd:\n%s", entry)
				}
			}
			for _, entry := range listing {
				if !slices.Contains(want, entry) {
					t.Errorf("not in the table:\n%s", entry)
				}
			}
		})
	}
}

// TestStockArity lets httpd say what is wrong with a directive without
// arguments, for one directive of each rule and place.
func TestStockArity(t *testing.T) {
	apache := realHTTPD(t)
	type kind struct {
		args  argRule
		where override
	}
	seen := make(map[kind]bool)
	var sample []directiveInfo
	for _, info := range slices.Concat(stockCoreRows, stockAccessRows, stockContentRows, stockOtherRows) {
		k := kind{info.Args, info.Where}
		free := info.Args == argsRaw || info.Args == argsArgv || strings.HasPrefix(info.Name, "<")
		if free || seen[k] || info.Where&topOverride == 0 {
			continue
		}
		seen[k] = true
		sample = append(sample, info)
	}
	if len(sample) < 35 {
		t.Fatalf("%d directives, want at least 35", len(sample))
	}
	for _, info := range sample {
		t.Run(info.Name, func(t *testing.T) {
			t.Parallel()
			text := runHTTPD(t, apache, "event.c", info.Name+"\n", "-t", info.Module)
			want := checkArity(&info, []syntax.Arg{})
			if !strings.Contains(text, want+"\n") {
				t.Errorf("httpd says\n%s\nwant %s", text, want)
			}
		})
	}
}

func TestStockTableIsSorted(t *testing.T) {
	for i, rows := range [][]directiveInfo{stockCoreRows, stockAccessRows, stockContentRows, stockOtherRows, stockUnbuiltRows} {
		order := func(a, b directiveInfo) int {
			return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)))
		}
		for k := 1; k < len(rows); k++ {
			if order(rows[k-1], rows[k]) >= 0 {
				t.Errorf("table %d: %s of %s stands behind %s of %s", i, rows[k].Name, rows[k].Module, rows[k-1].Name, rows[k-1].Module)
			}
		}
	}
}

// TestTiers holds the table against what the specification names, and against
// its principle: what narrows access is never ignored.
func TestTiers(t *testing.T) {
	table := stockTable()
	for tier, names := range map[tier]string{
		tierA: "LoadModule <IfModule Include Define Error <Macro Use ServerRoot Listen PidFile User Group MaxRequestWorkers MaxClients <VirtualHost" +
			" ServerName DocumentRoot DirectoryIndex Alias Redirect ErrorDocument <Location <Directory <Files SetHandler ErrorLog CustomLog LogLevel" +
			" Timeout KeepAlive RequestReadTimeout LimitRequestLine ServerTokens AddType MergeSlashes Header RequestHeader",
		tierB: "StartServers ThreadsPerChild MaxMemFree EnableSendfile AcceptFilter Mutex DefaultRuntimeDir HostnameLookups BrowserMatch SetEnv" +
			" SetEnvIf AddIcon AddLanguage IndexOptions ExpiresActive AddOutputFilterByType SetOutputFilter FileETag UserDir AccessFileName SSLRandomSeed" +
			" DefaultType RemoveHandler SetInputFilter SSLStaplingResponderTimeout",
		tierC: "Require <RequireAll Order Allow Deny Satisfy <Limit <LimitExcept AuthType AuthUserFile AuthMerging Options AllowOverride SSLEngine" +
			" SSLVerifyClient SSLRequire RewriteEngine RewriteRule <If <ElseIf <Else RemoteIPHeader TraceEnable HttpProtocolOptions Suexec ChrootDir" +
			" LuaAuthzProvider <LuaHookAccessChecker AuthLDAPURL VHostUser TLSEngine",
		tierD: "ProxyPass ProxyPassReverse ProxyRequests <Proxy Dav DBDriver Substitute ScriptAlias AddHandler Action ISAPICacheFile",
	} {
		for name := range strings.FieldsSeq(names) {
			infos := table[strings.ToLower(name)]
			if len(infos) == 0 {
				t.Errorf("%s is not in the table", name)
			}
			for _, info := range infos {
				if info.Tier != tier {
					t.Errorf("%s of %s is of tier %d, want %d", name, info.Module, info.Tier, tier)
				}
			}
		}
	}
	for _, infos := range table {
		for _, info := range infos {
			if strings.HasPrefix(info.Module, "mod_auth") && info.Tier != tierC {
				t.Errorf("%s of %s is of tier %d, want %d", info.Name, info.Module, info.Tier, tierC)
			}
		}
	}
}

// TestNothingIsSilent: a directive of a loaded module that this server does not
// have is noted or refused, also where httpd would run it while reading.
func TestNothingIsSilent(t *testing.T) {
	dir := t.TempDir()
	for _, infos := range stockTable() {
		for _, info := range infos {
			if slices.Contains(provided, info.Module) {
				continue
			}
			text := info.Name + " on b c\n"
			if strings.HasPrefix(info.Name, "<") {
				text = info.Name + " a>\n</" + info.Name[1:] + ">\n"
			}
			file := filepath.Join(dir, "httpd.conf")
			text = fmt.Sprintf("LoadModule %s none.so\n%s", identOf(info.Module), text)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, diags := Load(file, Options{Program: "httpd", ServerRoot: dir})
			said := slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return strings.Contains(d.Summary, strings.TrimPrefix(info.Name, "<")) })
			if !said {
				t.Errorf("nothing is said of\n%s", text)
			}
		}
	}
}

// whereText is the place of a directive in the words of httpd -L (httpd 2.4
// server/config.c, show_overrides).
func whereText(info *directiveInfo) string {
	w := info.Where
	place := "only outside <Directory>, <Files>, <Location>, or <If>"
	switch inside, outside := w&(accessConf|orAll) != 0, w&serverConf != 0 || w&(orAll&^(orAuthConfig|orLimit)) != 0; {
	case inside && outside:
		place = "anywhere"
	case inside:
		place = "only inside <Directory>, <Files>, <Location>, or <If>"
	}
	return "\tAllowed in *.conf " + place
}

// listDirectives returns what httpd -L says of all directives of an httpd with
// this MPM, reduced to name, owner, usage and place.
func listDirectives(t *testing.T, apache, mpm string) []string {
	t.Helper()
	var modules []string
	files, err := filepath.Glob(apacheModules + "/mod_*.so")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d modules, %v: there should be more than 100", len(files), err)
	}
	for _, file := range files {
		source := sourceOf(strings.TrimPrefix(strings.TrimSuffix(filepath.Base(file), ".so"), "mod_") + "_module")
		if !strings.HasPrefix(filepath.Base(file), "mod_mpm_") {
			modules = append(modules, source)
		}
	}
	text := runHTTPD(t, apache, mpm, "", "-L", modules...)
	var entries []string
	for line := range strings.Lines(text) {
		switch {
		case !strings.HasPrefix(line, "\t") && strings.HasSuffix(line, ".c)\n"):
			entries = append(entries, line)
		case strings.HasPrefix(line, "\twhen AllowOverride"):
		default:
			entries[len(entries)-1] += line
		}
	}
	for i, e := range entries {
		e = strings.ReplaceAll(e, " and in .htaccess", "")
		entries[i] = strings.TrimSuffix(strings.ReplaceAll(e, " [no per-dir config]", ""), "\n")
	}
	return entries
}

// runHTTPD runs the real httpd over a text, with these modules and an MPM.
func runHTTPD(t *testing.T, apache, mpm, text, option string, modules ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "httpd.conf")
	var b bytes.Buffer
	b.WriteString("ErrorLog /dev/null\nDefaultRuntimeDir /tmp\nPidFile /tmp/none\nServerName localhost\n")
	loaded := []string{mpm}
	modules = slices.Concat([]string{"mod_authz_core.c"}, first, modules)
	for _, source := range slices.Insert(modules, 0, mpm) {
		if slices.Contains(builtIn, source) || source != mpm && slices.Contains(loaded, source) {
			continue
		}
		loaded = append(loaded, source)
		ident := identOf(source)
		fmt.Fprintf(&b, "LoadModule %s %s/mod_%s.so\n", ident, apacheModules, strings.TrimSuffix(ident, "_module"))
	}
	b.WriteString(text)
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(apache, option, "-d", filepath.Dir(file), "-f", file).CombinedOutput()
	if err != nil && text == "" {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// realHTTPD returns the path of Debian's httpd.
func realHTTPD(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"apache2", "/usr/sbin/apache2"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no real httpd to compare with: apt-get install apache2")
	return ""
}

// TestGlobalOnly lets httpd refuse in a VirtualHost what the list has of the
// core and the MPM.
func TestGlobalOnly(t *testing.T) {
	apache := realHTTPD(t)
	if !slices.IsSorted(globalOnly) {
		t.Fatal("the list is not sorted")
	}
	arguments := map[argRule]string{argsTwo: "a 1", argsFlag: "On"}
	table := stockTable()
	for _, name := range globalOnly {
		infos := table[name]
		if len(infos) == 0 {
			t.Errorf("%s is not in the table", name)
			continue
		}
		if info := infos[0]; info.Module == "core.c" || info.Module == "event.c" {
			t.Run(info.Name, func(t *testing.T) {
				t.Parallel()
				line := info.Name + " " + cmp.Or(arguments[info.Args], "1")
				text := runHTTPD(t, apache, "event.c", "<VirtualHost *:9>\n"+line+"\n</VirtualHost>\n", "-t")
				if !strings.Contains(text, info.Name+" cannot occur within <VirtualHost> section") {
					t.Errorf("%s: httpd says\n%s", line, text)
				}
			})
		}
	}
}
