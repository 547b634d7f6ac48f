package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"testing"

	"github.com/wshttpd/wshttpd/bench/load"
)

func TestUnknownCommandIsAnError(t *testing.T) {
	for _, args := range [][]string{nil, {"ab"}, {"-h"}} {
		if err := command(args, io.Discard); !errors.Is(err, errUsage) {
			t.Errorf("command(%q) = %v", args, err)
		}
	}
	if err := command([]string{"foreign", "-raw"}, io.Discard); err == nil {
		t.Error("the foreign client speaks without WebSocket")
	}
}

func TestEchoPrintsOneLineOfJSON(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	var out bytes.Buffer
	err = command([]string{"echo", "-addr", l.Addr().String(), "-raw", "-connections", "2", "-warm", "1ms", "-time", "10ms"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	var r load.Result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Messages < 2 || bytes.Count(out.Bytes(), []byte("\n")) != 1 {
		t.Errorf("%s: %v", out.Bytes(), err)
	}
}

func TestHelpIsNoError(t *testing.T) {
	if err := generate("echo", []string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("error %v", err)
	}
}
