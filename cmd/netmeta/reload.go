package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"netmeta/api"
)

type reloadCmd struct {
	Config string `type:"path" help:"Configuration file of the running NetMeta."`
	Listen string `help:"Address of the web UI, if it differs from the configuration."`
}

func (reloadCmd) Help() string {
	return `Reloads the configuration file of the running NetMeta, as SIGHUP does, and prints the
keys that changed and those that need a restart. An invalid file is rejected with the
reason, and the current configuration stays in force.

Example:
  netmeta reload --config /etc/netmeta.yaml`
}

func (c reloadCmd) Run(ctx context.Context) error {
	cfg, err := runCmd{Config: c.Config, Listen: c.Listen}.config()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, pageOf(ctx, cfg, c.Listen != "")+"/api/v1/config/reload", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("cannot reach NetMeta on %s: %w; start it, or use --listen", req.URL.Host, errors.Unwrap(err))
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		var problem struct{ Title, Detail string }
		if json.Unmarshal(text, &problem) != nil {
			problem.Title, problem.Detail = res.Status, string(bytes.TrimSpace(text))
		}
		return fmt.Errorf("%s: %s", problem.Title, problem.Detail)
	}
	var r api.ReloadResult
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("cannot read the response of %s: %w", req.URL, err)
	}
	fmt.Fprintln(stdout, "changed:        ", orNothing(r.Applied))
	fmt.Fprintln(stdout, "needs a restart:", orNothing(r.Restart))
	return nil
}

func orNothing(keys []string) string {
	if len(keys) == 0 {
		return "nothing"
	}
	return strings.Join(keys, ", ")
}
