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

// guard refuses what a web page of somebody else makes a browser send here. There are
// no logins, so the browser of somebody who may see the data must not fetch them for
// others: neither under a foreign name that was made to point here (DNS rebinding),
// nor from a foreign page. It also finds out who asks, for all that follows.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(access.With(r.Context(), s.who(r)))
		if r.Body == nil || r.Body == http.NoBody { // it has come whole: the server's limit must not end its answer
			http.NewResponseController(w).SetReadDeadline(time.Time{})
		}
		if host := hostOf(r); tells(r.URL.Path) && !s.knownAs(host) {
			writeProblem(w, Problem{Title: "unknown host", Status: http.StatusMisdirectedRequest,
				Detail: "this server is not known as " + strconv.Quote(host) + ": add the name to http.hosts in the configuration, or use the address"})
			return
		}
		if !strings.HasPrefix(r.URL.Path, "/api/") { // what follows is for data, and for what changes something
			next.ServeHTTP(w, r)
			return
		}
		if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
			writeProblem(w, Problem{Title: "foreign page", Status: http.StatusForbidden, Detail: "a page of another site may not ask"})
			return
		}
		// Browsers send the header above to trustworthy origins only. What changes something
		// is told from its Origin as well.
		if foreign.Check(r) != nil {
			writeProblem(w, Problem{Title: "foreign page", Status: http.StatusForbidden, Detail: "a page of another site may not change anything"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// who makes a request.
func (s *Server) who(r *http.Request) access.Who {
	if s.Identify == nil {
		return access.Who{}
	}
	return s.Identify(r)
}

// tells reports whether a path gives away something of the network or of this server. The
// files of the page and /healthz do not.
func tells(path string) bool {
	return strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/s/") || path == "/metrics" || path == "/readyz"
}

// hostOf returns the name that a request calls this server by, without the port.
func hostOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return r.Host
}

// knownAs reports whether the server goes by a name: any address, localhost, or a name of
// the configuration.
func (s *Server) knownAs(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || host == "" || host == "localhost" || slices.Contains(s.settings().Hosts, host)
}

var foreign = http.NewCrossOriginProtection()
