package httpdconf

import "maps"

// Merge returns the records of a path that over covers too, behind base: later
// sections go over earlier ones. Neither is changed, and the result shares
// their memory.
func (base Records) Merge(over Records) Records {
	return Records{
		Core:      mergeCore(base.Core, over.Core),
		WebSocket: replace(base.WebSocket, over.WebSocket),
		Draft76:   replace(base.Draft76, over.Draft76),
		Authz:     mergeAuthz(base.Authz, over.Authz),
		Access:    replace(base.Access, over.Access),
		Authn:     mergeAuthn(base.Authn, over.Authn),
		SSL:       mergeSSL(base.SSL, over.SSL),
		Env:       mergeEnv(base.Env, over.Env),
		Alias:     mergeAlias(base.Alias, over.Alias),
		Index:     mergeIndex(base.Index, over.Index),
		Mime:      mergeMime(base.Mime, over.Mime),
		Headers:   mergeHeaders(base.Headers, over.Headers),
		Expires:   mergeExpires(base.Expires, over.Expires),
		Rewrite:   mergeRewrite(base.Rewrite, over.Rewrite),
		Modules:   mergeModules(base.Modules, over.Modules),
	}
}

// replace merges the records of modules without a merge function:
// mod_websocket, mod_websocket_draft76 and mod_access_compat.
func replace[T any](base, over *T) *T {
	if over != nil {
		return over
	}
	return base
}

// mergeCore merges field by field (httpd 2.4 server/core.c,
// merge_core_dir_configs).
func mergeCore(base, over *CoreDir) *CoreDir {
	if base == nil || over == nil {
		return replace(base, over)
	}
	m := *base
	if over.Handler != nil {
		m.Handler, m.HandlerRange = over.Handler, over.HandlerRange
	}
	m.Options = mergeOptions(base.Options, over.Options)
	m.mergeAnswer(over)
	m.mergeFile(over)
	if over.LimitBody != nil {
		m.LimitBody, m.LimitRange = over.LimitBody, over.LimitRange
	}
	if over.LogLevels != nil {
		levels := *over.LogLevels
		if base.LogLevels != nil {
			levels = base.LogLevels.Merge(levels)
		}
		m.LogLevels = &levels
	}
	return &m
}

// mergeOptions applies the signs of a later section to what an earlier one
// has set.
func mergeOptions(base, over *OptionSet) *OptionSet {
	if base == nil || over == nil || over.Absolute {
		return replace(base, over)
	}
	return &OptionSet{
		Absolute: base.Absolute,
		Set:      base.Set&^over.Remove | over.Add,
		Add:      base.Add&^over.Remove | over.Add,
		Remove:   base.Remove&^over.Add | over.Remove,
	}
}

// Flags returns the flags that hold; without any Options line it is
// FollowSymLinks alone (httpd 2.4 include/http_core.h, OPT_DEFAULT).
func (o *OptionSet) Flags() OptionFlags {
	switch {
	case o == nil:
		return OptFollowSymLinks
	case o.Absolute:
		return o.Set
	}
	return OptFollowSymLinks&^o.Remove | o.Add
}

// Merge returns the levels of a section or host within those of l. A default
// of -1 inherits.
func (l LogLevels) Merge(over LogLevels) LogLevels {
	if over.Default >= 0 {
		return over
	}
	m := LogLevels{Default: l.Default, Modules: maps.Clone(l.Modules)}
	for name, level := range over.Modules {
		if m.Modules == nil {
			m.Modules = make(map[string]LogLevel)
		}
		m.Modules[name] = level
	}
	return m
}

// Of returns the level of a module, named as in the log.
func (l LogLevels) Of(module string) LogLevel {
	if level, set := l.Modules[module]; set {
		return level
	}
	return l.Default
}

func mergeMaps[V any](base, over map[string]V) map[string]V {
	if len(base) == 0 {
		return over
	}
	m := maps.Clone(base)
	maps.Copy(m, over)
	return m
}
