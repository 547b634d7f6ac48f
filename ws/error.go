package ws

// Error is a violation of the protocol by the client. Code goes on the wire,
// Reason to the log.
type Error struct {
	Code   CloseCode
	Reason string // quotes nothing of what the client sent
}

func (e *Error) Error() string { return e.Reason }
