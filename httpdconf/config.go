package httpdconf

import (
	"net/netip"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
)

// Config is the meaning of one httpd.conf with all its includes. It is plain
// data, not changed after Load has returned it but by NameHosts.
type Config struct {
	File       string // absolute path of the main file
	ServerRoot string // absolute
	Listeners  []Listener
	PidFile    string // absolute; empty where nothing sets it
	Run        Run

	Main  *Host   // everything outside VirtualHost
	Hosts []*Host // the VirtualHost sections in file order

	// BufferedLogs has lines of access logs gathered before they are written.
	BufferedLogs bool

	// Tokens is how much the Server header tells.
	Tokens Tokens

	// Modules holds what LoadModule named and what is built in, in order.
	Modules []Module

	// Plugins holds every WebSocketHandler line that was run, in file order:
	// INIT is called once for each, also where a later line replaced it.
	Plugins []*PluginRef

	// Libraries are the LoadFile lines' files, in order.
	Libraries []Library

	// OriginCheckDefault holds where no WebSocketOriginCheck says otherwise:
	// OriginSame if a directive of the fork stands anywhere, else OriginOff
	// (httpd-conf.md, settled decision 1).
	OriginCheckDefault OriginCheck
	// OriginCheckSource is the directive that made it OriginSame.
	OriginCheckSource *hcl.Range

	SNIPolicy SNIPolicy // SSLVHostSNIPolicy

	Cap Cap // of connections

	Sockets Sockets

	// GracefulTimeout is how long a graceful stop waits for connections to end;
	// 0 for as long as they last.
	GracefulTimeout time.Duration

	// Methods are those that Limit sections and RegisterHttpMethod name beyond
	// httpd's own: a file answers them 405, not 501.
	Methods []string

	// EventLoops is how many event loops are wanted; 0 leaves it to the server.
	EventLoops int

	// Files holds the source of everything read, by name, for diagnostics.
	Files map[string]*hcl.File

	verdicts []Verdict // under Options.Judge
}

// HasModule reports whether the module with this identifier
// (websocket_module) is loaded or built in.
func (c *Config) HasModule(ident string) bool {
	for _, m := range c.Modules {
		if m.Ident == ident {
			return true
		}
	}
	return false
}

// Module is one loaded module.
type Module struct {
	Ident  string // websocket_module
	Source string // mod_websocket.c; empty where unknown
	File   string // as LoadModule names it; empty for a built-in
	Static bool   // built in

	Plugin *PluginModule // what the library of a plugin has brought along, else nil
	isLeft bool          // its library is not opened here, but by others
	Range  hcl.Range
}

// Library is one file that LoadFile names.
type Library struct {
	File  string // absolute
	Range hcl.Range
}

// Listener is one Listen line.
type Listener struct {
	Host     string // address without brackets; empty listens on all, dual-stack
	Port     int
	Protocol string // http or https
	Range    hcl.Range
}

// PluginRef is one WebSocketHandler line.
type PluginRef struct {
	File    string // absolute
	Arg     string // FILE as written
	Init    string // INIT as written
	Section string // the enclosing section's opener, "<Location /echo>"
	Range   hcl.Range
	// UserConfig is a text for the init function, from a line of the section's
	// own; empty without one.
	UserConfig string
	// FileRange and InitRange are those of the two arguments.
	FileRange, InitRange hcl.Range
}

