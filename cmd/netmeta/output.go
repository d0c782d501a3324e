package main

import (
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"netmeta/internal/secret"
	"netmeta/internal/terminal"
)

// stdout and stderr are what every command writes to. Control characters are removed on a
// terminal, because names come from the network and errors quote foreign text. Files and
// pipes get all bytes unchanged.
var (
	stdout = output(os.Stdout)
	stderr = output(os.Stderr)
)

func output(f *os.File) io.Writer {
	if isTerminal(f) {
		return terminal.NewWriter(f)
	}
	return f
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// logOptions are the options of every log. They mask credentials.
func logOptions(level slog.Leveler) *slog.HandlerOptions {
	return &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch v := a.Value.Any().(type) {
		case string:
			a.Value = slog.StringValue(secret.Mask(v))
		case error:
			a.Value = slog.StringValue(secret.Mask(v.Error()))
		case []string:
			list := make([]string, len(v))
			for i, text := range v {
				list[i] = secret.Mask(text)
			}
			a.Value = slog.AnyValue(list)
		}
		return a
	}}
}
