package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// tree says where things are: the server's source, this module's, and what is
// built.
type tree struct {
	root  string // holds the server's Makefile
	bench string
	out   string
}

func newTree(root string) (tree, error) {
	bench, err := os.Getwd()
	if err != nil {
		return tree{}, err
	}
	if _, err := os.Stat(filepath.Join(bench, "rawecho", "rawecho.c")); err != nil {
		return tree{}, fmt.Errorf("must run in the folder bench: %w", err)
	}
	if root, err = filepath.Abs(root); err != nil {
		return tree{}, err
	}
	t := tree{root, bench, filepath.Join(root, "build", "bench")}
	return t, os.MkdirAll(t.out, 0o755)
}

func (t tree) file(name string) string   { return filepath.Join(t.out, name) }
func (t tree) module(name string) string { return filepath.Join(t.root, "build", "modules", name) }
func (t tree) js(name string) string     { return filepath.Join(t.bench, "opponents", "js", name) }

// command runs a build step; what it prints is shown when it fails.
func (t tree) command(ctx context.Context, dir, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	// As in the server's Makefile: a plugin must be built like the server.
	c.Env = append(os.Environ(), "GOFLAGS=-trimpath", "GOWORK=off", "CGO_ENABLED=1")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", name, args, err, last(out, 4000))
	}
	return nil
}

func (t tree) buildC(ctx context.Context, out, source string, args ...string) error {
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	return t.command(ctx, t.bench, cc, append([]string{"-O2", "-Wall", "-Wextra", "-o", t.file(out), source}, args...)...)
}

func (t tree) buildRawEcho(ctx context.Context) error {
	return t.buildC(ctx, "rawecho", "rawecho/rawecho.c")
}

func (t tree) buildServer(ctx context.Context) error {
	return t.command(ctx, t.root, "make", "build")
}

// buildSleepy builds the plugins that block. The one in Go shares only package
// wsplugin with the server, by the replace line of this module's go.mod.
func (t tree) buildSleepy(ctx context.Context) error {
	if err := t.command(ctx, t.bench, "go", "build", "-buildmode=plugin", "-o", t.file("sleepy.so"), "./plugins/sleepy"); err != nil {
		return err
	}
	return t.buildC(ctx, "mod_websocket_sleepy.so", "plugins/sleepyc/sleepy.c", "-fPIC", "-shared", "-I"+filepath.Join(t.root, "pluginloader"))
}

func (t tree) buildOpponent(ctx context.Context, name string) error {
	return t.command(ctx, t.bench, "go", "build", "-o", t.file(name), "./opponents/"+name)
}

// installJS installs what package-lock.json names, once, without running any
// of it.
func (t tree) installJS(ctx context.Context) error {
	want, err := os.Stat(t.js("package-lock.json"))
	if err != nil {
		return err
	}
	if have, err := os.Stat(t.js("node_modules/.package-lock.json")); err == nil && !have.ModTime().Before(want.ModTime()) {
		return nil
	}
	return t.command(ctx, t.js("."), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
}

// bun returns bun's program for this machine; its install script, if it ran,
// has moved it.
func (t tree) bun() (string, error) {
	for _, pattern := range []string{"node_modules/@oven/bun-linux-*/bin/bun", "node_modules/bun/bin/bun.exe"} {
		if names, err := filepath.Glob(t.js(pattern)); err == nil && len(names) > 0 {
			return names[0], nil
		}
	}
	return "", errors.New("npm installed no bun for this machine")
}
