package ws

import "testing"

func TestOpcodeString(t *testing.T) {
	for op, want := range map[Opcode]string{
		Continuation: "continuation", Text: "text", Binary: "binary", Close: "close", Ping: "ping", Pong: "pong",
		3: "opcode 3", 15: "opcode 15",
	} {
		if got := op.String(); got != want {
			t.Errorf("Opcode(%d) = %q, want %q", byte(op), got, want)
		}
	}
}

func TestOpcodeKinds(t *testing.T) {
	const known, control = 0b0000_0111_0000_0111, 0b1111_1111_0000_0000
	for op := range Opcode(16) {
		if got, want := op.isKnown(), known>>op&1 == 1; got != want {
			t.Errorf("%v is known: %v, want %v", op, got, want)
		}
		if got, want := op.isControl(), control>>op&1 == 1; got != want {
			t.Errorf("%v is control: %v, want %v", op, got, want)
		}
	}
}
