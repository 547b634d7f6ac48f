package ws

import "testing"

func TestErrorSaysItsReason(t *testing.T) {
	var d Decoder
	_, _, err := d.Next([]byte{0x83})
	if want := "frame with an unknown opcode"; err == nil || err.Error() != want {
		t.Errorf("Next(83) = %v, want %q", err, want)
	}
}
