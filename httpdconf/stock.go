package httpdconf

import "strings"

// directiveInfo is what is known of one directive of a stock httpd 2.4 or of
// the WebSocket modules: one entry per owner.
type directiveInfo struct {
	Name   string // as the module spells it; sections with their bracket: "<Location"
	Module string // source name of the owner: "mod_ssl.c", "core.c"
	Args   argRule
	Where  override
	Tier   tier
	Usage  string // httpd's usage text
}

// stockTable lists every directive of a stock httpd, about 700, and those of
// the WebSocket modules. Lower-cased names find them: a name has an entry for
// each owner.
func stockTable() map[string][]*directiveInfo {
	table := make(map[string][]*directiveInfo, 800)
	for _, rows := range [][]directiveInfo{
		stockCoreRows, stockAccessRows, stockContentRows, stockOtherRows, stockUnbuiltRows, stockWebSocketRows,
	} {
		for i := range rows {
			key := strings.ToLower(rows[i].Name)
			table[key] = append(table[key], &rows[i])
		}
	}
	return table
}

// argRule says how many arguments a directive takes (httpd 2.4
// include/http_config.h, enum cmd_how).
type argRule int

const (
	argsRaw         argRule = iota // RAW_ARGS: the unsplit rest
	argsOne                        // TAKE1
	argsTwo                        // TAKE2
	argsIterate                    // ITERATE: one, may be repeated
	argsIterate2                   // ITERATE2: two, the second may be repeated
	argsFlag                       // FLAG: On or Off
	argsNone                       // NO_ARGS
	argsOneTwo                     // TAKE12
	argsThree                      // TAKE3
	argsTwoThree                   // TAKE23
	argsOneTwoThree                // TAKE123
	argsOneThree                   // TAKE13
	argsArgv                       // TAKE_ARGV: any number
)

// override is a set of contexts: where a directive may stand, or what a
// context allows (httpd 2.4 include/http_config.h).
type override int

const (
	orLimit          override = 1 << iota // OR_LIMIT
	orOptions                             // OR_OPTIONS
	orFileInfo                            // OR_FILEINFO
	orAuthConfig                          // OR_AUTHCFG
	orIndexes                             // OR_INDEXES
	orUnset                               // OR_UNSET
	accessConf                            // ACCESS_CONF: in Directory, Location and Files
	serverConf                            // RSRC_CONF: outside them
	execOnRead                            // EXEC_ON_READ: takes effect while reading
	nonFatalOverride                      // NONFATAL_OVERRIDE
	nonFatalUnknown                       // NONFATAL_UNKNOWN
	proxyConf                             // PROXY_CONF: in Proxy

	orAll = orLimit | orOptions | orFileInfo | orAuthConfig | orIndexes
)

// tier says what wshttpd does with a directive of a module that is loaded.
type tier int

const (
	tierA tier = iota // obey
	tierB             // accept, with one note at info
	tierC             // obey, or refuse to start
	tierD             // not for this server: refuse to start
)
