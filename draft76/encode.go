package draft76

import "bytes"

// AppendText appends a frame of a type from 0x00 to 0x7f. Data that holds the
// byte 0xff would end the frame early: then dst comes back as it was, and false.
// (UTF-8 never holds it.)
func AppendText(dst []byte, typ byte, data []byte) ([]byte, bool) {
	if typ&0x80 != 0 || bytes.IndexByte(data, 0xff) >= 0 {
		return dst, false
	}
	dst = append(dst, typ)
	dst = append(dst, data...)
	return append(dst, 0xff), true
}

// AppendBinary appends a frame of a type from 0x80 to 0xfe, its length in the
// fewest bytes. The type 0xff belongs to the closing handshake: for it, as for
// the types of text, dst comes back as it was, and false.
func AppendBinary(dst []byte, typ byte, data []byte) ([]byte, bool) {
	if typ&0x80 == 0 || typ == 0xff {
		return dst, false
	}
	dst = append(dst, typ)
	shift := 0
	for len(data)>>(shift+7) > 0 {
		shift += 7
	}
	for ; shift > 0; shift -= 7 {
		dst = append(dst, byte(len(data)>>shift)&0x7f|0x80)
	}
	dst = append(dst, byte(len(data))&0x7f)
	return append(dst, data...), true
}

// AppendClose appends hixie-76's closing handshake. hixie-75 has none.
func AppendClose(dst []byte) []byte { return append(dst, 0xff, 0x00) }
