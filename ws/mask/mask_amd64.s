//go:build !purego

#include "textflag.h"

// func xorAVX2(key uint32, p []byte) (next uint32, ascii bool)
//
// The first 32 bytes and the last 32 are read before any is written and written
// after all others, so that what lies between may overlap them: it begins at a
// multiple of 32, and its end need not be met.
//
// Registers: DI where the next block is, SI where the last 32 bytes begin, R8
// where p begins; Y0 the key, turned to the block at DI; Y1 the last 32 bytes
// and Y2 the first, unmasked; Y3 all unmasked bytes together by OR.
TEXT ·xorAVX2(SB), NOSPLIT, $0-37
	MOVL         key+0(FP), AX
	MOVQ         p_base+8(FP), DI
	MOVQ         p_len+16(FP), BX
	VMOVD        AX, X0
	VPBROADCASTD X0, Y0
	LEAQ         -32(DI)(BX*1), SI

	// The key for the last 32 bytes is also the one for the byte behind them.
	MOVL         BX, CX
	SHLL         $3, CX
	MOVL         AX, DX
	RORL         CX, DX             // by CX modulo 32
	MOVL         DX, next+32(FP)
	VMOVD        DX, X1
	VPBROADCASTD X1, Y1
	VPXOR        (SI), Y1, Y1
	VMOVDQA      Y1, Y3
	CMPQ         BX, $256
	JAE          long

	// Not worth aligning.
	CMPQ DI, SI
	JAE  last

short:
	VPXOR   (DI), Y0, Y4
	VMOVDQU Y4, (DI)
	VPOR    Y4, Y3, Y3
	ADDQ    $32, DI
	CMPQ    DI, SI
	JB      short

last:
	VMOVDQU   Y1, (SI)
	VPMOVMSKB Y3, AX
	TESTL     AX, AX
	SETEQ     ascii+36(FP)
	VZEROUPPER
	RET

long:
	MOVQ         DI, R8
	VPXOR        (DI), Y0, Y2
	VPOR         Y2, Y3, Y3
	ADDQ         $32, DI
	ANDQ         $~31, DI
	MOVL         DI, CX
	SUBL         R8, CX
	SHLL         $3, CX
	RORL         CX, AX
	VMOVD        AX, X0
	VPBROADCASTD X0, Y0
	LEAQ         -96(SI), R9        // below it a block of 128 may begin

blocks:
	VPXOR   0(DI), Y0, Y4
	VPXOR   32(DI), Y0, Y5
	VPXOR   64(DI), Y0, Y6
	VPXOR   96(DI), Y0, Y7
	VMOVDQA Y4, 0(DI)
	VMOVDQA Y5, 32(DI)
	VMOVDQA Y6, 64(DI)
	VMOVDQA Y7, 96(DI)
	VPOR    Y4, Y5, Y4
	VPOR    Y6, Y7, Y6
	VPOR    Y4, Y3, Y3
	VPOR    Y6, Y3, Y3
	ADDQ    $128, DI
	CMPQ    DI, R9
	JB      blocks

	CMPQ DI, SI
	JAE  first

rest:
	VPXOR   (DI), Y0, Y4
	VMOVDQA Y4, (DI)
	VPOR    Y4, Y3, Y3
	ADDQ    $32, DI
	CMPQ    DI, SI
	JB      rest

first:
	VMOVDQU Y2, (R8)
	JMP     last

// func isASCIIAVX2(p []byte) bool
//
// Registers: DI where the next block is, SI where the last 32 bytes begin.
TEXT ·isASCIIAVX2(SB), NOSPLIT, $0-25
	MOVQ    p_base+0(FP), DI
	MOVQ    p_len+8(FP), BX
	LEAQ    -32(DI)(BX*1), SI
	LEAQ    -96(SI), R9             // below it a block of 128 may begin
	VMOVDQU (SI), Y3
	CMPQ    BX, $128
	JBE     rest

blocks:
	VMOVDQU   0(DI), Y4
	VMOVDQU   64(DI), Y5
	VPOR      32(DI), Y4, Y4
	VPOR      96(DI), Y5, Y5
	VPOR      Y4, Y5, Y4
	VPMOVMSKB Y4, AX
	TESTL     AX, AX
	JNE       other
	ADDQ      $128, DI
	CMPQ      DI, R9
	JB        blocks

rest:
	CMPQ DI, SI
	JAE  last
	VPOR (DI), Y3, Y3
	ADDQ $32, DI
	JMP  rest

last:
	VPMOVMSKB Y3, AX
	TESTL     AX, AX
	SETEQ     ret+24(FP)
	VZEROUPPER
	RET

other:
	MOVB $0, ret+24(FP)
	VZEROUPPER
	RET

// func cpuid(leaf, subleaf uint32) (eax, ebx, ecx uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-20
	MOVL leaf+0(FP), AX
	MOVL subleaf+4(FP), CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	RET

// func xgetbv() uint32
TEXT ·xgetbv(SB), NOSPLIT, $0-4
	XORL CX, CX
	XGETBV
	MOVL AX, ret+0(FP)
	RET
