package store

import "time"

// RestSuspects says how long blocks that killed the store rest between attempts.
func (w *Writer) RestSuspects(d time.Duration) { w.suspectRest = d }

// Client is that of a writer to Tables.
func (w *Writer) Client() *Client { return w.Inserter.(*Tables).client }

// SetClient has it write by another way, to the tables that it knows.
func (w *Writer) SetClient(c *Client) { w.Inserter.(*Tables).client = c }
