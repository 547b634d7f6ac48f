package pluginloader

/*
#include <stdlib.h>
#include "cplugin.h"
*/
import "C"

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// Describe says what kind of plugin p is, and which file it comes from, for
// logs.
func Describe(p wsplugin.Plugin) string {
	if c, ok := p.(*cPlugin); ok {
		return "C plugin " + c.path
	}
	if file := fileOf(p); file != "" {
		return "Go plugin " + file
	}
	return fmt.Sprintf("Go plugin %T", p)
}

// fileOf returns the file that has brought a plugin's type, or "": the
// description of a type lies where the linker of its file has put it.
func fileOf(p wsplugin.Plugin) string {
	if p == nil {
		return ""
	}
	return freed(C.wshttpd_file_of(C.uintptr_t(reflect.ValueOf(reflect.TypeOf(p)).Pointer())))
}

// freed makes a Go string of one of C's, which is then no more; "" of NULL.
func freed(s *C.char) string {
	defer C.free(unsafe.Pointer(s))
	return C.GoString(s)
}
