// A carrier's ways to ship a cart, as a customer has agreed on them: parcels by the number of things, and a courier
// for small carts at home.
package main

import (
	"encoding/json"
	"os"
)

type cart struct {
	Country string
	Items   []struct{ Quantity int }
}

type option struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	Cents int    `json:"cents"`
}

func main() {
	var c cart
	if err := json.NewDecoder(os.Stdin).Decode(&c); err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	things := 0
	for _, item := range c.Items {
		things += item.Quantity
	}
	options := []option{{"parcel", "Parcel, three days", 490 + 100*(things/10)}}
	if c.Country == "DE" && things <= 5 {
		options = append(options, option{"courier", "Courier, today", 1290})
	}
	json.NewEncoder(os.Stdout).Encode(options)
}
