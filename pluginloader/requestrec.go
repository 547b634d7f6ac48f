package pluginloader

/*
#include <stdlib.h>
#include "cplugin.h"
#include "apache.h"
*/
import "C"

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unsafe"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// AsksForRequest reports whether a plugin may call for the request_rec, so that
// its connections have to keep what Request returns.
func AsksForRequest(p wsplugin.Plugin) bool {
	_, isC := p.(*cPlugin)
	return isC
}

//export wshttpd_go_request
func wshttpd_go_request(state C.uint64_t) *C.request_rec {
	h, conn := handles.find(uint64(state))
	if conn == nil || C.wshttpd_apr_is_open() == 0 {
		return nil
	}
	known, ok := conn.(requester)
	if !ok {
		return nil
	}
	h.lending.Lock()
	defer h.lending.Unlock()
	if !h.isLive(uint64(state)) {
		return nil
	}
	if h.request == nil {
		h.request = h.newRequest(known)
	}
	return h.request
}

// newRequest makes the request_rec and what hangs on it, in a pool of its own
// that ends with the connection; nil where memory is short. lending is held.
func (h *handle) newRequest(conn requester) *C.request_rec {
	pool := C.wshttpd_pool_new(C.wshttpd_root_pool())
	if pool == nil {
		return nil
	}
	m := maker{pool}
	facts := conn.Request()
	r := (*C.request_rec)(m.zeros(C.sizeof_request_rec))
	r.pool = pool
	r.server = apache.server(facts.Host)
	r.connection = m.connection(facts, r.server)
	r.connection.id = C.long(h.state())
	m.head(r, facts)
	r.status = statusAsked
	if h.answered {
		r.status = statusUpgraded
	}
	m.addresses(r, facts)
	r.headers_in = m.table(facts.Header)
	r.headers_out = m.table(conn.ReplyFields())
	r.err_headers_out = m.table(nil)
	r.subprocess_env = m.table(facts.Env)
	r.notes = m.table(nil)
	r.trailers_in = m.table(nil)
	r.trailers_out = m.table(nil)
	r.per_dir_config = apache.server(nil).lookup_defaults
	if facts.Records != nil {
		r.per_dir_config = facts.Records.vector
	}
	r.request_config = m.vector()
	m.facts(r, facts)
	r.log = m.levels(facts.Level)
	r.request_time = C.int64_t(h.began.UnixMicro())
	return r
}

// What a request_rec has for status while on_connect runs, and from the answer
// on: ap_send_interim_response sends none but 1xx (httpd 2.4
// modules/http/http_protocol.c), so that a module of httpd has set it by then.
const (
	statusAsked    = 200
	statusUpgraded = 101
)

// maker makes what lives in one pool, which is the calling thread's alone.
type maker struct{ pool *C.apr_pool_t }

func (m maker) zeros(size int) unsafe.Pointer {
	memory := C.wshttpd_pool_zeros(m.pool, C.size_t(size))
	if memory == nil {
		panic("out of memory for the request of a plugin")
	}
	return memory
}

