package api

import (
	"net/http"
	"net/netip"

	"netmeta/sender"
)

var senderRoutes = []Route{
	{
		Method: "GET", Path: "/api/v1/senders", Need: Read, Handler: answer((*Server).listSenders),
		ID: "senders", Summary: "What was decided about who sends",
		Description: "10,000 decisions at most, kept over a restart.",
		Answer:      Answer{Description: "By address.", Example: senderExample(1795719600, 4711, 1795723200)},
	},
	{
		Method: "POST", Path: "/api/v1/senders", Need: Operate, Handler: take((*Server).decideSenders),
		ID: "decideSenders", Summary: "Accept or ignore senders",
		Description: "accept: it is known, and its datagrams are taken. ignore: from now on its datagrams are refused before they are decoded, and counted; what is stored stays. " +
			"forget: it is as new again, and its datagrams are taken. It holds for datagrams from the address, and for those of sFlow that name it as their agent. " +
			"What the configuration names cannot be ignored (409). All of the addresses are decided about, or with an error none.",
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
