package api

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"netmeta/access"
)

// guard rejects requests that a foreign web page makes a browser send. There are no logins, so the browser of
// a permitted user must not fetch data for others: neither under a foreign name that points here (DNS
// rebinding), nor from a foreign page. It also identifies the caller for all that follows.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(access.With(r.Context(), s.who(r)))
		if r.Body == nil || r.Body == http.NoBody { // it is complete: the server's limit must not end its response
			http.NewResponseController(w).SetReadDeadline(time.Time{})
		}
		if host := hostOf(r); tells(r.URL.Path) && !s.knownAs(host) {
			writeProblem(w, Problem{Title: "unknown host", Status: http.StatusMisdirectedRequest,
				Detail: "unknown host name: " + strconv.Quote(host) + "; set it in http.hosts, or use the address"})
			return
		}
		if !strings.HasPrefix(r.URL.Path, "/api/") { // the rest is for data and changes
			next.ServeHTTP(w, r)
			return
		}
		if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
			writeProblem(w, Problem{Title: "foreign page", Status: http.StatusForbidden, Detail: "requests from pages of other sites are not allowed"})
			return
		}
		// Browsers send the header above only to trustworthy origins. Changes are also checked by their
		// Origin.
		if foreign.Check(r) != nil {
			writeProblem(w, Problem{Title: "foreign page", Status: http.StatusForbidden, Detail: "changes from pages of other sites are not allowed"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// who makes a request.
func (s *Server) who(r *http.Request) access.Identity {
	if s.Identify == nil {
		return access.Identity{}
	}
	return s.Identify(r)
}

// tells reports whether a path reveals anything about the network or this server. The files of the web UI and
// /healthz do not.
func tells(path string) bool {
	return strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/s/") || path == "/metrics" || path == "/readyz"
}

// hostOf returns the name of this server in a request, without the port.
func hostOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return r.Host
}

// knownAs reports whether a name is one of the server: any address, localhost, or a name in the
// configuration.
func (s *Server) knownAs(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || host == "" || host == "localhost" || slices.Contains(s.settings().Hosts, host)
}

var foreign = http.NewCrossOriginProtection()
