// Package executed runs the statements of query on the real engine: all of the
// golden ones for their form, and on random rows for their answers, against a slow
// and obvious second implementation. It stands apart from query because its tests
// need the engine and those of query do not.
package executed

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/filter"
	"netmeta/filter/filtertest"
	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/internal/golden"
	"netmeta/internal/param"
	"netmeta/query"
	"netmeta/store"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// now is a full hour and two minutes, so that some buckets are partial.
var now = time.Date(2026, 11, 23, 12, 2, 56, 0, time.UTC)

// seconds that the rows are spread over, back from now.
const seconds = 5 * 3600

var macros = map[string]string{"dns": "port 53 (tcp or udp)", "internal": "src net 10.0.0.0/8 dst net 10.0.0.0/8", "empty": ""}

// table makes a flows table, with the rare columns or without, and fills it with n
// rows. Few values, so that filters find some of them.
func table(t testing.TB, n int, rare bool) (*store.Client, *column.Batch) {
	t.Helper()
	w, reader := enginetest.Clients(t)
	s := store.Schema{Table: &flow.Table}
	if rare {
		s.Columns = []string{"all"}
	}
	if err := w.Exec(t.Context(), s.Create()); err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		return reader, nil
	}
	b := flow.Table.NewBatch(n)
	rnd := rand.New(rand.NewPCG(7, 11))
	for range n {
		fill(rnd, b, b.Add(), rare)
	}
	insert(t, w, b, "1")
	return reader, b
}

func pick[T any](rnd *rand.Rand, of ...T) T { return of[rnd.IntN(len(of))] }