// Host is the main server or one VirtualHost. Nil and zero values of a
// virtual host have been filled from the main server where httpd inherits.
type Host struct {
	Addresses         []HostAddress // empty for the main server
	Admin             string        // ServerAdmin
	Scheme            string        // that ServerName names, "https" or empty
	Name              string        // ServerName without port; empty where not set, until NameHosts
	Port              int           // port of ServerName, 0 where that has none; without ServerName, that of the first address
	Aliases           []string      // ServerAlias, wildcards as written
	Path              string        // ServerPath, by which requests without Host find it
	Paths             PathRules
	Trace             Trace // TraceEnable
	RegisteredMethods *bool // HttpProtocolOptions RegisteredMethods; nil for LenientMethods
	StrictHost        *bool // StrictHostCheck; nil for Off
	LogUpgrade        *bool // WebSocketLogUpgrade; nil for Off

	NameRange   hcl.Range            // of ServerName
	AliasRanges map[string]hcl.Range // of the names in Aliases
	RootRange   hcl.Range            // of DocumentRoot; the zero value for the default

	DocumentRoot string        // absolute
	Timeout      time.Duration // default 60 s
	ErrorLog     string        // absolute, or a program behind |, or syslog:facility:tag; the main server's default is logs/error_log
	LogLevels    LogLevels
	ErrorFormats ErrorFormats
	TypesConfig  string // absolute; default conf/mime.types

	// Base holds the directives that stand outside any section.
	Base Records

	Limits HTTPLimits

	SSL *SSLHost // nil where no line of mod_ssl stands

	RemoteIP *RemoteIPHost // nil where no line of mod_remoteip stands

	Rewrite *RewriteHost // nil where no line of mod_rewrite stands

	// AccessLogs are the lines of CustomLog and TransferLog.
	AccessLogs []*AccessLog

	// PathAliases are the lines of Alias and AliasMatch, the host's own in front
	// of the main server's: the first that fits counts.
	PathAliases      []*Mapping
	HasLocationAlias bool // a Location of the host has an Alias of its own

	// Unserved are paths below which httpd would have run programs.
	Unserved []*Section

	// The sections in the order in which httpd's walks read them: the main
	// server's own first in each list, then the host's.
	Directories []*Section // Directory, shortest path first, then DirectoryMatch in file order
	Files       []*Section // Files and FilesMatch at server level, file order
	Locations   []*Section // Location and LocationMatch, one sequence in file order

	Range hcl.Range // the VirtualHost line
}

// HostAddress is one argument of VirtualHost.
type HostAddress struct {
	Host string // "*" for any (also _default_), else an IP address
	Port int    // 0 for any
	Name string // the host as written, by which requests may name it
}

// SectionKind says how a section matches.
type SectionKind int

// The section kinds that the walks know.
const (
	DirectorySection SectionKind = iota
	DirectoryMatchSection
	FilesSection
	FilesMatchSection
	LocationSection
	LocationMatchSection
	IfSection // the last: those in it count on by their depth
)

// Section is one container of directives that depends on a request's path.
type Section struct {
	Kind    SectionKind
	Pattern string       // path, wildcard or regular expression as written
	Regexp  *expr.Regexp // nil unless the kind is a Match or the opener has ~
	Records Records
	Files   []*Section // Files sections inside a Directory

	Condition *expr.Expr // of If and ElseIf
	Else      bool       // an ElseIf or Else: nothing where the one before it held
	Depth     int        // how many If sections it stands in

	Range hcl.Range // the opening line
}

// Records holds one record per module; nil means that the section has no
// directive of that module. merge.go says how records of later sections
// combine with earlier ones.
type Records struct {
	Core      *CoreDir
	WebSocket *WebSocketDir
	Draft76   *Draft76Dir
	Authz     *AuthzDir
	Access    *AccessDir
	Authn     *AuthnDir
	Env       *EnvDir
	SSL       *SSLDir
	Alias     *AliasDir
	Index     *IndexDir
	Mime      *MimeDir
	Headers   *HeadersDir
	Expires   *ExpiresDir
	Rewrite   *RewriteDir
	Modules   ModuleRecords // of plugins; nil where none stand
}

// CoreDir is mod_core's record of a section.
type CoreDir struct {
	Handler      *string // SetHandler, lower case; "none" takes a handler away
	HandlerRange hcl.Range
	Options      *OptionSet
	LogLevels    *LogLevels
	LimitBody    *int64 // bytes of a body; 0 for no limit, nil for DefaultLimitBody
	LimitRange   hcl.Range

	Ifs            []*Section // If, ElseIf and Else, file order
	ErrorDocuments map[int]ErrorDocument
	Signature      Signature
	CanonicalName  *bool // UseCanonicalName
	PhysicalPort   *bool // UseCanonicalPhysicalPort

	PathInfo       *bool   // AcceptPathInfo On
	DefaultCharset *string // AddDefaultCharset; "" for Off
	ETag           *ETagSet
	ForcedType     *string // ForceType; "none" for none
}

