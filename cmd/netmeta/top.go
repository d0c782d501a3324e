package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"netmeta/internal/terminal"
)

type topCmd struct {
	queryTarget
	Interval time.Duration `default:"2s" help:"Refresh interval, at least 1s."`
	Count    int           `help:"Number of refreshes; default: until Ctrl-C or q."`
	Ask      []string      `arg:"" optional:"" name:"key=value" help:"As for netmeta query; default by=src.ip,dst.ip and the last minute."`
}

func (topCmd) Help() string {
	return `Shows the top talkers, continuously. Keys on a terminal: b changes the grouping, u the
unit, d the direction; space pauses, q quits.

Examples:
  netmeta top
  netmeta top by=src.as udp
  netmeta top by=in.if from=-5m unit=pps
  netmeta top --count 1 by=dst.port`
}

// The choices that the keys cycle through.
var (
	topGroups = []string{"src.ip,dst.ip", "src.ip", "dst.ip", "src.as", "dst.as", "proto,dst.port", "in.if", "out.if", "exporter"}
	topUnits  = []string{"bps", "pps", "fps"}
	topDirs   = []string{"sum", "both", "in", "out"}
)

func (c topCmd) Run(ctx context.Context) error {
	v, err := parseAsk(c.Ask)
	if err != nil {
		return err
	}
	if c.Interval < time.Second {
		return fmt.Errorf("--interval: %v: too short; use at least 1s", c.Interval)
	}
	for key, value := range map[string]string{"by": topGroups[0], "from": "-1m", "dir": "sum", "n": "20"} {
		if v.Get(key) == "" {
			v.Set(key, value)
		}
	}
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	screen := c.Count == 0 && isTerminal(os.Stdout) && isTerminal(os.Stdin)
	if !screen {
		return c.print(ctx, a, v)
	}
	return c.show(ctx, a, v)
}

// print writes tables in turn, for a pipe.
func (c topCmd) print(ctx context.Context, a *apiClient, v url.Values) error {
	tick := time.NewTicker(c.Interval)
	defer tick.Stop()
	for n := 1; ; n++ {
		text, err := look(ctx, a, v)
		if err != nil {
			return err
		}
		fmt.Fprint(stdout, text)
		if n == c.Count {
			return nil
		}
		fmt.Fprintln(stdout)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func look(ctx context.Context, a *apiClient, v url.Values) (string, error) {
	text, err := a.get(ctx, "/api/v1/query", v)
	if err != nil {
		return "", err
	}
	var r result
	if err := json.Unmarshal(text, &r); err != nil {
		return "", fmt.Errorf("cannot read the result: %w", err)
	}
	var b strings.Builder
	err = r.table(&b, v.Get("q"))
	return b.String(), err
}

// show draws on the whole terminal until q is pressed.
func (c topCmd) show(ctx context.Context, a *apiClient, v url.Values) error {
	in := int(os.Stdin.Fd())
	old, err := term.MakeRaw(in)
	if err != nil {
		return err
	}
	defer term.Restore(in, old)
	fmt.Fprint(os.Stdout, "\x1b[?1049h\x1b[?25l") // alternate screen, no cursor
	defer fmt.Fprint(os.Stdout, "\x1b[?25h\x1b[?1049l")

	keys := make(chan byte)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the process: a read of a terminal cannot be cancelled
		var b [1]byte
		for {
			if n, err := os.Stdin.Read(b[:]); n == 0 || err != nil {
				cancel()
				return
			}
			select {
			case keys <- b[0]:
			case <-ctx.Done():
				return
			}
		}
	}()
	tick := time.NewTicker(c.Interval)
	defer tick.Stop()
	paused := false
	for {
		if !paused {
			text, err := look(ctx, a, v)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil { // the store may be unavailable for a moment
				text = err.Error() + "\n"
			}
			draw(text)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		case k := <-keys:
			switch k {
			case 'q', 3: // Ctrl-C: a raw terminal sends no signal
				return nil
			case ' ':
				paused = !paused
			case 'b':
				next(v, "by", topGroups)
			case 'u':
				next(v, "unit", topUnits)
			case 'd':
				next(v, "dir", topDirs)
			}
		}
	}
}

// next replaces a value with the next choice.
func next(v url.Values, key string, of []string) {
	v.Set(key, of[(slices.Index(of, v.Get(key))+1)%len(of)])
}

// draw overwrites the screen with as many lines as fit.
func draw(text string) {
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || width == 0 {
		width, height = 80, 24
	}
	var b strings.Builder
	b.WriteString("\x1b[H")
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	lines = lines[:min(len(lines), height-1)]
	for _, line := range append(lines, "b group · u unit · d direction · space pause · q quit") {
		line = terminal.Clean(line)
		if utf8.RuneCountInString(line) > width {
			line = string([]rune(line)[:width])
		}
		b.WriteString(line + "\x1b[K\r\n")
	}
	text = strings.TrimSuffix(b.String(), "\r\n")
	fmt.Fprint(os.Stdout, text+"\x1b[J")
}
