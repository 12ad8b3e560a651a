// What Go's runtime and library ask of WASI: probe_go NAME [ARGUMENT]..., or the same as a query
// string (NAME&ARGUMENT) under CGI. The runtime polls and sleeps by poll_oneoff, so goroutines that
// wait are a test of it.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

func echo([]string) error {
	_, err := io.Copy(os.Stdout, os.Stdin)
	return err
}

// goroutines: a hundred that each wait, in less time than they wait in sum.
func goroutines(arguments []string) error {
	pause := time.Duration(number(arguments, 0, 20)) * time.Millisecond
	started := time.Now()
	results := make(chan int)
	for i := range 100 {
		go func() {
			<-time.After(pause)
			results <- i
		}()
	}
	sum := 0
	for range 100 {
		sum += <-results
	}
	took := time.Since(started)
	if sum != 4950 || took+2*time.Millisecond < pause || took > 50*pause {
		return fmt.Errorf("sum %d after %v", sum, took)
	}
	fmt.Println("ok goroutines")
	return nil
}

func selects([]string) error {
	never := make(chan bool)
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	ticks := 0
	timeout := time.After(100 * time.Millisecond)
	for {
		select {
		case <-never:
			return errors.New("nobody sent this")
		case <-ticker.C:
			ticks++
		case <-timeout:
			if ticks < 2 {
				return fmt.Errorf("%d ticks", ticks)
			}
			fmt.Println("ok select")
			return nil
		}
	}
}

func work([]string) error {
	var group sync.WaitGroup
	var mutex sync.Mutex
	total := 0
	for i := range 64 {
		group.Add(1)
		go func() {
			defer group.Done()
			text := strings.Repeat(strconv.Itoa(i), 10_000) // gives the collector something to do
			mutex.Lock()
			total += len(text)
			mutex.Unlock()
		}()
	}
	group.Wait()
	if total != 10*10_000+54*20_000 {
		return fmt.Errorf("total %d", total)
	}
	fmt.Println("ok work")
	return nil
}

func files(arguments []string) error {
	folder := filepath.Join(text(arguments, 0, "/tmp"), "go")
	if err := os.MkdirAll(filepath.Join(folder, "deep", "er"), 0o777); err != nil {
		return err
	}
	name := filepath.Join(folder, "a")
	if err := os.WriteFile(name, []byte("hello"), 0o666); err != nil {
		return err
	}
	if err := os.Rename(name, filepath.Join(folder, "deep", "b")); err != nil {
		return err
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("stat of what was renamed: %v", err)
	}
	var found []string
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		found = append(found, strings.TrimPrefix(path, folder))
		return err
	})
	if err != nil {
		return err
	}
	if want := []string{"", "/deep", "/deep/b", "/deep/er"}; !slices.Equal(found, want) {
		return fmt.Errorf("found %q", found)
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	fmt.Println("ok files")
	return nil
}

func cat(arguments []string) error {
	content, err := os.ReadFile(text(arguments, 0, "/event/body"))
	os.Stdout.Write(content)
	return err
}

func environment([]string) error {
	all := os.Environ()
	slices.Sort(all)
	fmt.Println(strings.Join(all, "\n"))
	return nil
}

func text(arguments []string, index int, otherwise string) string {
	if index < len(arguments) {
		return arguments[index]
	}
	return otherwise
}

func number(arguments []string, index, otherwise int) int {
	if n, err := strconv.Atoi(text(arguments, index, "")); err == nil {
		return n
	}
	return otherwise
}

var commands = map[string]func([]string) error{
	"echo":       echo,
	"goroutines": goroutines,
	"select":     selects,
	"work":       work,
	"fs":         files,
	"cat":        cat,
	"env":        environment,
	"exit":       func(arguments []string) error { os.Exit(number(arguments, 0, 0)); return nil },
	"panic":      func([]string) error { panic("as asked") },
}

func main() {
	arguments := os.Args[min(1, len(os.Args)):]
	if len(arguments) == 0 {
		arguments = strings.Split(os.Getenv("QUERY_STRING"), "&")
	}
	if os.Getenv("REQUEST_METHOD") != "" {
		fmt.Print("Content-Type: text/plain\n\n")
	}
	run, ok := commands[arguments[0]]
	if !ok {
		fmt.Fprintf(os.Stderr, "probe_go: no subcommand %q\n", arguments[0])
		os.Exit(64)
	}
	if err := run(arguments[1:]); err != nil {
		fmt.Println("FAILED", err)
		os.Exit(1)
	}
}