func fill(rnd *rand.Rand, b *column.Batch, row int, rare bool) {
	addr := func() column.Addr {
		return column.AddrFrom(netip.MustParseAddr(pick(rnd, "10.0.0.1", "10.0.0.2", "10.0.0.5", "10.0.0.200", "10.1.2.3", "192.0.2.1", "192.0.2.77", "203.0.113.7", "2001:db8::1", "2001:db8:1::2", "::1", "172.16.5.4", "198.51.100.9")))
	}
	text := func() column.Label {
		return column.LabelOf(pick(rnd, "", "et-0/0/1", "ae1", "lo0", "transit cogent", "Cogent", "DE", "FR", "GB", "fra1", "ams2", "it's \"quoted\" \\ text", "100% \\ of 'it'\ttab", "zeile\nzwei", "münchen", "customer-1", "server", "acme", "youtube", "Frankfurt am Main", "'; DROP TABLE flows; --"))
	}
	at := now.Unix() - 1 - rnd.Int64N(seconds)
	flow.TimeReceived.Set(b, row, uint32(at))
	flow.FlowEnd.Set(b, row, uint64(at*1000))
	flow.FlowStart.Set(b, row, uint64(at*1000-pick[int64](rnd, 0, 1, 499, 500, 1500, 5000, 60_000, 90_000, 3_700_000)))
	flow.FlowType.Set(b, row, uint8(rnd.IntN(5)))
	flow.SamplingSource.Set(b, row, uint8(rnd.IntN(5)))
	flow.ExporterAddress.Set(b, row, column.AddrFrom(netip.MustParseAddr(pick(rnd, "192.0.2.1", "192.0.2.2", "2001:db8::5"))))
	flow.ObservationDomain.Set(b, row, uint32(rnd.IntN(7)))
	flow.SamplingRate.Set(b, row, pick[uint32](rnd, 1, 1000, 1024))
	packets := pick[uint64](rnd, 1, 2, 3, 10_001, 1_000_000)
	flow.Packets.Set(b, row, packets)
	flow.Bytes.Set(b, row, packets*pick[uint64](rnd, 0, 40, 64, 99, 100, 1500)+pick[uint64](rnd, 0, 1))
	flow.SrcAddr.Set(b, row, addr())
	flow.DstAddr.Set(b, row, addr())
	port := func() uint16 {
		return pick[uint16](rnd, 0, 53, 80, 443, 1023, 1024, 1433, 2000, 2048, 8080, 49152, 65535)
	}
	flow.SrcPort.Set(b, row, port())
	flow.DstPort.Set(b, row, port())
	flow.Proto.Set(b, row, pick[uint8](rnd, 1, 6, 17, 17, 47, 58))
	flow.EType.Set(b, row, pick[uint16](rnd, 0x800, 0x86dd, 0x806, 0x8847))
	flow.TCPFlags.Set(b, row, pick[uint16](rnd, 0, 2, 4, 16, 18, 20, 24, 0x3f, 0x102))
	flow.IPTos.Set(b, row, pick[uint8](rnd, 0, 184, 46, 136))
	flow.Direction.Set(b, row, uint8(rnd.IntN(5)))
	flow.InIf.Set(b, row, pick[uint32](rnd, 0, 5, 512, 513, 521))
	flow.OutIf.Set(b, row, pick[uint32](rnd, 0, 5, 512, 6))
	flow.NextHop.Set(b, row, addr())
	as := func() uint32 { return pick[uint32](rnd, 0, 174, 3356, 2906, 15169, 64500, 65546) }
	flow.SrcAS.Set(b, row, as())
	flow.DstAS.Set(b, row, as())
	flow.SrcMask.Set(b, row, pick[uint8](rnd, 0, 24, 25))
	flow.DstMask.Set(b, row, pick[uint8](rnd, 0, 24, 48))
	if !rare || rnd.IntN(4) == 0 {
		return
	}
	for _, c := range []column.Labels{flow.InIfName, flow.OutIfName, flow.InIfDescription, flow.OutIfDescription, flow.InIfConnectivity, flow.OutIfConnectivity, flow.InIfProvider, flow.OutIfProvider,
		flow.ExporterName, flow.ExporterGroup, flow.ExporterSite, flow.SrcNetName, flow.DstNetName, flow.SrcNetRole, flow.DstNetRole, flow.SrcNetTenant, flow.DstNetTenant,
		flow.SrcCity, flow.DstCity, flow.ApplicationName} {
		c.Set(b, row, text())
	}
	flow.SrcCountry.Set(b, row, column.LabelOf(pick(rnd, "", "DE", "FR", "GB")))
	flow.DstCountry.Set(b, row, column.LabelOf(pick(rnd, "", "DE", "FR", "US")))
	flow.IPTTL.Set(b, row, uint8(rnd.IntN(7)))
	flow.IPv6FlowLabel.Set(b, row, pick[uint32](rnd, 0, 0x12345))
	flow.FragmentOffset.Set(b, row, pick[uint16](rnd, 0, 185))
	flow.IcmpType.Set(b, row, pick[uint8](rnd, 0, 3, 8))
	flow.IcmpCode.Set(b, row, pick[uint8](rnd, 0, 1))
	flow.ForwardingStatus.Set(b, row, pick[uint8](rnd, 64, 128))
	flow.FlowEndReason.Set(b, row, uint8(rnd.IntN(6)))
	mac := func() uint64 { return pick[uint64](rnd, 0, 0x001122334455, 0x001122334466, 0xffffffffffff) }
	flow.SrcMac.Set(b, row, mac())
	flow.DstMac.Set(b, row, mac())
	flow.SrcVlan.Set(b, row, pick[uint16](rnd, 0, 100, 200))
	flow.DstVlan.Set(b, row, pick[uint16](rnd, 0, 100, 200))
	said := speedSaid(flow.InIf.At(b, row), at)
	flow.InIfSpeed.Set(b, row, pick(rnd, 0, said, said, said))
	flow.OutIfSpeed.Set(b, row, speedSaid(flow.OutIf.At(b, row), at))
	flow.InIfBoundary.Set(b, row, uint8(rnd.IntN(3)))
	flow.OutIfBoundary.Set(b, row, uint8(rnd.IntN(3)))
	flow.BGPNextHop.Set(b, row, addr())
	flow.NextHopAS.Set(b, row, as())
	flow.DstASPath.Set(b, row, pick(rnd, nil, []uint32{174}, []uint32{3356, 174, 64500}, []uint32{64499}))
	flow.DstCommunities.Set(b, row, pick(rnd, nil, []uint32{65000<<16 | 666}, []uint32{65000<<16 | 1, 0xffff029a}, []uint32{65000<<16 | 100, 0xffffff01}))
	flow.DstLargeCommunities.Set(b, row, pick(rnd, nil, []column.Uint128{{Lo: 1<<32 | 2, Hi: 65000}}, []column.Uint128{{Lo: 1<<32 | 3, Hi: 65000}, {Lo: 5}}))
	flow.IngressVRF.Set(b, row, pick[uint32](rnd, 0, 5))
	flow.EgressVRF.Set(b, row, pick[uint32](rnd, 0, 7))
	flow.TunnelType.Set(b, row, uint8(rnd.IntN(9)))
	flow.VNI.Set(b, row, pick[uint32](rnd, 0, 5000))
	flow.MPLSLabels.Set(b, row, pick(rnd, nil, []uint32{16, 3}, []uint32{150}))
	flow.OuterSrcAddr.Set(b, row, addr())
	flow.SrcAddrNAT.Set(b, row, addr())
	flow.NatEvent.Set(b, row, uint8(rnd.IntN(3)))
}