// DefaultLimitBody is the limit of a request's body in bytes where no
// LimitRequestBody stands: 1 GiB.
const DefaultLimitBody = 1 << 30

// WebSocketDir is mod_websocket's record. It is never merged: the last section
// that has one is the whole record (httpd-conf.md, section 11).
type WebSocketDir struct {
	Plugin              *PluginRef
	MaxMessageSize      int64        // bytes; 0 stands for DefaultMaxMessageSize
	OriginCheck         *OriginCheck // nil: Config.OriginCheckDefault
	OriginRange         hcl.Range
	TrustedOrigins      []string
	AllowReservedStatus bool
	UserConfig          string    // for Plugin, which has it too
	Range               hcl.Range // the section's first directive of the module
}

// Draft76Dir is mod_websocket_draft76's record, never merged either.
type Draft76Dir struct {
	Plugin         *PluginRef
	SupportDraft75 bool
	Range          hcl.Range
}

// DefaultMaxMessageSize is the limit of a message's payload in bytes where no
// MaxMessageSize stands: 32 MiB.
const DefaultMaxMessageSize = 33554432

// OriginCheck is the mode of WebSocketOriginCheck.
type OriginCheck int

// The modes of WebSocketOriginCheck.
const (
	OriginOff OriginCheck = iota
	OriginSame
	OriginTrusted
)

// AuthzDir is mod_authz_core's record: who is let in.
type AuthzDir struct {
	Root      *AuthzRule // nil where no Require stands: everybody
	Merging   AuthMerging
	Forbidden *bool  // AuthzSendForbiddenOnFailure; nil inherits
	Resolves  bool   // names of hosts may have to be looked up, which takes its time
	Section   string // the enclosing section's opener, for the log
	Range     hcl.Range
}

// AuthMerging says how the rules of a section combine with earlier ones.
type AuthMerging int

// The modes of AuthMerging. MergingUnset replaces, as MergingOff does, but not
// by a section that has no Require.
const (
	MergingUnset AuthMerging = iota
	MergingOff
	MergingAnd
	MergingOr
)

// AuthzRule is one Require line, or a container of rules.
type AuthzRule struct {
	Range    hcl.Range
	Not      bool         // Require not, RequireNone
	Limit    *MethodSet   // of a Limit section: silent on other methods
	All      bool         // of a container: RequireAll; else one is enough
	Rules    []*AuthzRule // of a container
	Provider string       // as Require names it, "valid-user"; empty for a container

	Granted  bool // of all
	Networks []netip.Prefix
	Methods  []string
	Names    []string   // of users, groups, hosts, variables
	OfUser   bool       // Expr reads the user's name
	Text     *expr.Expr // gives Names for each request; nil where they are constant
	Expr     *expr.Expr
}

// OptionSet is a set of Options flags, and which of them a section changes.
type OptionSet struct {
	Set    OptionFlags // absolute form; meaningful if Absolute
	Add    OptionFlags // +Name
	Remove OptionFlags // -Name

	Absolute bool
}

// OptionFlags are httpd's Options.
type OptionFlags int

// The Options flags that static files obey, and the others by name.
const (
	OptIndexes OptionFlags = 1 << iota
	OptIncludes
	OptIncludesNoExec
	OptFollowSymLinks
	OptSymLinksIfOwnerMatch
	OptExecCGI
	OptMultiViews
)

// LogLevel is a level of the error log, LevelEmerg (0) to LevelTrace8 (15).
type LogLevel int

// The levels of the error log in httpd's order.
const (
	LevelEmerg LogLevel = iota
	LevelAlert
	LevelCrit
	LevelError
	LevelWarn
	LevelNotice
	LevelInfo
	LevelDebug
	LevelTrace1
	LevelTrace2
	LevelTrace3
	LevelTrace4
	LevelTrace5
	LevelTrace6
	LevelTrace7
	LevelTrace8
)

// LogLevels is what LogLevel sets: a default and exceptions by module, named
// as in the log ("websocket").
type LogLevels struct {
	Default LogLevel // LevelWarn where nothing sets it
	Modules map[string]LogLevel
}
