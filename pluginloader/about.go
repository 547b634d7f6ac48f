package pluginloader

/*
#include <stdlib.h>
#include "cplugin.h"
#include "apache.h"
*/
import "C"

// Reading is what modules may ask of the configuration while it is read, and
// later.
type Reading struct {
	ServerRoot, RuntimeDir string
	Defined                func(name string) bool // by -D or Define
}

// SetReading tells modules of the configuration as it stands. It is called
// before a module's functions run on it.
func (l *Loader) SetReading(r Reading) {
	old := apache.asked.Swap(&r)
	if C.wshttpd_apr_open() == 0 || old != nil && old.ServerRoot == r.ServerRoot && old.RuntimeDir == r.RuntimeDir {
		return
	}
	C.wshttpd_set_roots(lasting.text(r.ServerRoot), lasting.text(r.RuntimeDir))
}

// Identify tells modules what the server calls itself: in the Server field, in
// its version, and when it was built.
func (l *Loader) Identify(banner, description, built string) {
	C.wshttpd_set_identity(lasting.text(banner), lasting.text(description), lasting.text(built))
}

//export wshttpd_go_defined
func wshttpd_go_defined(name *C.char) C.int {
	if r := apache.asked.Load(); r != nil && r.Defined != nil && r.Defined(C.GoString(name)) {
		return 1
	}
	return 0
}

//export wshttpd_go_version_component
func wshttpd_go_version_component(component *C.char) {
	apache.record(nil, noModule, levelInfo, Origin{}, "the Server field does not name "+C.GoString(component)+", a plugin's module")
}
