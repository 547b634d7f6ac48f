package logsink

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The life of a program: it is started again at once when it has ended, or
// after retryTime where it did not live that long, and has endTime to end by
// itself once its input has.
const (
	retryTime = time.Second
	endTime   = 2 * time.Second
)

// Program is a program that reads a log from its standard input. Both ends of
// the pipe stay open here, so that nothing is lost between one that ends and
// the next (httpd 2.4 server/log.c, ap_open_piped_log_ex and
// piped_log_maintenance).
type Program struct {
	Input *os.File // to write to; also another process may, which is handed it

	argv     []string
	output   *os.File // of the pipe: the program's input
	stdio    *os.File // what else the program is given; nil for /dev/null
	complain func(text string)
	ended    chan struct{} // closed when no program runs any more

	mu     sync.Mutex
	cmd    *exec.Cmd // guarded by mu
	ending bool      // guarded by mu
}

// Start starts the program that a name like "|prog arg" means: || is the same,
// |$ has a shell run the line. stdio takes what it prints, nil nothing; complain
// may be nil.
func Start(name string, stdio *os.File, complain func(text string)) (*Program, error) {
	p := &Program{argv: commandOf(name), stdio: stdio, complain: complain, ended: make(chan struct{})}
	if len(p.argv) == 0 {
		return nil, errors.New("no program stands behind |")
	}
	var err error
	if p.output, p.Input, err = os.Pipe(); err != nil {
		return nil, err
	}
	if err := p.start(); err != nil {
		_, _ = p.output.Close(), p.Input.Close()
		//lint:ignore ST1005 httpd's words
		return nil, fmt.Errorf("%s: AH00089: Couldn't start ErrorLog process '%s'.", cause(err), strings.TrimLeft(name, "|$"))
	}
	go p.keep()
	return p, nil
}

// cause is an error as httpd writes one: "(2)No such file or directory".
func cause(err error) string {
	errno, is := errors.AsType[syscall.Errno](err)
	if !is {
		return err.Error()
	}
	text := errno.Error()
	return fmt.Sprintf("(%d)%s%s", int(errno), strings.ToUpper(text[:1]), text[1:])
}

// start executes the program, which is not looked for in PATH.
func (p *Program) start() error {
	cmd := &exec.Cmd{Path: p.argv[0], Args: p.argv, Stdin: p.output}
	if p.stdio != nil {
		cmd.Stdout, cmd.Stderr = p.stdio, p.stdio
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what a terminal sends is for the server
	if err := cmd.Start(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd = cmd
	return nil
}

// keep starts the program again whenever it has ended.
func (p *Program) keep() {
	defer close(p.ended)
	for {
		began := time.Now()
		_ = p.current().Wait() // ProcessState says it
		if p.isEnding() {
			return
		}
		p.say("AH00106: piped log program '%s' failed unexpectedly: %v", strings.Join(p.argv, " "), p.current().ProcessState)
		if time.Since(began) < retryTime {
			time.Sleep(retryTime)
		}
		for p.start() != nil {
			if p.isEnding() {
				return
			}
			time.Sleep(retryTime)
		}
		if p.isEnding() { // meanwhile
			_ = p.current().Process.Signal(syscall.SIGTERM)
		}
	}
}

func (p *Program) current() *exec.Cmd {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd
}

func (p *Program) isEnding() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ending
}

func (p *Program) say(format string, args ...any) {
	if p.complain != nil {
		p.complain(fmt.Sprintf(format, args...))
	}
}

// End ends the input, and the program: by itself, or by TERM, or by KILL.
func (p *Program) End() {
	p.mu.Lock()
	p.ending = true
	p.mu.Unlock()
	_, _ = p.Input.Close(), p.output.Close() // what is in the pipe is still read
	for _, sig := range []syscall.Signal{0, syscall.SIGTERM, syscall.SIGKILL} {
		if sig != 0 {
			_ = p.current().Process.Signal(sig) // one that has ended needs none
		}
		select {
		case <-p.ended:
			return
		case <-time.After(endTime):
		}
	}
}

// commandOf returns the words of a program's name (httpd 2.4 server/log.c,
// open_error_log and log_child).
func commandOf(name string) []string {
	line := strings.TrimPrefix(strings.TrimPrefix(name, "|"), "|")
	if shell, is := strings.CutPrefix(line, "$"); is {
		return []string{"/bin/sh", "-c", shell}
	}
	return words(line)
}

// words splits a command line: at white space, but for what stands in quotes or
// behind a backslash (APR strings/apr_cstr.c and apr_tok.c,
// apr_tokenize_to_argv).
func words(line string) (list []string) {
	var b strings.Builder
	var quote byte
	inside := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && i+1 < len(line):
			i++
			b.WriteByte(line[i])
			inside = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, inside = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if inside {
				list = append(list, b.String())
				b.Reset()
				inside = false
			}
		default:
			b.WriteByte(c)
			inside = true
		}
	}
	if inside {
		list = append(list, b.String())
	}
	return list
}