// speedSaid is what the rows of an interface say of its speed, if they do: one became
// faster an hour ago, of one nobody has said anything since then, and of one nobody ever did.
func speedSaid(index uint32, at int64) uint64 {
	late := at >= now.Unix()-3600
	switch index {
	case 5:
		if late {
			return 1e10
		}
		return 1e9
	case 512:
		return 1e11
	case 513, 6:
		if !late {
			return 4e9
		}
	}
	return 0
}

// run asks a request of the store.
func run(t testing.TB, reader *store.Client, q string) (query.Request, query.Range, query.Rows, query.Result) {
	t.Helper()
	v, err := url.ParseQuery(q)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := query.ParseURL(v)
	if err != nil {
		t.Fatal(err)
	}
	rg, err := r.Resolve(now)
	if err != nil {
		t.Fatal(err)
	}
	st, err := r.Series(rg, query.Schema{Names: filter.Names{Macros: macros}, Once: len(r.Filter)%2 == 0})
	if err != nil {
		t.Fatal(err)
	}
	res, _, err := reader.Select(t.Context(), store.Query{SQL: st.SQL, Params: st.Params})
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%v", q, err, st.SQL, st.Params)
	}
	var rows query.Rows
	for i, name := range res.Names {
		if i >= len(st.Columns) || st.Columns[i].Name != name {
			t.Errorf("%s: column %d is %s", q, i, name)
		}
		if err := rows.Set(name, res.Columns[i]); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	result, err := query.Assemble(r, rg, rows, query.Schema{})
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	return r, rg, rows, result
}

// TestGoldenStatements runs every statement of the golden files: on an empty table,
// on one without the rare columns, and on one with all.
func TestGoldenStatements(t *testing.T) {
	empty, _ := table(t, 0, false)
	thin, _ := table(t, 3000, false)
	wide, _ := table(t, 3000, true)
	paths, err := filepath.Glob("../testdata/series/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		q, _, _ := strings.Cut(string(data), "\n")
		if strings.Contains(string(data), "\nerror: ") {
			continue
		}
		if _, _, _, res := run(t, empty, q); len(res.Series) != 0 {
			t.Errorf("%s: an empty table has series", q)
		}
		run(t, wide, q)
		if !testing.Short() {
			run(t, thin, q)
		}
	}
}

// TestSeriesAgree compares series, Other and totals with sums that Go makes row by
// row, for every way to rank and to split.
func TestSeriesAgree(t *testing.T) {
	reader, b := table(t, 20_000, true)
	n, every := 0, 7 // has nothing in common with the lengths of the lists
	if testing.Short() {
		every = 19
	}
	for _, by := range []string{"", "src.as", "proto,dst.port", "src.net:24:48", "in.if", "exporter", "remote.as,local.ip", "direction", "src.mac", "flags", "dscp", "src.country", "in.boundary,etype", "src.vlan", "out.if,src.ip,dst.ip"} {
		for _, opts := range []string{"", "rankdir=sum", "rank=max", "rank=last&rankdir=sum", "rank=p95", "dir=sum", "dir=out", "dir=sum&rank=max&unit=packets", "unit=pps&layer=l2", "unit=bytes&layer=l2", "unit=bps&layer=l1&dir=in", "unit=flows&rank=max", "unit=bpp", "unit=bpp&rank=max", "unit=bpp&rank=p95&dir=sum"} {
			for _, when := range []string{"from=-1h", "from=-5h&step=3600&tz=Asia/Kolkata"} {
				if n++; n%every != 0 { // each option meets each window and several groups
					continue
				}
				q := "q=not+port+80&n=4&" + when + "&" + opts
				if by != "" {
					q += "&by=" + by
				}
				r, rg, rows, res := run(t, reader, q)
				compareSeries(t, q, r, rg, b, rows, res)
			}
		}
	}
}

