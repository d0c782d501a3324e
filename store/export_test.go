package store

import "time"

// RestDoubted says how long blocks that killed the store rest between attempts.
func (w *Writer) RestDoubted(d time.Duration) { w.doubtedRest = d }
