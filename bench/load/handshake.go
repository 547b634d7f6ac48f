package load

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
)

// A handshake is a request and what its answer must hold.
type handshake struct {
	request []byte
	accept  []byte // Sec-WebSocket-Accept of version 13
	digest  []byte // draft-76: the 16 bytes behind the head
	close   []byte // what ends the connection
	closed  []byte // what the server answers to that
}

// newHandshakes makes n that differ.
func newHandshakes(o *Options, n int) []handshake {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([]handshake, n)
	for i := range all {
		switch o.Protocol {
		case Draft76:
			all[i] = draft76Handshake(o, random)
		case HTTP:
			all[i] = handshake{request: request(o, "close"), closed: File(o.Size)}
		default:
			all[i] = version13Handshake(o, random)
		}
	}
	return all
}

func version13Handshake(o *Options, random *rand.Rand) handshake {
	nonce := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, random.Uint64()), random.Uint64())
	key := base64.StdEncoding.EncodeToString(nonce)
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return handshake{
		request: fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n", o.Path, o.Addr, key),
		accept: base64.StdEncoding.AppendEncode(nil, sum[:]),
		close:  []byte{0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xE8 ^ 2},
		closed: []byte{0x88, 0x02, 0x03, 0xE8},
	}
}

// draft76Handshake makes a challenge (hixie-76, section 1.3).
func draft76Handshake(o *Options, random *rand.Rand) handshake {
	key1, number1 := draft76Key(random)
	key2, number2 := draft76Key(random)
	key3 := binary.BigEndian.AppendUint64(nil, random.Uint64())
	challenge := binary.BigEndian.AppendUint32(nil, number1)
	challenge = binary.BigEndian.AppendUint32(challenge, number2)
	sum := md5.Sum(append(challenge, key3...))
	return handshake{
		request: fmt.Appendf(nil, "GET %s HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nHost: %s\r\n"+
			"Origin: http://%s\r\nSec-WebSocket-Key1: %s\r\nSec-WebSocket-Key2: %s\r\n\r\n%s", o.Path, o.Addr, o.Addr, key1, key2, key3),
		digest: sum[:],
		close:  []byte{0xFF, 0},
		closed: []byte{0xFF, 0},
	}
}

// draft76Key returns a key and the number that is hidden in it: the key's
// digits divided by its spaces (hixie-76, section 4.1, steps 16 to 22).
func draft76Key(random *rand.Rand) (string, uint32) {
	spaces := 1 + random.Uint32N(12)
	number := random.Uint32N(1 << 32 / 12)
	key := []byte(strconv.FormatUint(uint64(number)*uint64(spaces), 10))
	for range 1 + random.IntN(12) {
		key = slices.Insert(key, random.IntN(len(key)+1), byte(':'+random.IntN('~'-':')))
	}
	for range spaces {
		key = slices.Insert(key, 1+random.IntN(len(key)-1), ' ')
	}
	return string(key), number
}

var (
	errHeadTooLong = errors.New("the handshake's answer is longer than 4096 bytes")
	headEnd        = []byte("\r\n\r\n")
	statusLine     = []byte("HTTP/1.1 101 ")
)

const maxHead = 4096

// check looks at all that has come of an answer. It returns how many bytes the
// answer has, 0 while more must come.
func (h *handshake) check(p []byte) (int, error) {
	i := bytes.Index(p, headEnd)
	if i < 0 {
		if len(p) > maxHead {
			return 0, errHeadTooLong
		}
		return 0, nil
	}
	end := i + len(headEnd)
	if !bytes.HasPrefix(p, statusLine) {
		return 0, fmt.Errorf("the server answers %q", firstLine(p))
	}
	if len(p) < end+len(h.digest) {
		return 0, nil
	}
	head := p[:end]
	if !has(head, "Upgrade", []byte("websocket"), bytes.EqualFold) || !has(head, "Connection", []byte("Upgrade"), bytes.EqualFold) {
		return 0, fmt.Errorf("no Upgrade or no Connection: %q", head)
	}
	if h.accept != nil && !has(head, "Sec-WebSocket-Accept", h.accept, bytes.Equal) {
		return 0, fmt.Errorf("not the Sec-WebSocket-Accept of this key: %q", head)
	}
	if !bytes.Equal(p[end:end+len(h.digest)], h.digest) {
		return 0, errors.New("not the digest of this challenge")
	}
	return end + len(h.digest), nil
}

// has reports whether a head has a field of this name and value.
func has(head []byte, name string, value []byte, equal func(a, b []byte) bool) bool {
	for {
		_, rest, found := bytes.Cut(head, []byte("\r\n"))
		if !found {
			return false
		}
		head = rest
		if len(head) > len(name) && head[len(name)] == ':' && bytes.EqualFold(head[:len(name)], []byte(name)) {
			line, _, _ := bytes.Cut(head[len(name)+1:], []byte("\r\n"))
			if equal(bytes.TrimSpace(line), value) {
				return true
			}
		}
	}
}

func firstLine(p []byte) []byte {
	line, _, _ := bytes.Cut(p, []byte("\r\n"))
	return line
}