// compareSeries adds the rows of the batch up by hand.
func compareSeries(t *testing.T, q string, r query.Request, rg query.Range, b *column.Batch, rows query.Rows, res query.Result) {
	t.Helper()
	type cell struct {
		dir, key string
		t        int64
	}
	type group struct{ dir, key string }
	cells, packets := map[cell]uint64{}, map[cell]uint64{}
	totals := map[group]uint64{}
	all := map[string]uint64{}
	keys := map[string]bool{}
	var sampled uint64
	for row := range b.Len() {
		at := int64(flow.TimeReceived.At(b, row))
		if at < rg.From || at >= rg.To || flow.SrcPort.At(b, row) == 80 || flow.DstPort.At(b, row) == 80 {
			continue
		}
		dir := flow.Direction.Field.Enum[flow.Direction.At(b, row)]
		switch r.Dir {
		case "sum":
			dir = "sum"
		case "in", "out", "internal":
			if dir != r.Dir {
				continue
			}
		}
		i := len(rg.Times) - 1
		for rg.Times[i] > at {
			i--
		}
		rate := uint64(flow.SamplingRate.At(b, row))
		v := counted(r, b, row)
		sampled += flow.Packets.At(b, row)
		key := keyOf(r.By, b, row)
		cells[cell{dir, key, rg.Times[i]}] += v
		packets[cell{dir, key, rg.Times[i]}] += flow.Packets.At(b, row) * rate
		totals[group{dir, key}] += v
		all[dir] += v
		keys[key] = true
	}
	var n uint64
	for _, v := range rows.N {
		n += v
	}
	if n != sampled {
		t.Errorf("%s: n is %d, want %d", q, n, sampled)
	}
	byDir := map[string]uint64{}
	score := func(dir, key string) float64 { // in the terms of r.Rank
		first, last := 0, len(rg.Times)
		if rg.FirstPartial {
			first++
		}
		if rg.LastPartial {
			last--
		}
		var list []float64 // as the chart shows them
		for i := first; i < last; i++ {
			at := cell{dir, key, rg.Times[i]}
			v := float64(cells[at])
			if r.Unit == "bpp" {
				v /= max(1, float64(packets[at]))
			}
			list = append(list, v)
		}
		switch r.Rank {
		case "max":
			return slices.Max(list)
		case "last":
			return list[len(list)-1]
		case "p95":
			slices.Sort(list)
			return list[len(list)-1-len(list)*5/100]
		}
		return float64(totals[group{dir, key}])
	}
	named := map[string]map[string]bool{}
	for _, s := range res.Series {
		byDir[s.Dir] += s.Total
		if s.Other {
			continue
		}
		key := strings.Join(s.Key, "|")
		if named[s.Dir] == nil {
			named[s.Dir] = map[string]bool{}
		}
		named[s.Dir][key] = true
		if want := totals[group{s.Dir, key}]; s.Total != want {
			t.Errorf("%s: %s %v: total %d, want %d", q, s.Dir, s.Key, s.Total, want)
		}
	}
	for dir, want := range all {
		if byDir[dir] != want {
			t.Errorf("%s: %s: the series sum up to %d, want %d", q, dir, byDir[dir], want)
		}
	}
	for _, total := range res.Total {
		if total.Total != all[total.Dir] {
			t.Errorf("%s: %s: total %d, want %d", q, total.Dir, total.Total, all[total.Dir])
		}
	}
	if len(r.By) == 0 {
		return
	}
	// Who was picked: nobody outside may have a higher score than anybody inside.
	if r.Dir == "sum" || r.RankDir == "each" {
		for dir, inside := range named {
			lowest := -1.0
			for key := range inside {
				if s := score(dir, key); lowest < 0 || s < lowest {
					lowest = s
				}
			}
			groups := 0
			for g := range totals {
				if g.dir != dir {
					continue
				}
				groups++
				if !inside[g.key] && score(dir, g.key) > lowest {
					t.Errorf("%s: %s: %s is folded and has more than one that is not", q, dir, g.key)
				}
			}
			if len(inside) != min(r.N, groups) {
				t.Errorf("%s: %s: %d series of %d groups", q, dir, len(inside), groups)
			}
			for _, s := range res.Series {
				if s.Other && s.Dir == dir && s.Folded != groups-len(inside) {
					t.Errorf("%s: %s: %d folded, want %d", q, dir, s.Folded, groups-len(inside))
				}
			}
		}
		return
	}
	if want := max(0, len(keys)-r.N); res.Other != want {
		t.Errorf("%s: %d folded, want %d", q, res.Other, want)
	}
}

