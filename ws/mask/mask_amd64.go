//go:build !purego

package mask

// haveAVX2 is whether the processor has AVX2 and the system keeps its
// registers. It is set once, before anything runs.
var haveAVX2 = detectAVX2()

// detectAVX2 asks as the Intel manual, volume 1, section 14.7.1, says.
func detectAVX2() bool {
	const (
		osxsave = 1 << 27 // leaf 1, ecx
		avx     = 1 << 28 // leaf 1, ecx
		avx2    = 1 << 5  // leaf 7, ebx
		xmmYMM  = 1<<1 | 1<<2
	)
	most, _, _ := cpuid(0, 0)
	if most < 7 {
		return false
	}
	if _, _, ecx := cpuid(1, 0); ecx&(osxsave|avx) != osxsave|avx {
		return false
	}
	_, ebx, _ := cpuid(7, 0)
	return ebx&avx2 != 0 && xgetbv()&xmmYMM == xmmYMM
}

// xorAVX2 is XORASCII for 32 bytes and more, isASCIIAVX2 IsASCII.
//
//go:noescape
func xorAVX2(key uint32, p []byte) (next uint32, ascii bool)

//go:noescape
func isASCIIAVX2(p []byte) bool

func cpuid(leaf, subleaf uint32) (eax, ebx, ecx uint32)

// xgetbv returns the low half of XCR0.
func xgetbv() uint32
