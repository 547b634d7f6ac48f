package pluginloader

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"
)

// childVariable names what this test binary does instead of testing, where it
// is run by a test that needs a process of its own.
const childVariable = "PLUGINLOADER_TEST_CHILD"

func TestMain(m *testing.M) {
	if job := os.Getenv(childVariable); job != "" {
		child(job)
	}
	dir, err := os.MkdirTemp("", "pluginloader")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	builds.dir = dir
	if r, w, err := os.Pipe(); err == nil { // the runtime's poller keeps two descriptors of its own
		r.Close()
		w.Close()
	}
	before := countDescriptors()
	code := m.Run()
	if code == 0 {
		code = leftOver(before)
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// leftOver says what the tests have left behind.
func leftOver(descriptors int) int {
	stacks := ""
	for range 100 {
		if runtime.NumGoroutine() <= 1 && countDescriptors() <= descriptors {
			return 0
		}
		buf := make([]byte, 1<<20)
		stacks = string(buf[:runtime.Stack(buf, true)])
		if strings.Contains(stacks, "testing.(*F).Fuzz") || strings.Contains(stacks, "os/signal") {
			return 0 // of the fuzzing engine
		}
		time.Sleep(20 * time.Millisecond)
	}
	fmt.Fprintf(os.Stderr, "left over: %d descriptors, before %d, and\n%s\n", countDescriptors(), descriptors, stacks)
	return 1
}

func countDescriptors() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

// builds holds what was built, so that it is built once.
var builds struct {
	mu   sync.Mutex
	dir  string
	made map[string]string // path of the file by command line; guarded by mu
}

// built runs a command once whose output goes behind -o, and returns a fresh
// copy of that output: to the dynamic linker each copy is a library of its own.
func built(t testing.TB, name string, command ...string) string {
	t.Helper()
	builds.mu.Lock()
	defer builds.mu.Unlock()
	key := name + " " + strings.Join(command, " ")
	if builds.made[key] == "" {
		out := filepath.Join(builds.dir, fmt.Sprintf("%d.so", len(builds.made)))
		cmd := exec.Command(command[0], append(command[1:], "-o", out)...)
		if command[0] == "go" {
			last := len(cmd.Args) - 3 // the package stands behind the flags
			cmd.Args = append(append(cmd.Args[:last:last], "-o", out), command[len(command)-1])
			cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=1", "GOFLAGS=")
		}
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v (apt-get install gcc, if it is not there)\n%s", err, text)
		}
		if builds.made == nil {
			builds.made = make(map[string]string)
		}
		builds.made[key] = out
	}
	return write(t, name, read(t, builds.made[key]))
}

// compile builds a shared object of C sources in testdata, with the CFLAGS of
// the environment and flags behind them.
func compile(t testing.TB, source string, flags ...string) string {
	t.Helper()
	command := []string{"cc", "-O1", "-Wall", "-fPIC", "-shared", "-pthread", "-I.", filepath.Join("testdata", source)}
	command = append(command, strings.Fields(os.Getenv("CFLAGS"))...)
	return built(t, strings.TrimSuffix(source, ".c")+".so", append(command, flags...)...)
}

// goBuild builds a folder in testdata.
func goBuild(t testing.TB, dir string, flags ...string) string {
	t.Helper()
	command := append([]string{"go", "build"}, flags...)
	return built(t, dir+".so", append(command, "./testdata/"+dir)...)
}

// loadable builds a folder in testdata as this test binary was built, which is
// what it can load.
func loadable(t testing.TB, dir string) string {
	t.Helper()
	return goBuild(t, dir, ownFlags()...)
}

func ownFlags() []string {
	flags := []string{"-buildmode=plugin"}
	own, ok := debug.ReadBuildInfo()
	for _, flag := range []string{"-trimpath", "-asan"} {
		if ok && setting(own, flag) == "true" {
			flags = append(flags, flag)
		}
	}
	return flags
}

func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// refusal makes sure that an error is a refusal with these words in it.
func refusal(t *testing.T, err error, sentence, cause, remedy string) {
	t.Helper()
	e, ok := err.(*Error)
	if !ok || e.Sentence != sentence || !strings.Contains(e.Cause, cause) || !strings.Contains(e.Remedy, remedy) {
		t.Errorf("refused with %+v, want %q, %q, %q", err, sentence, cause, remedy)
	}
}
