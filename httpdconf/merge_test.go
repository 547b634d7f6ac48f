package httpdconf

import (
	"reflect"
	"testing"
)

func text(s string) *string { return &s }

// TestWebSocketRecordIsReplacedWhole is the table of httpd-conf.md, section 11.
func TestWebSocketRecordIsReplacedWhole(t *testing.T) {
	plugin, other := &PluginRef{Init: "a"}, &PluginRef{Init: "b"}
	base := Records{
		Core:      &CoreDir{Handler: text("websocket-handler")},
		WebSocket: &WebSocketDir{Plugin: plugin, MaxMessageSize: 10},
		Draft76:   &Draft76Dir{Plugin: plugin, SupportDraft75: true},
	}
	tests := []struct {
		name   string
		over   Records
		plugin *PluginRef
		limit  int64
	}{
		{"a section without a directive of the module inherits", Records{Core: &CoreDir{}}, plugin, 10},
		{"a limit alone drops the plugin", Records{WebSocket: &WebSocketDir{MaxMessageSize: 20}}, nil, 20},
		{"another plugin resets the limit", Records{WebSocket: &WebSocketDir{Plugin: other}}, other, 0},
		{"the same plugin resets it too", Records{WebSocket: &WebSocketDir{Plugin: plugin}}, plugin, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := base.Merge(tt.over)
			if m.WebSocket.Plugin != tt.plugin || m.WebSocket.MaxMessageSize != tt.limit {
				t.Errorf("merged to %+v", m.WebSocket)
			}
			if *m.Core.Handler != "websocket-handler" || m.Draft76 != base.Draft76 {
				t.Errorf("other records changed: %+v", m)
			}
		})
	}
	if m := base.Merge(Records{Draft76: &Draft76Dir{SupportDraft75: true}}); m.Draft76.Plugin != nil || m.WebSocket.Plugin != plugin {
		t.Error("SupportDraft75 alone has to take draft-76's plugin away, and only that")
	}
}

func TestCoreMergesFieldByField(t *testing.T) {
	base := Records{Core: &CoreDir{Handler: text("a"), Options: &OptionSet{Absolute: true, Set: OptIndexes}}}
	m := base.Merge(Records{Core: &CoreDir{Handler: text("none")}})
	if *m.Core.Handler != "none" || m.Core.Options.Flags() != OptIndexes {
		t.Errorf("merged to %+v", m.Core)
	}
	if *base.Core.Handler != "a" {
		t.Error("Merge changed its receiver")
	}
	if m := (Records{}).Merge(base); m.Core != base.Core {
		t.Error("nothing merged with a record is not that record")
	}
	if m := base.Merge(Records{}); m.Core != base.Core {
		t.Error("a record merged with nothing is not that record")
	}
}

func TestOptions(t *testing.T) {
	abs := func(f OptionFlags) *OptionSet { return &OptionSet{Absolute: true, Set: f} }
	add := func(f OptionFlags) *OptionSet { return &OptionSet{Add: f, Set: f} }
	remove := func(f OptionFlags) *OptionSet { return &OptionSet{Remove: f} }
	tests := []struct {
		name  string
		steps []*OptionSet
		want  OptionFlags
	}{
		{"no line is FollowSymLinks", nil, OptFollowSymLinks},
		{"plain names set exactly these", []*OptionSet{abs(OptIndexes)}, OptIndexes},
		{"None", []*OptionSet{abs(0)}, 0},
		{"signs change the default", []*OptionSet{add(OptIndexes)}, OptFollowSymLinks | OptIndexes},
		{"minus takes the default away", []*OptionSet{remove(OptFollowSymLinks)}, 0},
		{"signs change what a section around set", []*OptionSet{abs(OptIndexes | OptFollowSymLinks), remove(OptIndexes)}, OptFollowSymLinks},
		{"plain names forget what a section around set", []*OptionSet{add(OptIndexes), abs(OptMultiViews)}, OptMultiViews},
		{"a later sign wins", []*OptionSet{add(OptIndexes), remove(OptIndexes), add(OptIndexes)}, OptFollowSymLinks | OptIndexes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var o *OptionSet
			for _, step := range tt.steps {
				o = mergeOptions(o, step)
			}
			if got := o.Flags(); got != tt.want {
				t.Errorf("flags %b, want %b", got, tt.want)
			}
		})
	}
}

func TestOtherRecordsMerge(t *testing.T) {
	base := Records{
		Authz: &AuthzDir{Root: &AuthzRule{Provider: "all", Granted: true}},
		Index: &IndexDir{DirectoryIndex: []string{"a"}},
		Mime:  &MimeDir{Types: map[string]string{"a": "1", "b": "1"}, Unserved: map[string]string{"cgi": "x"}},
	}
	over := Records{
		Authz: &AuthzDir{Root: &AuthzRule{Provider: "all"}},
		Index: &IndexDir{},
		Mime:  &MimeDir{Types: map[string]string{"b": "2"}},
	}
	m := base.Merge(over)
	if m.Authz.Root.Granted {
		t.Error("a later Require has to replace the earlier one")
	}
	if !reflect.DeepEqual(m.Index.DirectoryIndex, []string{"a"}) {
		t.Errorf("index %q", m.Index.DirectoryIndex)
	}
	if !reflect.DeepEqual(m.Mime.Types, Extensions{"a": "1", "b": "2"}) || m.Mime.Unserved["cgi"] != "x" {
		t.Errorf("mime %+v", m.Mime)
	}
	if base.Mime.Types["b"] != "1" {
		t.Error("Merge changed its receiver")
	}
	if m := base.Merge(Records{Index: &IndexDir{DirectoryIndex: []string{}}}); len(m.Index.DirectoryIndex) != 0 {
		t.Errorf("disabled leaves %q", m.Index.DirectoryIndex)
	}
}

func TestLogLevels(t *testing.T) {
	l := LogLevels{Default: LevelWarn, Modules: map[string]LogLevel{"core": LevelDebug}}
	if l.Of("core") != LevelDebug || l.Of("http") != LevelWarn {
		t.Errorf("levels %v, %v", l.Of("core"), l.Of("http"))
	}
	m := l.Merge(LogLevels{Default: -1, Modules: map[string]LogLevel{"http": LevelInfo}})
	if m.Of("core") != LevelDebug || m.Of("http") != LevelInfo || m.Of("x") != LevelWarn {
		t.Errorf("merged to %+v", m)
	}
	if m := l.Merge(LogLevels{Default: LevelError}); m.Of("core") != LevelError {
		t.Errorf("a default has to forget the modules, got %+v", m)
	}
	for name, want := range map[string]LogLevel{"emerg": 0, "WARN": LevelWarn, "trace8": LevelTrace8} {
		if got, known := ParseLogLevel(name); !known || got != want {
			t.Errorf("ParseLogLevel(%q) = %v, %v", name, got, known)
		}
	}
	if _, known := ParseLogLevel("loud"); known {
		t.Error("loud is a level")
	}
}
