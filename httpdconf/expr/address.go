package expr

import (
	"net/netip"
	"strconv"
	"strings"
)

// subnet is an address and the bits of it that count.
type subnet struct {
	bytes, mask []byte // 4 or 16 each; nil matches nothing
}

// parseSubnet reads "10", "10.1.", "10.0.0.1", "10.0.0.0/8",
// "10.0.0.0/255.0.0.0", "::1" and "fe80::/10" (APR's apr_ipsubnet_create).
func parseSubnet(s string) (subnet, bool) {
	host, bits, masked := strings.Cut(s, "/")
	address, err := netip.ParseAddr(host)
	if err != nil {
		if masked {
			return subnet{}, false
		}
		return parseNetwork(host)
	}
	// APR refuses IPv4 written as IPv6: the test turns it into IPv4 before.
	if address.Is4In6() || address.Zone() != "" {
		return subnet{}, false
	}
	mask := strings.Repeat("\xff", len(address.AsSlice()))
	net := subnet{bytes: address.AsSlice(), mask: []byte(mask)}
	if masked {
		var ok bool
		if net.mask, ok = parseMask(bits, len(net.bytes)); !ok {
			return subnet{}, false
		}
	}
	return net, true
}

// parseMask reads a number of bits, or a mask written as an IPv4 address.
func parseMask(s string, size int) ([]byte, bool) {
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n <= size*8 {
		mask := make([]byte, size)
		for i := range n {
			mask[i/8] |= 0x80 >> (i % 8)
		}
		return mask, true
	}
	address, err := netip.ParseAddr(s)
	return address.AsSlice(), err == nil && address.Is4() && size == 4
}

// parseNetwork reads up to four numbers with dots between them, and a last dot
// that need not be there; what is left out does not count.
func parseNetwork(s string) (subnet, bool) {
	numbers := strings.Split(strings.TrimSuffix(s, "."), ".")
	if len(numbers) > 4 {
		return subnet{}, false
	}
	net := subnet{bytes: make([]byte, 4), mask: make([]byte, 4)}
	for i, number := range numbers {
		n := span(number, isDigit)
		value := atoi64(number)
		if n == 0 || n < len(number) || value > 255 {
			return subnet{}, false
		}
		net.bytes[i], net.mask[i] = byte(value), 0xff
	}
	return net, true
}

// contains compares the bits that count; an IPv4 address within IPv6 is IPv4
// (APR's apr_ipsubnet_test).
func (n subnet) contains(address netip.Addr) bool {
	bytes := address.Unmap().AsSlice()
	if len(bytes) != len(n.bytes) || len(bytes) == 0 {
		return false
	}
	for i, b := range bytes {
		if (b^n.bytes[i])&n.mask[i] != 0 {
			return false
		}
	}
	return true
}

// parseAddress reads an address; names are not looked up.
func parseAddress(s string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(s)
	return address, err == nil
}