// counted is what a row counts in the unit of a request.
func counted(r query.Request, b *column.Batch, row int) uint64 {
	rate, packets := uint64(flow.SamplingRate.At(b, row)), flow.Packets.At(b, row)
	switch r.Unit {
	case "pps", "packets":
		return packets * rate
	case "flows":
		return 1
	}
	v := flow.Bytes.At(b, row)
	if r.Layer == "l1" {
		v += 20 * packets
	}
	if r.Layer != "l3" && flow.FlowType.At(b, row) != flow.TypeSFlow { // which counts whole frames
		v += 18 * packets
	}
	return v * rate
}

// speeds are those of the interfaces in a window, and what the other windows say of
// those of which it says nothing.
func speeds(r query.Request, b *column.Batch, windows [][2]int64) []map[string]float64 {
	list := make([]map[string]float64, len(windows))
	most := map[string]float64{}
	index, speed := flow.InIf, flow.InIfSpeed
	if slices.Contains(r.By, "out.if") {
		index, speed = flow.OutIf, flow.OutIfSpeed
	}
	for i, w := range windows {
		list[i] = map[string]float64{}
		for row := range b.Len() {
			if at := int64(flow.TimeReceived.At(b, row)); at < w[0] || at >= w[1] {
				continue
			}
			key := fmt.Sprintf("%v#%v", filtertest.Value(filtertest.Field("exporter"), b, row), index.At(b, row))
			list[i][key] = max(list[i][key], float64(speed.At(b, row)))
			most[key] = max(most[key], list[i][key])
		}
	}
	for key, v := range most {
		for _, of := range list {
			if of[key] == 0 {
				of[key] = v
			}
		}
	}
	return list
}

