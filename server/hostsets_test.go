package server

import "strings"

// hostSets are the sets of virtual hosts that httpd and this server have to
// agree in. It is constant.
var hostSets = []hostSet{
	{"no host", "", nil},
	{"any address on a port", vhost("*:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example", "ServerAlias c.example"), nil},
	{"any address, any port", vhost("*:*", "ServerName a.example") + vhost("*:*", "ServerName b.example"), nil},
	{"any port, spelt short", vhost("*", "ServerName a.example") + vhost("*", "ServerName b.example"), nil},
	{"any port in front of one", vhost("*", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"one port in front of any", vhost("*:PORT1", "ServerName b.example") + vhost("*", "ServerName a.example"), nil},
	{"a port, any, the port", vhost("*:PORT1", "ServerName a.example") + vhost("*", "ServerName b.example") + vhost("*:PORT1", "ServerName c.example"), nil},
	{"any, the port, any", vhost("*", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example") + vhost("*", "ServerName c.example"), nil},
	{"default", vhost("_default_:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"default without a port", vhost("_default_", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"default of any port", vhost("_default_:*", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"an address", vhost("127.0.0.1:PORT1", "ServerName a.example") + vhost("127.0.0.1:PORT1", "ServerName b.example"), nil},
	{"an address of any port", vhost("127.0.0.1:*", "ServerName a.example") + vhost("127.0.0.1:*", "ServerName b.example"), nil},
	{"an address without a port", vhost("127.0.0.1", "ServerName a.example") + vhost("127.0.0.2", "ServerName b.example"), nil},
	{"an address of any port, then of one", vhost("127.0.0.1:*", "ServerName a.example") + vhost("127.0.0.1:PORT1", "ServerName b.example"), nil},
	{"an address of one port, then of any", vhost("127.0.0.1:PORT1", "ServerName a.example") + vhost("127.0.0.1:*", "ServerName b.example"), nil},
	{"an address of one port, of any, of the other", vhost("127.0.0.1:PORT1", "ServerName a.example") + vhost("127.0.0.1:*", "ServerName b.example") + vhost("127.0.0.1:PORT2", "ServerName c.example"), nil},
	{"an address against any", vhost("*:PORT1", "ServerName a.example") + vhost("127.0.0.2:PORT1", "ServerName b.example"), nil},
	{"an address of any port against any on the port", vhost("*:PORT1", "ServerName a.example") + vhost("127.0.0.2:*", "ServerName b.example"), nil},
	{"several addresses", vhost("127.0.0.1:PORT1 127.0.0.2:PORT1", "ServerName a.example") + vhost("127.0.0.2:PORT1 [::1]:PORT1", "ServerName b.example"), nil},
	{"an address and any", vhost("127.0.0.1:PORT1 *:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"any twice", vhost("*:PORT1 _default_:PORT1", "ServerName a.example") + vhost("*:PORT1 *:PORT2", "ServerName b.example"), nil},
	{"zero of IPv4", vhost("0.0.0.0:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"zero of IPv6", vhost("[::]:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"zeros of both", vhost("[::]:PORT1", "ServerName a.example") + vhost("0.0.0.0:PORT1", "ServerName b.example") + vhost("0.0.0.0", "ServerName c.example"), nil},
	{"IPv6", vhost("[::1]:PORT1", "ServerName a.example") + vhost("[::1]:PORT1", "ServerName b.example"), nil},
	{"IPv6 written long", vhost("[0:0:0:0:0:0:0:1]:PORT1", "ServerName a.example") + vhost("[::1]:*", "ServerName b.example"), nil},
	{"mapped IPv4", vhost("[::ffff:127.0.0.1]:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"a name as address", vhost("localhost:PORT1", "ServerName a.example") + vhost("localhost:PORT1", "ServerName b.example"), nil},
	{"a name that does not resolve", vhost("none.invalid:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"wildcards of ServerAlias", vhost("*:PORT1", "ServerName a.example", "ServerAlias *.wild.example") + vhost("*:PORT1", "ServerName b.example", "ServerAlias x.wild.example ?.example"), nil},
	{"wildcards across hosts", vhost("*:PORT1", "ServerName a.example", "ServerAlias b.*") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"a wildcard of all", vhost("*:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example", "ServerAlias *"), nil},
	{"no ServerName", vhost("*:PORT1") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"no ServerName behind others", vhost("*:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerAlias b.example"), nil},
	{"no ServerName at an address", vhost("127.0.0.1:PORT1", "ServerAlias a.example") + vhost("127.0.0.1:PORT1", "ServerName b.example"), nil},
	{"the same name twice", vhost("*:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example") + vhost("*:PORT1", "ServerName B.example", "ServerAlias a.example"), nil},
	{"an alias in front of the name", vhost("*:PORT1", "ServerName a.example", "ServerAlias b.example") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"the main server's name", vhost("*:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName main.example"), nil},
	{"a name, by the address in front of it", vhost("127.0.0.1:PORT1", "ServerName a.example") + vhost("localhost:PORT1", "ServerName b.example") + vhost("*:PORT1 _default_:PORT1", "ServerName c.example"),
		[]string{"GET /a.txt HTTP/1.1\r\nHost: _default_\r\n\r\n"}},
	{"a name, by the default", vhost("*:PORT1", "ServerName a.example") + vhost("_default_:PORT1", "ServerName b.example") + vhost("0.0.0.0:PORT1", "ServerName c.example"),
		[]string{"GET /a.txt HTTP/1.1\r\nHost: _default_\r\n\r\n", "GET /a.txt HTTP/1.1\r\nHost: 0.0.0.0\r\n\r\n"}},
	{"an alias in front of an address", vhost("127.0.0.1:PORT1", "ServerName a.example") + vhost("127.0.0.1:PORT1", "ServerName b.example", "ServerAlias 127.0.0.1 [::1]"), nil},
	{"an alias of IPv6", vhost("*:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example", "ServerAlias ::1 0::2") + vhost("*:PORT1", "ServerName c.example", "ServerAlias [0:0::1] ?0::3?"),
		[]string{"GET /a.txt HTTP/1.1\r\nHost: [0::2]\r\n\r\n", "GET /a.txt HTTP/1.1\r\nHost: [0::3]\r\n\r\n", "GET http://[0::2]/a.txt HTTP/1.1\r\nHost: x\r\n\r\n"}},
	{"IPv6 by the address", vhost("*:PORT1", "ServerName a.example") + vhost("[::1]:PORT1", "ServerName b.example") + vhost("[0:0::1]:PORT1", "ServerName c.example"), nil},
	{"ServerName with scheme and port", vhost("*:PORT1", "ServerName http://a.example:88") + vhost("*:PORT1", "ServerName https://b.example"), nil},
	{"UseCanonicalName", "UseCanonicalName On\n" + vhost("*:PORT1", "ServerName a.example:88") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"UseCanonicalName by host", vhost("*:PORT1", "ServerName a.example", "UseCanonicalName On") + vhost("*:PORT1", "ServerName b.example", "UseCanonicalName Off"), nil},
	{"UseCanonicalName without a name", "UseCanonicalName On\n" + vhost("*:PORT1", "ServerAlias a.example") + vhost("127.0.0.2:PORT1", "ServerAlias b.example"), nil},
	{"UseCanonicalPhysicalPort", "UseCanonicalName On\nUseCanonicalPhysicalPort On\n" + vhost("*:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example:88"), nil},
	{"UseCanonicalPhysicalPort alone", "UseCanonicalPhysicalPort On\n" + vhost("*:PORT1", "ServerName a.example:88") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"ServerPath", vhost("*:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example", "ServerPath /sub") + vhost("*:PORT1", "ServerName c.example", "ServerPath /su/"),
		[]string{"GET /sub/other.html HTTP/1.0\r\n\r\n", "GET /sub/../a.txt HTTP/1.0\r\n\r\n", "GET /su/../a.txt HTTP/1.0\r\n\r\n", "GET /subx/../a.txt HTTP/1.0\r\n\r\n", "GET /%73ub/../a.txt HTTP/1.0\r\n\r\n"}},
	{"StrictHostCheck", "StrictHostCheck On\n" + vhost("*:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example", "ServerAlias *.wild.example"), nil},
	{"StrictHostCheck Off", "StrictHostCheck On\n" + vhost("*:PORT1", "ServerName a.example", "StrictHostCheck Off") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"StrictHostCheck in a host", vhost("*:PORT1", "ServerName a.example", "StrictHostCheck On") + vhost("*:PORT1", "ServerName b.example"), nil},
	{"absolute targets", vhost("*:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example"), absoluteTargets},
	{"absolute targets under UseCanonicalName", "UseCanonicalName On\n" + vhost("*:PORT1", "ServerName a.example") + vhost("*:PORT1", "ServerName b.example:99"), absoluteTargets},
	{"hosts of digits", vhost("*:PORT1", "ServerName a.example"), hostsOfDigits()},
	{"limits of the first host", "LimitRequestLine 200\n" + vhost("*:PORT1", "ServerName a.example", "LimitRequestLine 100", "LimitRequestFieldSize 60", "LimitRequestFields 4") + vhost("*:PORT1", "ServerName b.example", "LimitRequestLine 300"), limitTargets()},
	{"limits of the main server", "LimitRequestLine 100\nLimitRequestFieldSize 60\nLimitRequestFields 4\n" + vhost("*:PORT1", "ServerName a.example", "LimitRequestLine 300", "LimitRequestFieldSize 300", "LimitRequestFields 9") + vhost("*:PORT1", "ServerName b.example"), limitTargets()},
}

// absoluteTargets are requests whose target and Host do not agree. Not among
// them are those that break RFC 9112, section 3.2, and are answered 400 here
// alone: two lines of Host, or an empty one, behind such a target.
var absoluteTargets = []string{
	"GET http://b.example/a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n", "GET http://a.example/a.txt HTTP/1.1\r\nHost: b.example\r\n\r\n",
	"GET http://b.example/sub HTTP/1.1\r\nHost: a.example\r\n\r\n", "GET http://b.example:77/sub HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET http://b.example/sub HTTP/1.1\r\nHost: a.example:66\r\n\r\n", "GET http://b.example/a.txt HTTP/1.1\r\n\r\n", "GET http://b.example/a.txt HTTP/1.0\r\n\r\n",
	"GET http://b.example/a.txt HTTP/1.1\r\nHost: a/b\r\n\r\n", "GET http://b.example/a.txt HTTP/1.1\r\nHost: [\r\n\r\n",
	"GET http://b.example:/a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n", "GET http://b.example:0/a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n", "GET http://b.example:x/a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET http:///a.txt HTTP/1.1\r\nHost: b.example\r\n\r\n", "GET http://u@b.example/a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n", "GET http://B.EXAMPLE./a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET ftp://b.example/a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n", "GET HTTP://b.example/a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET http://b.example?x HTTP/1.1\r\nHost: a.example\r\n\r\n", "GET //b.example/a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n", "GET a.txt HTTP/1.1\r\nHost: b.example\r\n\r\n",
	"GET http://[::1]/a.txt HTTP/1.1\r\nHost: b.example\r\n\r\n", "GET http://[::1]:77/sub HTTP/1.1\r\nHost: b.example\r\n\r\n", "GET http://b_.example/a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET /a.txt HTTP/1.1\r\nHost: b.example:\r\n\r\n", "GET /a.txt HTTP/1.1\r\nHost: b.example:99999\r\n\r\n", "GET /a.txt HTTP/1.1\r\nHost: b.example\r\nHost: b.example\r\n\r\n",
	"OPTIONS * HTTP/1.1\r\nHost: b.example\r\n\r\n", "OPTIONS http://b.example HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET /a.txt HTTP/1.1\r\nHost: b..example\r\n\r\n", "GET /a.txt HTTP/1.1\r\nHost: b.example..\r\n\r\n", "GET /sub HTTP/1.1\r\nHost: b.example:PORT1\r\n\r\n", "GET /sub HTTP/1.1\r\nHost: b.example:80\r\n\r\n",
	"GET /sub HTTP/1.1\r\nHost: b.example\r\n\r\n", "GET /sub HTTP/1.1\r\nHost: B.example.\r\n\r\n", "GET /sub HTTP/1.1\r\nHost: [::1]\r\n\r\n", "GET /sub HTTP/1.1\r\nHost: [0::1]:88\r\n\r\n",
}

// hostsOfDigits are requests whose Host may be an address.
func hostsOfDigits() (list []string) {
	for _, host := range []string{"0", "0.", "10", "1.2.3", "1.2.3.4", "1.2.3.4.", "1.2.3.4..", "1.2.3.4.5", "1.2.3.400", "1.a", "1a", "a.1", "a.1b", "a.-b", "a._", "1.2.3.4x",
		"0x1.2.3.4", "-1", "1-2", "1_2", "01.2.3.4", "1.02.3.4", "1.0.0.4", ".1.2.3", ".a", "_"} {
		list = append(list, "GET /a.txt HTTP/1.1\r\nHost: "+host+"\r\n\r\n", "GET http://"+host+"/a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n")
	}
	return list
}

// limitTargets are requests around the limits of their sets.
func limitTargets() (list []string) {
	for _, host := range []string{"a.example", "b.example", "none.example"} {
		for _, n := range []int{80, 83, 84, 85, 86, 87, 100, 180, 183, 184, 185, 186, 187, 282, 284, 286, 400} {
			list = append(list, "GET /"+strings.Repeat("a", n)+" HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
		}
		for _, n := range []int{55, 56, 57, 58, 59, 60, 90} {
			list = append(list, "GET /a.txt HTTP/1.1\r\nHost: "+host+"\r\nX: "+strings.Repeat("y", n)+"\r\n\r\n")
		}
		for _, n := range []int{2, 3, 4, 7, 8, 9} {
			list = append(list, "GET /a.txt HTTP/1.1\r\nHost: "+host+"\r\n"+strings.Repeat("X: y\r\n", n)+"\r\n")
		}
	}
	return list
}
