package server

import "bytes"

// headScan finds the end of a request's head: at the blank line, also when that
// comes in pieces. On the way it looks for lines that end in LF alone, which
// httpd refuses.
type headScan struct {
	tail   [3]byte // the last bytes that were taken
	bareLF bool    // such a line was seen
}

// take returns how many bytes of p belong to the head, and whether it ends with
// them.
func (h *headScan) take(p []byte) (n int, ends bool) {
	for n < len(p) {
		i := bytes.IndexByte(p[n:], '\n')
		if i < 0 {
			h.keep(p[n:])
			return len(p), false
		}
		h.keep(p[n : n+i])
		n += i + 1
		isBare := h.tail[2] != '\r'
		h.bareLF = h.bareLF || isBare
		ends = isBare && h.tail[2] == '\n' || !isBare && h.tail[1] == '\n'
		h.keep([]byte{'\n'})
		if ends {
			return n, true
		}
	}
	return n, false
}

// keep remembers the end of what was taken.
func (h *headScan) keep(p []byte) {
	for _, b := range p[max(len(p)-len(h.tail), 0):] {
		h.tail[0], h.tail[1], h.tail[2] = h.tail[1], h.tail[2], b
	}
}
