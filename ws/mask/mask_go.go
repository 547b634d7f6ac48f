//go:build !amd64 || purego

package mask

const haveAVX2 = false

func xorAVX2(key uint32, p []byte) (next uint32, ascii bool) { return xorInGo(key, p) }

func isASCIIAVX2(p []byte) bool { return isASCIIInGo(p) }
