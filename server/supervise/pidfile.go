package supervise

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// WritePidFile writes this process's id, in place of a file that is there
// already, so that a reader never sees half of one.
func WritePidFile(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write PidFile %q: %w", path, err)
	}
	_, err = f.WriteString(strconv.Itoa(os.Getpid()) + "\n")
	if err == nil {
		err = f.Chmod(0o644)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error tells more
		return fmt.Errorf("write PidFile %q: %w", path, err)
	}
	return nil
}