// TestVersusAgree compares earlier windows and the peaks of single seconds with what
// Go finds row by row.
func TestVersusAgree(t *testing.T) {
	reader, b := table(t, 20_000, true)
	for _, q := range []string{
		"vs=prev", "vs=prev&by=src.as&n=3", "vs=-90m&by=proto,dst.port&n=5&rankdir=sum", "vs=-30m&by=in.if&n=2&dir=sum&step=60", "vs=prev&by=exporter&rank=delta&n=1",
		"vs=prev&by=src.as&rank=delta&n=4&dir=sum&agg=peak", "agg=peak", "agg=peak&by=dst.port&n=3&dir=sum&step=600", "agg=peak&by=src.as&unit=pps&layer=l2&vs=-1h",
		"vs=-1h&by=src.as&rank=max&n=3", "vs=-1h&by=src.as&rank=p95&n=3&tz=Asia/Kolkata&step=3600", "vs=band4w&by=src.as",
		"unit=pct&by=in.if&vs=prev", "unit=pct&by=in.if&vs=prev&rank=delta&n=3&dir=sum", "unit=pct&by=in.if,proto&agg=peak&n=4&rank=max", "unit=pct&by=out.if&vs=-90m&agg=peak&n=50&layer=l2&dir=sum",
		"unit=pct&by=proto,in.if&vs=-30m&rank=p95&rankdir=sum&n=5&agg=peak&step=300", "unit=pct&by=out.if&vs=prev&rank=delta&n=2&agg=peak",
	} {
		q = "from=-1h&" + q
		r, rg, _, res := run(t, reader, q)
		type group struct{ dir, key string }
		type second struct {
			group
			t int64
		}
		then, now, seconds := map[group]uint64{}, map[group]uint64{}, map[second]uint64{}
		speed := map[group][2]float64{} // of its interface, now and then
		top := map[group]bool{}
		for _, s := range res.Series {
			if !s.Other {
				top[group{s.Dir, strings.Join(s.Key, "|")}] = true
			}
		}
		var shift int64
		if res.VS != nil {
			shift = res.VS.Shifts[0]
		}
		pace := speeds(r, b, [][2]int64{{rg.From, rg.To}, {rg.From - shift, rg.To - shift}})
		changes := map[group]float64{}
		for row := range b.Len() {
			at := int64(flow.TimeReceived.At(b, row))
			dir := flow.Direction.Field.Enum[flow.Direction.At(b, row)]
			if r.Dir == "sum" {
				dir = "sum"
			}
			v := counted(r, b, row)
			g := group{dir, keyOf(r.By, b, row)}
			changed := [2]float64{float64(v), float64(v)}
			if r.Unit == "pct" {
				i := slices.IndexFunc(r.By, func(by string) bool { return strings.HasSuffix(by, ".if") })
				link := strings.Split(g.key, "|")[i]
				speed[g] = [2]float64{pace[0][link], pace[1][link]}
				for w, s := range speed[g] {
					if changed[w] /= s; s == 0 {
						changed[w] = 0
					}
				}
			}
			whole, folded := group{dir, "total"}, g
			if !top[g] {
				folded.key = "other"
			}
			if at >= rg.From && at < rg.To {
				now[folded] += v
				now[whole] += v
				seconds[second{folded, at}] += v
				seconds[second{whole, at}] += v
				changes[g] += changed[0]
			}
			if shift > 0 && at >= rg.From-shift && at < rg.To-shift {
				then[folded] += v
				then[whole] += v
				changes[g] -= changed[1]
			}
		}
		peaks := func(g group) []float64 {
			list := make([]float64, len(rg.Times))
			for s, v := range seconds {
				if s.group != g {
					continue
				}
				i := len(rg.Times) - 1
				for rg.Times[i] > s.t {
					i--
				}
				rate := float64(v)
				switch r.Unit {
				case "bps":
					rate *= 8
				case "pct":
					rate *= 800 / speed[g][0]
				}
				list[i] = max(list[i], rate)
			}
			return list
		}
		same := func(what string, g group, total uint64, vs *query.Versus, points query.Points) {
			t.Helper()
			if total != now[g] {
				t.Errorf("%s: %s %v: total %d, want %d", q, what, g, total, now[g])
			}
			if (vs == nil) != (shift == 0) || vs != nil && len(res.VS.Shifts) == 1 && vs.Total != then[g] {
				t.Errorf("%s: %s %v: before %+v, want %d", q, what, g, vs, then[g])
			}
			if want := peaks(g); (points == nil) != (r.Agg != "peak") || points != nil && !slices.EqualFunc(points, want, near) {
				t.Errorf("%s: %s %v: peaks\n%v, want\n%v", q, what, g, points, want)
			}
		}
		for _, s := range res.Series {
			g := group{s.Dir, strings.Join(s.Key, "|")}
			if s.Other {
				g.key = "other"
			}
			same("series", g, s.Total, s.VS, s.Peaks)
			if r.Unit != "pct" {
				continue
			}
			avg := func(v uint64, speed float64) float64 { return float64(v) * 800 / 3600 / speed }
			if s.Other || speed[g][0] == 0 || !near(s.Avg, avg(now[g], speed[g][0])) || s.VS != nil && !near(s.VS.Avg, avg(then[g], speed[g][1])) {
				t.Errorf("%s: %v: %v %% before %+v, want %v before %v", q, g, s.Avg, s.VS, avg(now[g], speed[g][0]), avg(then[g], speed[g][1]))
			}
		}
		for _, total := range res.Total {
			same("total", group{total.Dir, "total"}, total.Total, total.VS, total.Peaks)
		}
		if r.Rank != "delta" {
			continue
		}
		for g, d := range changes { // nobody outside changed more than anybody inside
			for in := range top {
				if !top[g] && in.dir == g.dir && math.Abs(d) > math.Abs(changes[in]) && !near(math.Abs(d), math.Abs(changes[in])) {
					t.Errorf("%s: %v changed by %v and is folded, %v by %v and is not", q, g, d, in, changes[in])
				}
			}
		}
	}
}

// near says that two numbers differ by no more than the order in which they were added up.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }

