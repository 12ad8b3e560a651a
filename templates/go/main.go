// Answers HTTP as a CGI program does: the request is in the environment and on standard input, the
// answer goes to standard output as header lines, an empty line and the body.
package main

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
)

func who() (string, error) {
	if os.Getenv("REQUEST_METHOD") == "POST" {
		body, err := io.ReadAll(os.Stdin)
		return strings.TrimSpace(string(body)), err
	}
	query, err := url.ParseQuery(os.Getenv("QUERY_STRING"))
	return cmp.Or(query.Get("name"), "world"), err
}

func main() {
	name, err := who()
	if err != nil {
		fmt.Print("Status: 400 Bad Request\nContent-Type: text/plain; charset=utf-8\n\n")
		fmt.Println(err)
		return
	}
	fmt.Print("Content-Type: text/plain; charset=utf-8\n\n")
	fmt.Printf("%s, %s!\n", cmp.Or(os.Getenv("GREETING"), "Hello"), name)
}
