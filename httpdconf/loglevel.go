package httpdconf

import "strings"

// levelNames are the names of the levels in httpd's order. It is constant.
var levelNames = []string{
	"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug",
	"trace1", "trace2", "trace3", "trace4", "trace5", "trace6", "trace7", "trace8",
}

func (l LogLevel) String() string { return levelNames[l] }

// ParseLogLevel returns the level with this name, in any case.
func ParseLogLevel(name string) (l LogLevel, known bool) {
	for i, n := range levelNames {
		if strings.EqualFold(n, name) {
			return LogLevel(i), true
		}
	}
	return LevelWarn, false
}
