package api

import (
	"net/http"
	"net/netip"

	"netmeta/sender"
)

var senderRoutes = []Route{
	{
		Method: "GET", Path: "/api/v1/senders", Need: Read, Handler: answer((*Server).listSenders),
		ID: "senders", Summary: "Decisions about senders",
		Description: "At most 10,000 decisions, which survive restarts.",
		Answer:      Answer{Description: "By address.", Example: senderExample(1795719600, 4711, 1795723200)},
	},
	{
		Method: "POST", Path: "/api/v1/senders", Need: Operate, Handler: take((*Server).decideSenders),
		ID: "decideSenders", Summary: "Accept or ignore senders",
		Description: "accept: its datagrams are accepted, and it is no longer new. ignore: from now on its datagrams are dropped before they are decoded, and counted; stored flows stay. " +
			"forget: it is new again, and its datagrams are accepted. The decision applies to datagrams from the address, and to sFlow datagrams that name it as their agent. " +
			"Senders in the configuration cannot be ignored (409). The decision applies to all of the addresses, or to none after an error.",
		Example: Decision{[]string{"192.0.2.77"}, sender.Ignore},
		Answer:  Answer{Description: "Those addresses.", Example: senderExample(1795723200, 0, 0)},
	},
}

func senderExample(since int64, datagrams uint64, last int64) Senders {
	return Senders{[]sender.Sender{{Address: netip.MustParseAddr("192.0.2.77"), Standing: sender.Ignored, Since: since, Datagrams: datagrams, Last: last}}}
}

// Senders are those with a decision.
type Senders struct {
	Senders []sender.Sender `json:"senders"`
}

// Decision is a decision about some senders.
type Decision struct {
	Addresses []string `json:"addresses" need:"true"`
	Decision  string   `json:"decision" need:"true" enum:"accept,ignore,forget"` // accept, ignore or forget.
}

func (s *Server) listSenders(*http.Request) (Senders, error) {
	return Senders{s.Senders.List()}, nil
}

// decideSenders accepts or ignores senders, or withdraws the decision.
func (s *Server) decideSenders(_ *http.Request, about Decision) (Senders, error) {
	list, err := s.Senders.Decide(about.Addresses, about.Decision, s.now())
	if err != nil {
		return Senders{}, err
	}
	s.Log.Info("decided about senders", "decision", about.Decision, "addresses", about.Addresses)
	return Senders{list}, nil
}