func (m maker) text(s string) *C.char {
	return C.wshttpd_pool_string(m.pool, (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.size_t(len(s)))
}

// optional is text, NULL for the empty string.
func (m maker) optional(s string) *C.char {
	if s == "" {
		return nil
	}
	return m.text(s)
}

func (m maker) table(list []Field) *C.apr_table_t {
	t := C.wshttpd_table_new(m.pool, C.int(len(list)+4))
	for _, f := range list {
		C.wshttpd_table_add(t, m.text(f.Name), m.text(f.Value))
	}
	return t
}

// head fills what the head of the request says.
func (m maker) head(r *C.request_rec, facts *Request) {
	const version = 1001 // HTTP/1.1
	r.the_request = m.text(facts.Line)
	r.proto_num = version
	r.protocol, r.method = m.text(facts.Protocol), m.text(facts.Method) // method_number 0 is M_GET
	r.hostname = m.optional(facts.Hostname)
	r.handler = m.optional(facts.Handler)
	r.user, r.ap_auth_type = m.optional(facts.User), m.optional(facts.AuthType)
	r.unparsed_uri, r.uri = m.text(facts.Target), m.text(facts.Path)
	r.filename = m.optional(facts.Filename)
	r.canonical_filename = r.filename
	r.path_info = m.text(facts.PathInfo)
	m.parsedURI(&r.parsed_uri, facts)
	r.args = r.parsed_uri.query
}

// facts fills what functions of httpd are asked of a request (aprequest.c).
func (m maker) facts(r *C.request_rec, facts *Request) {
	f := (*C.wshttpd_facts)(m.zeros(C.sizeof_wshttpd_facts))
	f.server_name, f.url_name = m.text(facts.ServerName), m.text(facts.ServerName)
	if strings.Contains(facts.ServerName, ":") {
		f.url_name = m.text("[" + facts.ServerName + "]")
	}
	f.server_port, f.scheme = C.uint(facts.ServerPort), m.text(facts.Scheme)
	f.document_root, f.limit_body = m.text(facts.DocumentRoot), C.int64_t(facts.LimitBody)
	f.auth_type, f.auth_name = m.optional(facts.AskedType), m.optional(facts.AskedRealm)
	f.signature = m.text(facts.Signature)
	places := unsafe.Slice((**C.wshttpd_facts)(unsafe.Pointer(r.request_config)), maxModules+1)
	places[maxModules] = f
}

// parsedURI takes the target apart (httpd 2.4 server/protocol.c, ap_parse_uri):
// an absolute one has a scheme and a host, others a path alone.
func (m maker) parsedURI(u *C.apr_uri_t, facts *Request) {
	target, query, hasQuery := strings.Cut(facts.Target, "?")
	if hasQuery {
		u.query = m.text(query)
	}
	scheme, rest, isAbsolute := strings.Cut(target, "://")
	if isAbsolute && !strings.HasPrefix(target, "/") {
		host, _, _ := strings.Cut(rest, "/")
		u.scheme, u.hostinfo, u.hostname = m.text(scheme), m.text(host), m.text(facts.Hostname)
		if _, port, err := net.SplitHostPort(host); err == nil {
			u.port_str = m.text(port)
			n, _ := strconv.ParseUint(port, 10, 16) // 0 of what is no port
			u.port = C.uint16_t(n)
		}
	}
	u.path = m.text(facts.Path) // httpd decodes it in place
	u.is_initialized = 1
}

// addresses fills whom the request is from.
func (m maker) addresses(r *C.request_rec, facts *Request) {
	r.useragent_addr, r.useragent_ip = r.connection.client_addr, r.connection.client_ip
	if facts.Client != facts.Peer {
		r.useragent_addr, r.useragent_ip = m.address(facts.Client)
	}
}

func (m maker) address(a netip.AddrPort) (*C.apr_sockaddr_t, *C.char) {
	ip := m.text(a.Addr().Unmap().String())
	return C.wshttpd_pool_address(m.pool, ip, C.int(a.Port())), ip
}

// connection makes the conn_rec.
func (m maker) connection(facts *Request, server *C.server_rec) *C.conn_rec {
	const closes = 1 // AP_CONN_CLOSE
	c := (*C.conn_rec)(m.zeros(C.sizeof_conn_rec))
	c.pool, c.base_server = m.pool, server
	c.client_addr, c.client_ip = m.address(facts.Peer)
	c.local_addr, c.local_ip = m.address(facts.Local)
	c.conn_config = m.vector()
	c.notes = m.table(nil)
	c.keepalive = closes
	return c
}

// adopt takes what the table headers_out holds for the answer, once on_connect
// has returned. A plugin that has not asked for the request has set it itself.
func (h *handle) adopt(conn wsplugin.Conn) {
	h.lending.Lock()
	defer h.lending.Unlock()
	h.answered = true
	if h.request == nil {
		return
	}
	conn.(requester).SetReplyFields(fieldsOf(h.request.headers_out))
	h.request.status = statusUpgraded
}

// fieldsOf lists a table.
func fieldsOf(t *C.apr_table_t) []Field {
	list := make([]Field, C.wshttpd_table_size(t))
	for i := range list {
		var name, value *C.char
		C.wshttpd_table_entry(t, C.int(i), &name, &value)
		list[i] = Field{C.GoString(name), C.GoString(value)}
	}
	return list
}

// setOut is header_set for a plugin that has asked for the request: the answer
// is made of the table. It reports whether that is so.
func (h *handle) setOut(state uint64, name, value *C.char) bool {
	h.lending.Lock()
	defer h.lending.Unlock()
	if !h.isLive(state) || h.request == nil {
		return false
	}
	if !h.answered {
		C.wshttpd_table_set(h.request.headers_out, name, value)
	}
	return true
}
