package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"netmeta/internal/secret"
)

// maxRedirects bounds the redirects of one fetch.
const maxRedirects = 5

// client fetches feeds. It follows redirects only on the same host, because other hosts are not configured.
var client = http.Client{CheckRedirect: func(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	switch {
	case next.URL.Host != first.Host:
		return fmt.Errorf("redirect to another host, %s: use its URL if you trust it", secret.URL(next.URL.String()))
	case first.Scheme == "https" && next.URL.Scheme != "https":
		return errors.New("redirect from https to http: use a URL that stays on https")
	case len(before) > maxRedirects:
		return fmt.Errorf("more than %d redirects: use the URL they end at", maxRedirects)
	}
	return nil
}}

// fetch asks a URL for a newer version.
func (f *Feed[T]) fetch(ctx context.Context, take func(T) error) error {
	stopped := ctx
	ctx, cancel := context.WithTimeout(ctx, f.options.Timeout)
	defer cancel()
	content, m, err := f.get(ctx)
	switch {
	case stopped.Err() != nil:
		return stopped.Err() // not a failure of the feed
	case errors.Is(err, errNotModified):
		f.confirmed()
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return f.failed(fmt.Errorf("no complete response within %s: check the server and the network", f.options.Timeout))
	case err != nil:
		return f.failed(err)
	}
	if err := f.accept(content, m, take); err != nil {
		return err
	}
	if err := f.writeCopy(content, m); err != nil {
		f.options.Log.Warn("the last good copy of a feed is not saved", "feed", f.options.Location, "err", err)
	}
	return nil
}

var errNotModified = errors.New("not modified")

// get fetches the content, or returns errNotModified.
func (f *Feed[T]) get(ctx context.Context) (content []byte, m mark, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, string(f.options.Location), nil)
	if err != nil {
		return nil, m, err
	}
	req.Header.Set("User-Agent", "NetMeta")
	f.mu.Lock()
	if f.edition > 0 {
		setHeader(req, "If-None-Match", f.mark.ETag)
		setHeader(req, "If-Modified-Since", f.mark.LastModified)
	}
	f.mu.Unlock()
	resp, err := client.Do(req)
	if err != nil {
		return nil, m, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && conditional(req):
		return nil, m, errNotModified
	case resp.StatusCode != http.StatusOK:
		return nil, m, fmt.Errorf("the server answered %q: check the URL", resp.Status)
	case resp.ContentLength > f.options.MaxBytes:
		return nil, m, f.tooLarge()
	}
	var body bytes.Buffer
	if _, err := io.Copy(&body, io.LimitReader(resp.Body, f.options.MaxBytes+1)); err != nil {
		return nil, m, err
	}
	if int64(body.Len()) > f.options.MaxBytes {
		return nil, m, f.tooLarge()
	}
	return body.Bytes(), mark{ETag: tag(resp, "ETag"), LastModified: tag(resp, "Last-Modified")}, nil
}

func (f *Feed[T]) tooLarge() error {
	return fmt.Errorf("is larger than %d bytes: use a smaller table", f.options.MaxBytes)
}

func setHeader(req *http.Request, name, value string) {
	if value != "" {
		req.Header.Set(name, value)
	}
}

func conditional(req *http.Request) bool {
	return req.Header.Get("If-None-Match") != "" || req.Header.Get("If-Modified-Since") != ""
}

// tag returns a header to send back; one that is too long is ignored.
func tag(resp *http.Response, name string) string {
	if v := resp.Header.Get(name); len(v) <= 1024 {
		return v
	}
	return ""
}
