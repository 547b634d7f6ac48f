package httpdconf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// globalOnly lists, in lower case and sorted, what httpd 2.4.71 refuses in a
// VirtualHost although the tables' flags allow it there. It is constant.
var globalOnly = []string{
	"<authnprovideralias", "<authzprovideralias", "acceptfilter", "asyncrequestworkerfactor", "authncacheenable",
	"authncachesocache", "authnzfcgidefineprovider", "chrootdir", "coredumpdirectory", "extendedstatus", "globallog",
	"gracefulshutdowntimeout", "group", "heartbeataddress", "heartbeatlisten", "heartbeatmaxservers", "heartbeatstorage",
	"ldapcacheentries", "ldapcachettl", "ldapconnectiontimeout", "ldaplibrarydebug", "ldapopcacheentries", "ldapopcachettl",
	"ldapretries", "ldapretrydelay", "ldapsharedcachefile", "ldapsharedcachesize", "ldaptimeout", "ldaptrustedglobalcert",
	"ldapverifyservercert", "listen", "listenbacklog", "listencoresbucketsratio", "listentcpdeferaccept", "maxclients",
	"maxconnectionsperchild", "maxmemfree", "maxrequestsperchild", "maxrequestworkers", "maxspareservers", "maxsparethreads",
	"minspareservers", "minsparethreads", "mutex", "pidfile", "proxyhctpsize", "receivebuffersize", "regexdefaultoptions",
	"registerhttpmethod", "scoreboardfile", "scriptsock", "seerequesttail", "sendbuffersize", "serverlimit", "servertokens",
	"sessioncryptodriver", "sslcryptodevice", "sslfips", "sslpassphrasedialog", "sslrandomseed", "sslsessioncache",
	"sslstaplingcache", "sslvhostsnipolicy", "startservers", "suexec", "threadlimit", "threadsperchild", "threadstacksize", "user",
	"watchdoginterval", "websocketeventloops", "xml2encalias",
}

// outsideHosts refuses in a VirtualHost what concerns the whole server (httpd
// 2.4 server/core.c, ap_check_cmd_context with GLOBAL_ONLY).
func (w *walk) outsideHosts(n *syntax.Node, info *directiveInfo) *problem {
	if w.host == w.config.Main {
		return nil
	}
	if _, found := slices.BinarySearch(globalOnly, strings.ToLower(info.Name)); !found {
		return nil
	}
	name := info.Name
	if strings.HasPrefix(name, "<") {
		name += ">"
	}
	return &problem{text: fmt.Sprintf("%s cannot occur within <VirtualHost> section", name), at: n.NameRange()}
}
