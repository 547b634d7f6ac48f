package proc

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func burn(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

func TestCPUIsTheClockOfThatProcess(t *testing.T) {
	before, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	burn(50 * time.Millisecond)
	own, err := OwnCPU()
	if err != nil {
		t.Fatal(err)
	}
	after, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	// The machine may have been busy with others meanwhile.
	if grown := after - before; grown < 5*time.Millisecond {
		t.Errorf("50 ms of work took %v of CPU time", grown)
	}
	if own > after || after-own > 20*time.Millisecond {
		t.Errorf("CPU of this process = %v, its own clock a moment before %v", after, own)
	}
}

func TestCPUOfAChildIsNotOurs(t *testing.T) {
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	burn(30 * time.Millisecond)
	used, err := CPU(child.Process.Pid)
	if err != nil || used > 20*time.Millisecond {
		t.Errorf("CPU of a sleeping child = %v, %v", used, err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	if used, err := CPU(child.Process.Pid); err == nil {
		t.Errorf("CPU of a process that is gone = %v", used)
	}
}

func TestNoProcessUsesNothing(t *testing.T) {
	used, err := CPU(0)
	status, err2 := ReadStatus(0)
	if used != 0 || err != nil || status != (Status{}) || err2 != nil {
		t.Errorf("CPU %v, %v; status %v, %v", used, err, status, err2)
	}
}

func TestStatusOfThisProcess(t *testing.T) {
	s, err := ReadStatus(os.Getpid())
	if err != nil || s.RSS < 1<<20 || s.RSS > 1<<30 || s.Threads < 2 {
		t.Errorf("status %+v, %v", s, err)
	}
}
