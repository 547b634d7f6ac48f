package ws

import "github.com/wshttpd/wshttpd/ws/mask"

// unmask undoes the masking of p, in place, and returns the key for the byte
// behind p.
func unmask(key uint32, p []byte) uint32 { return mask.XOR(key, p) }
