package server

import (
	"sync"

	"github.com/wshttpd/wshttpd/pluginloader"
)

// batchSession is a session that takes several messages in one call.
type batchSession interface {
	MessageBatch(messages []pluginloader.Message)
}

// messageBatch holds small messages of one read.
type messageBatch struct{ list []pluginloader.Message }

// batchMost bounds how many messages are delivered together.
const batchMost = 64

var messageBatches = sync.Pool{New: func() any { return new(messageBatch) }}

// joinsBatch keeps a message to be delivered together with those that follow
// in the same read, if the session wants that, and reports whether it did. Only
// what lies in the read buffer can wait.
func (c *conn) joinsBatch(e event, more bool) bool {
	if c.batches == nil {
		return false
	}
	joins := len(e.payload) < inPlaceLeast && cap(e.payload) == len(e.payload)
	if !joins || c.batch == nil && !more {
		c.deliverBatch()
		return false
	}
	if c.batch == nil {
		if !c.Gathers() || c.out.sealed.Load() {
			return false
		}
		c.batch = messageBatches.Get().(*messageBatch)
	}
	c.batch.list = append(c.batch.list, pluginloader.Message{Type: e.message, Payload: e.payload})
	if len(c.batch.list) == batchMost {
		c.deliverBatch()
	}
	return true
}

// deliverBatch is deliver for those that wait.
func (c *conn) deliverBatch() {
	b := c.batch
	if b == nil {
		return
	}
	c.batch = nil
	defer func() {
		clear(b.list)
		b.list = b.list[:0]
		messageBatches.Put(b)
	}()
	if c.out.sealed.Load() {
		return
	}
	c.cork()
	c.noteMessage()
	c.calling = true
	c.batches.MessageBatch(b.list)
	c.calling = false
}
