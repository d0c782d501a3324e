// Package nearest finds the known word that is most similar to an unknown one.
package nearest

import (
	"slices"
	"strings"
)

// Word returns the candidate with the smallest edit distance to word, or "" if none is
// similar enough.
func Word(word string, candidates []string) string {
	word = strings.ToLower(word)
	limit := 1
	switch {
	case len(word) > 7:
		limit = 3
	case len(word) > 3:
		limit = 2
	}
	best, found := limit+1, ""
	for _, c := range candidates {
		d := Distance(word, strings.ToLower(c), limit+1)
		if d < best || d == best && d <= limit && strings.HasPrefix(c, word) && !strings.HasPrefix(found, word) {
			best, found = d, c
		}
	}
	return found
}

// Distance returns the number of letters to insert, remove, change or swap with their neighbour to turn a
// into b (optimal string alignment), at most limit.
func Distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > 64 || len(b) > 64 {
		return limit
	}
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		if slices.Min(row) >= limit {
			return limit
		}
		prev2, prev, row = prev, row, prev2
	}
	return min(prev[len(b)], limit)
}
