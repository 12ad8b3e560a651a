// The rule of guest.c as a WebHook's receiver has it: net/http.
//
//	webhook_go PORT
package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
)

func discount(w http.ResponseWriter, r *http.Request) {
	var cart map[string]any
	if err := json.NewDecoder(r.Body).Decode(&cart); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	items, _ := cart["items"].([]any)
	cart["discount"] = min(len(items), 12) % 10
	answer, _ := json.Marshal(cart)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	w.Write(answer)
}

func main() {
	http.HandleFunc("POST /discount", discount)
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
