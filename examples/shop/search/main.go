// GET /search?q=reading+lamp&category=light&limit=5: products that match, best first, and how many
// there are in each category.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
)

type Product struct {
	SKU         string   `json:"sku"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Category    string   `json:"category"`
	PriceCents  int      `json:"price_cents"`
	Stock       int      `json:"stock"`
	Tags        []string `json:"tags"`
}

type answer struct {
	Query      string         `json:"query"`
	Total      int            `json:"total"`
	Categories map[string]int `json:"categories"`
	Hits       []hit          `json:"hits"`
}

type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

const maxQueryBytes = 200

func reply(status int, contentType string, body any) {
	fmt.Printf("Status: %d\nContent-Type: %s\n\n", status, contentType)
	if err := json.NewEncoder(os.Stdout).Encode(body); err != nil {
		fail(err)
	}
}

func refuse(detail string) {
	reply(422, "application/problem+json", problem{"about:blank", "Unprocessable Content", 422, detail})
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "search:", err)
	os.Exit(1)
}

func readProducts(path string) (products []Product, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	return products, json.Unmarshal(text, &products)
}

// limit is what the query asks for, else what the module's configuration says.
func limit(query url.Values) (int, bool) {
	text := query.Get("limit")
	if text == "" {
		text = os.Getenv("SEARCH_LIMIT")
	}
	if text == "" {
		return 10, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 1 && n <= 100
}

func main() {
	query, err := url.ParseQuery(os.Getenv("QUERY_STRING"))
	if err != nil {
		refuse("the query string is malformed")
		return
	}
	q := query.Get("q")
	n, ok := limit(query)
	switch {
	case len(q) > maxQueryBytes:
		refuse(fmt.Sprintf("q has at most %d bytes", maxQueryBytes))
		return
	case !ok:
		refuse("limit must be a whole number from 1 to 100")
		return
	}

	products, err := readProducts("/assets/products.json")
	if err != nil {
		fail(err)
	}
	out := answer{Query: q, Categories: map[string]int{}, Hits: []hit{}}
	for _, h := range rank(products, q) {
		out.Categories[h.Category]++
		if wanted := query.Get("category"); wanted == "" || wanted == h.Category {
			out.Hits = append(out.Hits, h)
		}
	}
	out.Total = len(out.Hits)
	out.Hits = out.Hits[:min(n, out.Total)]
	reply(200, "application/json", out)
}