// keyOf is the key of a row as Series.Key has it.
func keyOf(by []string, b *column.Batch, row int) string {
	var parts []string
	for _, name := range by {
		side, rest, _ := strings.Cut(name, ".")
		switch {
		case strings.Contains(name, ".net:"):
			a := filtertest.Value(filtertest.Field("src.ip"), b, row).(netip.Addr)
			bits := 48
			if a.Is4() {
				bits = 24
			}
			p, _ := a.Prefix(bits)
			parts = append(parts, p.String())
			continue
		case rest == "if":
			parts = append(parts, fmt.Sprintf("%v#%v", filtertest.Value(filtertest.Field("exporter"), b, row), filtertest.Value(filtertest.Field(side+".ifindex"), b, row)))
			continue
		}
		v := filtertest.Values(name, b, row)[0]
		if name == "src.mac" {
			n := v.(uint64)
			v = fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		}
		parts = append(parts, fmt.Sprint(v))
	}
	return strings.Join(parts, "|")
}

// TestFiltersAgree counts what each filter of the golden file finds, and compares it
// with the rows for which the tree of the filter holds. testdata/found.txt has the
// counts: a filter that finds something else than yesterday is a visible change.
func TestFiltersAgree(t *testing.T) {
	reader, b := table(t, 4000, true)
	data, err := os.ReadFile("../../filter/testdata/filter.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	found, n := 0, 0
	var counts bytes.Buffer
	seen := map[string]bool{}
	params, conditions := param.Set{}, []string{}
	var wants []uint64
	var texts []string
	check := func() { // many filters in one statement, which takes the engine longer to read than to run
		t.Helper()
		sql := "SELECT countIf(" + strings.Join(conditions, "), countIf(") + ") FROM flows"
		res, _, err := reader.Select(t.Context(), store.Query{SQL: sql, Params: params})
		if err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
		for i, want := range wants {
			if got := res.Columns[i].([]uint64)[0]; got != want {
				t.Errorf("%s: the engine finds %d, the tree %d", texts[i], got, want)
			}
		}
		params, conditions, wants, texts = param.Set{}, nil, nil, nil
	}
	for line := range strings.Lines(string(data)) {
		var c struct{ Text string }
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		f, err := filter.Parse(c.Text, filter.Names{Macros: macros})
		if err != nil || seen[f.String()] {
			continue
		}
		seen[f.String()] = true
		want := uint64(0)
		for row := range b.Len() {
			if f.Root == nil || filtertest.Holds(f.Root, b, row) {
				want++
			}
		}
		if marked := marked(t, f, b); marked != want {
			t.Errorf("%s: the matcher finds %d rows, the tree %d", c.Text, marked, want)
		}
		conditions, wants, texts = append(conditions, cmp.Or(f.SQL(params), "1")), append(wants, want), append(texts, c.Text)
		if len(wants) == 20 {
			check()
		}
		if n++; n%10 == 0 && sampled(n/10) { // as a question asks
			_, _, _, res := run(t, reader, url.Values{"q": {c.Text}, "dir": {"sum"}, "unit": {"flows"}, "from": {fmt.Sprint(now.Unix() - seconds)}}.Encode())
			got := uint64(0)
			if len(res.Total) > 0 {
				got = res.Total[0].Total
			}
			if got != want {
				t.Errorf("%s: a series counts %d, the tree %d", c.Text, got, want)
			}
		}
		fmt.Fprintf(&counts, "%4d %q\n", want, f.String())
		if want > 0 && want < uint64(b.Len()) {
			found++
		}
	}
	check()
	if found < n*3/4 {
		t.Errorf("only %d of %d filters tell rows apart: the rows are too poor", found, n)
	}
	if n < 300 {
		t.Errorf("%d filters that mean different things", n)
	}
	golden.Equal(t, "testdata/found.txt", counts.Bytes())
}

// TestValues runs the statement for the values of every field.
func TestValues(t *testing.T) {
	reader, _ := table(t, 1000, true)
	n := 0
	for _, info := range filter.Catalogue() {
		q, ok := query.Values(info.Name, query.Schema{})
		if !ok {
			continue
		}
		n++
		if _, _, err := reader.Select(t.Context(), store.Query{SQL: q.SQL, Params: q.Params}); err != nil {
			t.Errorf("%s: %v\n%s", info.Name, err, q.SQL)
		}
	}
	if n < 30 {
		t.Errorf("%d fields have values", n)
	}
}

// TestProbe asks whether there is anything.
func TestProbe(t *testing.T) {
	reader, _ := table(t, 1000, true)
	f := func(filter string, from int64, want uint8) {
		t.Helper()
		st, err := query.Request{Filter: filter}.Probe(from, now.Unix(), query.Schema{})
		if err != nil {
			t.Fatal(err)
		}
		res, _, err := reader.Select(t.Context(), store.Query{SQL: st.SQL, Params: st.Params})
		if err != nil {
			t.Fatal(err)
		}
		if got := res.Columns[0].([]uint8); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v, want %d", filter, got, want)
		}
	}
	f("udp", now.Unix()-seconds, 1)
	f("port 4242", now.Unix()-seconds, 0)
	f("", now.Unix()-seconds, 1)
}

