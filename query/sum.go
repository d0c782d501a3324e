package query

import "math/bits"

// The tables contain what exporters sent, and a record may have any value: 2^64−1 bytes, sampled 1 in 2^32−1.
// Sums of the volume are exact, and saturate at 2^64−1.
//
// The engine's own sum of UInt64 wraps to 0 there: it is the true sum modulo 2^64. The same sum in Float64,
// rough, is never off by more than a millionth. Together they show whether the first one is the true sum.
// That costs one more sum; 128-bit sums would cost more. See doc/decisions/0017-sums-that-end.md.

const (
	maxSum      = "18446744073709551615"  // 2^64−1
	maxSumFloat = "1.8446744073709552e19" // 2^64
)

// saturated is a sum that saturates at 2^64−1, from the engine's sum of UInt64 and the rough one. Where rough
// is from 9e18 to 27e18, a true sum is at least 8.9e18, and a wrapped one is at most 8.6e18.
func saturated(sum, rough string) string {
	return "if(" + rough + " < 9e18 OR " + rough + " < 27e18 AND " + sum + " > 8800000000000000000, " + sum + ", " + maxSum + ")"
}

// saturatedSum is the sum of a column whose values are not wrapped themselves.
func saturatedSum(column string) string {
	return saturated("sum("+column+")", "sum(toFloat64("+column+"))")
}

// A row as packets, in Float64, which errors and means are computed from. A rate of 0, which no decoder
// writes, counts as 1, so that packets are never fewer than those sampled.
const (
	packetsSQL = "toFloat64(Packets) * greatest(SamplingRate, 1)"
	squaresSQL = packetsSQL + " * greatest(SamplingRate, 1)" // less the packets: the variance
)

// packetsOf, sampledOf and varianceOf are computed from the sums of a cell: p of packetsSQL, n of Packets and
// e of squaresSQL. No sampled packets are missing in p, so n is exact unless p is too large; then it is
// saturated.
func packetsOf(p string) string     { return "least(" + p + ", " + maxSumFloat + ")" }
func sampledOf(n, p string) string  { return "if(" + p + " < 9e18, " + n + ", " + maxSum + ")" }
func varianceOf(e, p string) string { return e + " - " + p }

// plus is a sum that saturates at 2^64−1.
func plus(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	return sum | -carry
}
