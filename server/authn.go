package server

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/tg123/go-htpasswd"
	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// asksForPassword reports whether a route has authentication: checking a
// password takes the processor for long, and is not done in a loop.
func (r *route) asksForPassword() bool {
	return r.settings.Authn != nil && r.settings.Authn.Type == httpdconf.AuthBasic
}

// authenticate finds out who the user is, by Basic authentication. A status
// that is not 0 is the answer, with what has the client ask for a password
// (httpd 2.4 modules/aaa/mod_auth_basic.c, authenticate_basic_user).
func (s *Server) authenticate(ctx *fasthttp.RequestCtx, r *route) (status int) {
	log, client, d := s.logOf(r), r.client.String(), r.settings.Authn
	failed := func(format string, args ...any) int {
		log.printf("auth_basic", httpdconf.LevelError, client, format, args...)
		r.trace.authentication(d, "the credentials are none that fit")
		challenge(ctx, r)
		return fasthttp.StatusUnauthorized
	}
	if d == nil || d.Type != httpdconf.AuthBasic {
		log.printf("core", httpdconf.LevelError, client,
			"AH00027: No authentication done but request not allowed without authentication for %s. Authentication not configured?", r.path)
		return fasthttp.StatusInternalServerError
	}
	if d.Realm(exprEnv{ctx, r}) == "" {
		log.printf("auth_basic", httpdconf.LevelError, client, "AH01613: need AuthName: %s", r.path)
		return fasthttp.StatusInternalServerError
	}
	user, password, isFaked := certificateUser(ctx, r)
	if sent := headerLines(ctx, "Authorization"); len(sent) > 0 {
		sentUser, sentPassword, isBasic := basicCredentials(sent[0])
		switch {
		case isBasic && s.isForged(sentUser, sentPassword):
			return fasthttp.StatusForbidden
		case isFaked:
		case !isBasic:
			return failed("AH01614: client used wrong authentication scheme: %s", r.path)
		}
		if !isFaked {
			user, password = sentUser, sentPassword
		}
	} else if !isFaked {
		r.trace.authentication(d, "no Authorization header: a password is asked for")
		challenge(ctx, r)
		return fasthttp.StatusUnauthorized
	}
	r.user, r.hasUser = user, true
	hash, err := passwordOf(d.UserFile, user)
	switch {
	case err != nil:
		log.because(err).printf("authn_file", httpdconf.LevelError, client, "AH01620: Could not open password file: %s", d.UserFile)
		return fasthttp.StatusInternalServerError
	case hash == "" && d.Fallible != nil && *d.Fallible:
		log.printf("authn_core", httpdconf.LevelError, client, "AH01796: AuthType Basic configured without corresponding module")
		return fasthttp.StatusInternalServerError
	case hash == "":
		return failed("AH01618: user %s not found: %s", user, r.path)
	case !passwordFits(hash, password):
		return failed(`AH01617: user %s: authentication failure for "%s": Password Mismatch`, user, r.path)
	}
	r.trace.authentication(d, "the user and his password stand in AuthUserFile")
	return 0
}

// challenge has the client ask for a password.
func challenge(ctx *fasthttp.RequestCtx, r *route) {
	ctx.Response.Header.Set("WWW-Authenticate", `Basic realm="`+r.settings.Authn.Realm(exprEnv{ctx, r})+`"`)
}

// basicCredentials takes an Authorization header apart (RFC 7617, section 2).
func basicCredentials(header string) (user, password string, ok bool) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	encoded = strings.TrimRight(strings.TrimLeft(encoded, " \t"), "=")
	decoded, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil {
		decoded = nil // nobody is called so
	}
	user, password, _ = strings.Cut(string(decoded), ":")
	return user, password, true
}

// passwordOf returns what a file of htpasswd has behind a user's name, "" if
// he is not in it (httpd 2.4 modules/aaa/mod_authn_file.c, check_password).
func passwordOf(file, user string) (hash string, err error) {
	err = eachLine(file, func(line string) bool {
		name, rest, _ := strings.Cut(line, ":")
		if line[0] == '#' || name != user {
			return true
		}
		hash, _, _ = strings.Cut(rest, ":")
		return false
	})
	return hash, err
}