// TestFilterOfSeries asks for each series again by its own filter: it finds the same.
func TestFilterOfSeries(t *testing.T) {
	reader, _ := table(t, 3000, true)
	for _, by := range []string{"src.as", "proto", "src.net:24:48", "dst.ip", "in.if", "exporter", "src.mac", "flags", "dscp", "etype", "src.country", "direction", "in.boundary", "remote.as", "app", "in.ifdescription", "tunnel", "dst.port"} {
		_, _, _, res := run(t, reader, "from=-5h&dir=sum&n=50&by="+by)
		for _, s := range res.Series {
			if s.Other {
				continue
			}
			_, _, _, again := run(t, reader, url.Values{"from": {"-5h"}, "dir": {"sum"}, "q": {s.Filter[0]}}.Encode())
			if len(again.Total) != 1 || again.Total[0].Total != s.Total {
				t.Errorf("by=%s: %s finds %+v, want %d", by, s.Filter[0], again.Total, s.Total)
			}
		}
	}
}

// TestFilterOfOther asks for what Other holds by its own filter: it is that to the byte,
// and grouped by something else it adds up to it.
func TestFilterOfOther(t *testing.T) {
	reader, _ := table(t, 3000, true)
	found := map[string]bool{}
	for _, by := range []string{"src.as", "proto", "src.net:24:48", "dst.ip", "in.if", "exporter", "src.mac", "flags", "dscp", "etype", "src.country", "in.boundary", "remote.as", "app", "in.ifdescription", "tunnel", "dst.port",
		"proto,dst.port", "in.if,src.country", "exporter,in.if,dst.port", "flags,app"} {
		for _, opts := range []string{"n=1", "n=3&dir=sum", "n=4&rankdir=sum", "n=2&dir=out&rank=max"} {
			q := "from=-5h&q=not+port+80&" + opts + "&by=" + by
			r, _, _, res := run(t, reader, q)
			of := map[string]uint64{}
			for _, s := range res.Series {
				if !s.Other {
					continue
				}
				if len(s.Filter) != 1 {
					t.Fatalf("%s: Other of %s has the filter %q", q, s.Dir, s.Filter)
				}
				f, err := filter.Parse(s.Filter[0], filter.Names{})
				if err != nil || f.String() != s.Filter[0] {
					t.Errorf("%s: %q is written %q, %v", q, s.Filter[0], f, err)
				}
				of[s.Filter[0]] += s.Total
				found[by] = true
			}
			for filter, want := range of {
				dir := "both"
				if r.Dir == "out" {
					dir = "out"
				}
				_, _, _, again := run(t, reader, url.Values{"from": {"-5h"}, "dir": {dir}, "q": {"not port 80 and " + filter}, "by": {"src.port"}}.Encode())
				var sum uint64
				for _, s := range again.Series {
					sum += s.Total
				}
				if sum != want {
					t.Errorf("%s: %s finds %d, Other has %d", q, filter, sum, want)
				}
			}
		}
		if !found[by] {
			t.Errorf("by=%s: there is no Other", by)
		}
	}
	_, _, _, res := run(t, reader, "from=-5h&by=src.as&n=2&skip=1")
	_, _, _, timed := run(t, reader, "from=-5h&by=src.as,ts:1h&n=2")
	for _, s := range append(res.Series, timed.Series...) {
		if s.Other && len(s.Filter) > 0 {
			t.Errorf("of %v: %q", s.Label, s.Filter)
		}
	}
}
