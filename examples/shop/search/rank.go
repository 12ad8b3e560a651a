package main

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// Where a word is found decides what it is worth.
const (
	inName        = 8
	inTag         = 5
	inCategory    = 4
	inDescription = 2
)

// How a word is found scales that: whole, as the start of a longer word, or with one typing error.
const (
	wholeWord = 4
	startOf   = 2
	misspelt  = 1
)

type hit struct {
	Product
	Score int `json:"score"`
}

// rank returns the products that match every word of the query, best first. Products that can be
// had come before those that are sold out; equals are in the order of their names.
func rank(products []Product, query string) []hit {
	words := split(query)
	hits := []hit{}
	for _, p := range products {
		if s := score(p, words); s > 0 || len(words) == 0 {
			hits = append(hits, hit{p, s})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int {
		return cmp.Or(
			cmp.Compare(soldOut(a), soldOut(b)),
			cmp.Compare(b.Score, a.Score),
			strings.Compare(a.Name, b.Name),
		)
	})
	return hits
}

func soldOut(h hit) int {
	if h.Stock == 0 {
		return 1
	}
	return 0
}

func score(p Product, words []string) int {
	total := 0
	for _, word := range words {
		best := max(
			inName*match(word, split(p.Name)),
			inTag*match(word, p.Tags),
			inCategory*match(word, []string{p.Category}),
			inDescription*match(word, split(p.Description)),
		)
		if best == 0 {
			return 0
		}
		total += best
	}
	return total
}

func match(word string, in []string) int {
	best := 0
	for _, candidate := range in {
		switch {
		case candidate == word:
			return wholeWord
		case strings.HasPrefix(candidate, word):
			best = max(best, startOf)
		case len(word) >= 4 && oneEditApart([]rune(word), []rune(candidate)):
			best = max(best, misspelt)
		}
	}
	return best
}

// oneEditApart: one letter inserted, left out, replaced, or two neighbours swapped.
func oneEditApart(a, b []rune) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 0:
		if i == len(a) {
			return false
		}
		swapped := i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && slices.Equal(a[i+2:], b[i+2:])
		return swapped || slices.Equal(a[i+1:], b[i+1:])
	case 1:
		return slices.Equal(a[i:], b[i+1:])
	}
	return false
}

func split(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}
