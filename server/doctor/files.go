package doctor

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
	"github.com/wshttpd/wshttpd/server"
)

// lookAtPasswords says at each AuthUserFile line which of its users cannot log
// in here although httpd lets them, and whether the file can be read at all.
func lookAtPasswords(cfg *httpdconf.Config, verdicts []httpdconf.Verdict) {
	for i := range verdicts {
		v := &verdicts[i]
		if v.Fate != httpdconf.Honoured || !strings.EqualFold(v.Name, "AuthUserFile") {
			continue
		}
		file, _ := syntax.Word(v.Args)
		if !filepath.IsAbs(file) {
			file = filepath.Join(cfg.ServerRoot, file)
		}
		users, err := server.UnusableUsers(file)
		switch {
		case err != nil:
			v.Notes = append(v.Notes, fmt.Sprintf("%v: whoever sends a password is answered 500", err))
		case len(users) > 0:
			v.Fate = httpdconf.Changes
			v.How = fmt.Sprintf("%s cannot log in: neither the DES crypt of old nor plain text is taken for a password", listed(users))
			v.Remedy = "give them passwords by htpasswd -B"
		}
	}
}
