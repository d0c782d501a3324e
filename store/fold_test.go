package store_test

import (
	"fmt"
	"strings"
	"testing"

	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/store"
)

// The minute that is attacked, and the hour of it.
const (
	attacked     = end - 7200 + 600
	attackedHour = end - 7200
)

// honest are flows of ten keys in each minute of an hour.
const honest = `INSERT INTO flows (TimeReceived, ExporterAddress, InIf, SrcAS, DstAS, SamplingRate, Bytes, Packets, Direction)
SELECT %d + number %% 3600, toIPv6('192.0.2.1'), number %% 2, 64500 + number %% 5, 64600, 100, 1000 + number, 2, 'in' FROM numbers(72000)`

// foldedSteps are the steps of a rollup that the store says are folded.
func foldedSteps(t *testing.T, c *store.Client, rollup string) string {
	t.Helper()
	return text(t, c, "SELECT toUInt32(TimeReceived) FROM rollup_folded WHERE Name = '"+rollup+"' GROUP BY TimeReceived HAVING argMax(Folded, Noted) = 1 ORDER BY TimeReceived")
}

// A minute of flows whose keys hardly repeat has few sums all the same, and none is lost:
// the keys with many flows are as they were, the sums of all are right, and rollups whose
// keys do repeat have every one.
func TestRollupFolds(t *testing.T) {
	const floor, forged = 300, 30_000
	for _, attack := range []struct {
		name, columns, values string
		folded                []string // minutes of these rollups
	}{
		{"random ASes", "SrcAS, DstAS", "rand32(1), rand32(2)", []string{"rollup_1m", "rollup_1m_as"}},
		{"random interfaces", "InIf, OutIf", "rand32(1), rand32(2)", []string{"rollup_1m", "rollup_1m_if"}},
		{"random exporters", "ExporterAddress, SrcAS", "toIPv6(concat('2001:db8::', hex(rand32(1) % 65536), ':', hex(rand32(2) % 65536))), rand32(3)", []string{"rollup_1m", "rollup_1m_if", "rollup_1m_as"}},
		{"random rates", "SamplingRate", "1 + rand32(1) % 1000000", []string{"rollup_1m", "rollup_1m_if", "rollup_1m_as", "rollup_1m_net"}},
		{"everything", "SrcAS, DstAS, InIf, OutIf, ExporterAddress, SamplingRate, Proto, EType", "rand32(1), rand32(2), rand32(3), rand32(4), toIPv6(concat('2001:db8::', hex(rand32(5) % 65536), ':', hex(rand32(6) % 65536))), 1 + rand32(7) % 1000000, rand32(8) % 256, rand32(9) % 65536",
			[]string{"rollup_1m", "rollup_1m_if", "rollup_1m_as", "rollup_1m_net"}},
	} {
		t.Run(attack.name, func(t *testing.T) {
			w, r := enginetest.Clients(t)
			migrate(t, w, withRollups())
			for _, sql := range []string{
				fmt.Sprintf(honest, attackedHour-3*3600),
				fmt.Sprintf(honest, attackedHour),
				fmt.Sprintf("INSERT INTO flows (TimeReceived, Bytes, Packets, %s) SELECT %d + number %% 60, 1 + rand32(20) %% 1500, 1, %s FROM numbers(%d)", attack.columns, attacked, attack.values, forged),
			} {
				if err := w.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			roller := &store.Roller{Client: w, Schema: func() store.Schema { return withRollups() }, Owner: "test", Log: quiet, Floor: floor}
			enginetest.RollWith(t, roller, end)
			for _, rollup := range flow.Table.Rollups {
				where := fmt.Sprintf(" WHERE TimeReceived = toDateTime(%d, 'UTC')", attacked)
				want := fmt.Sprint(attacked)
				if rollup.Step == 3600 {
					where, want = fmt.Sprintf(" WHERE TimeReceived = toDateTime(%d, 'UTC')", attackedHour), fmt.Sprint(attackedHour)
				} else if !strings.Contains(" "+strings.Join(attack.folded, " ")+" ", " "+rollup.Name+" ") {
					want = ""
				}
				if got := foldedSteps(t, r, rollup.Name); got != want {
					t.Errorf("%s: folded are %q, want %q", rollup.Name, got, want)
				}
				if got := text(t, r, "SELECT count() <= "+fmt.Sprint((forged+72000/60)/10)+" FROM "+rollup.Name+where); got != "1" && rollup.Step == 60 {
					t.Errorf("%s has %s sums for the minute", rollup.Name, text(t, r, "SELECT count() FROM "+rollup.Name+where))
				}
				if want == "" {
					if got := text(t, r, "SELECT countIf(Folded > 0) FROM "+rollup.Name); got != "0" {
						t.Errorf("%s has %s folded rows", rollup.Name, got)
					}
				} else if got := text(t, r, "SELECT countIf(Folded > 0) > 0 FROM "+rollup.Name+where); got != "1" {
					t.Errorf("%s: no row says that it is folded", rollup.Name)
				}
				sums := ", toString(sum(ScaledBytes)), toString(sum(ScaledPackets)), "
				flows := text(t, r, fmt.Sprintf("SELECT intDiv(toUInt32(TimeReceived), %d) AS at%scount() FROM flows GROUP BY at ORDER BY at", rollup.Step, sums))
				if got := text(t, r, fmt.Sprintf("SELECT intDiv(toUInt32(TimeReceived), %d) AS at%ssum(Flows) FROM %s GROUP BY at ORDER BY at", rollup.Step, sums, rollup.Name)); got != flows {
					t.Errorf("%s has other sums than flows", rollup.Name)
				}
				if rollup.Keeps(flow.Table.Field("SrcAS")) {
					as := "SELECT SrcAS, DstAS, toString(sum(ScaledBytes)), %s FROM %s WHERE SrcAS BETWEEN 64500 AND 64504 AND DstAS = 64600 AND SamplingRate = 100 GROUP BY SrcAS, DstAS ORDER BY SrcAS"
					want := text(t, r, fmt.Sprintf(as, "count()", "flows"))
					if got := text(t, r, fmt.Sprintf(as, "sum(Flows)", rollup.Name)); got != want || strings.Count(got, "\n") != 4 {
						t.Errorf("%s: of honest keys\n%s, want\n%s", rollup.Name, got, want)
					}
				}
			}
			// Nothing is left to do, a new process knows the same, and without the attack
			// the minute is as others are.
			again := &store.Roller{Client: w, Schema: roller.Schema, Owner: "test", Log: quiet, Floor: floor}
			enginetest.RollWith(t, again, end)
			if n := again.Stats.Remade.Load(); n > 0 {
				t.Errorf("a new process rebuilds %d steps", n)
			}
			if err := w.Exec(t.Context(), "ALTER TABLE flows DELETE WHERE Packets = 1 SETTINGS mutations_sync = 1"); err != nil {
				t.Fatal(err)
			}
			enginetest.RollWith(t, again, end)
			sameSums(t, r)
			for _, rollup := range flow.Table.Rollups {
				if got := foldedSteps(t, r, rollup.Name); got != "" {
					t.Errorf("%s: %s is still folded", rollup.Name, got)
				}
			}
		})
	}
}

// Sums of folded rows end at 2^64−1 as all others do: forged flows do not make them small.
func TestFoldedSumsEnd(t *testing.T) {
	w, r := enginetest.Clients(t)
	migrate(t, w, withRollups())
	sql := fmt.Sprintf("INSERT INTO flows (TimeReceived, SrcAS, InIf, ExporterAddress, Proto, EType, SamplingRate, Bytes, Packets) SELECT %d, rand32(1), rand32(2), toIPv6(concat('2001:db8::', hex(number))), rand32(3), rand32(4), 2, 9223372036854775808, 9223372036854775808 FROM numbers(30000)", attacked)
	if err := w.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
	enginetest.RollWith(t, &store.Roller{Client: w, Schema: func() store.Schema { return withRollups() }, Owner: "test", Log: quiet, Floor: 300}, end)
	for _, rollup := range flow.Table.Rollups {
		if got := text(t, r, "SELECT sum(Flows), sum(ScaledBytes) >= 18446744073709551615, sum(ScaledPackets) >= 18446744073709551615, countIf(Folded > 0) > 0 FROM "+rollup.Name); got != "30000\t1\t1\t1" {
			t.Errorf("%s: %s", rollup.Name, got)
		}
	}
}