// eachLine reads the lines of a file that are not empty, until f returns false.
func eachLine(file string, f func(line string) bool) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && !f(line) {
			return nil
		}
	}
	return lines.Err()
}

// hashes are the kinds of passwords that httpd takes, but for the crypt of old:
// what is none of them fits nothing. It is constant.
var hashes = []htpasswd.PasswdParser{htpasswd.AcceptBcrypt, htpasswd.AcceptMd5, htpasswd.AcceptSha, htpasswd.AcceptCryptSha}

func passwordFits(hash, password string) bool {
	encoded := encodedPassword(hash)
	return encoded != nil && encoded.MatchesPassword(password)
}

// encodedPassword is a hash as something to hold a password against, nil if it
// is of no kind that is taken.
func encodedPassword(hash string) htpasswd.EncodedPasswd {
	if hash == fakedHash {
		return fakedCrypt{}
	}
	for _, accept := range hashes {
		if encoded, err := accept(hash); err == nil && encoded != nil {
			return encoded
		}
	}
	return nil
}

// UnusableUsers returns the users of a file of htpasswd whose password fits
// nothing here.
func UnusableUsers(file string) (users []string, err error) {
	err = eachLine(file, func(line string) bool {
		name, rest, isUser := strings.Cut(line, ":")
		hash, _, _ := strings.Cut(rest, ":")
		if isUser && line[0] != '#' && encodedPassword(hash) == nil {
			users = append(users, name)
		}
		return true
	})
	return users, err
}

// isMember reports whether a user is in one of the groups of a file of them,
// "group: user user" (httpd 2.4 modules/aaa/mod_authz_groupfile.c,
// groups_for_user).
func isMember(file, user string, groups []string) (member bool, err error) {
	err = eachLine(file, func(line string) bool {
		group, users, _ := strings.Cut(line, ":")
		named := func(wanted string) bool { return strings.EqualFold(wanted, group) }
		if line[0] != '#' && slices.ContainsFunc(groups, named) && slices.Contains(strings.Fields(users), user) {
			member = true
		}
		return !member
	})
	return member, err
}

// authorize asks the rules of Require, with what is known of the user.
func (s *Server) authorize(ctx *fasthttp.RequestCtx, r *route) httpdconf.AuthzResult {
	if r.settings.Authz.GrantsAll() && r.trace == nil {
		return httpdconf.AuthzGranted
	}
	q := &httpdconf.AuthzRequest{
		Client: r.client.Addr(), Server: localAddr(ctx).Addr(), Method: string(ctx.Method()), Env: exprEnv{ctx, r}, User: r.user,
		IsSet: r.isSet, Asked: r.trace.ruleAsker(), IsTLS: overTLS(ctx) != nil, IsVerified: isVerified(overTLS(ctx)),
	}
	if r.settings.Authz.Resolves {
		q.HostIs, q.IsAddress = r.hosts().hostIs, r.hosts().isAddressOf
	}
	q.IsMember = func(groups []string) bool {
		if r.settings.Authn == nil || r.settings.Authn.GroupFile == "" {
			s.logOf(r).printf("authz_groupfile", httpdconf.LevelError, r.client.String(), "AH01664: No group file was specified in the configuration")
			return false
		}
		member, err := isMember(r.settings.Authn.GroupFile, r.user, groups)
		if err != nil {
			s.logOf(r).because(err).printf("authz_groupfile", httpdconf.LevelError, r.client.String(), "AH01665: Could not open group file: %s", r.settings.Authn.GroupFile)
		}
		return member
	}
	return r.settings.Authz.Decide(q)
}

// closedBy says which Require has closed a path, for the log.
func closedBy(r *route, a *httpdconf.AuthzDir) string {
	return fmt.Sprintf("%s was closed by the Require in %s (%s:%d)", r.path, a.Section, a.Range.Filename, a.Range.Start.Line)
}
