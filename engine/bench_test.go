package engine

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkInsert inserts Native blocks of 32 columns and 100,000 rows over HTTP,
// one request at a time.
func BenchmarkInsert(b *testing.B) {
	const rows = 100_000
	w := writer(b)
	var columns, values []string
	for i := range 32 {
		typ, value := "UInt32", fmt.Sprintf("toUInt32(cityHash64(number, %d) %% 100000)", i)
		switch {
		case i == 0:
			typ, value = "DateTime", "toDateTime(1700000000 + intDiv(number, 1000))"
		case i < 4:
			typ, value = "IPv6", fmt.Sprintf("toIPv6(reinterpretAsFixedString(toUInt128(cityHash64(number, %d))))", i)
		case i < 8:
			typ, value = "UInt64", fmt.Sprintf("cityHash64(number, %d)", i)
		case i < 16:
			typ, value = "UInt16", fmt.Sprintf("toUInt16(cityHash64(number, %d))", i)
		case i < 20:
			typ, value = "UInt8", fmt.Sprintf("toUInt8(cityHash64(number, %d))", i)
		case i < 22:
			typ, value = "LowCardinality(String)", fmt.Sprintf("toLowCardinality(toString(number %% %d))", i)
		}
		columns = append(columns, fmt.Sprintf("c%d %s", i, typ))
		values = append(values, fmt.Sprintf("%s AS c%d", value, i))
	}
	w.must("CREATE OR REPLACE TABLE bench (" + strings.Join(columns, ", ") + ") ENGINE = MergeTree PARTITION BY toStartOfHour(c0) ORDER BY (toStartOfFiveMinutes(c0), c1) SETTINGS non_replicated_deduplication_window = 1000")
	block := w.do("POST", fmt.Sprintf("SELECT %s FROM numbers(%d) SETTINGS max_block_size = %[2]d FORMAT Native", strings.Join(values, ", "), rows)).body
	b.SetBytes(int64(len(block)))
	for i := 0; b.Loop(); i++ {
		req, _ := http.NewRequest("POST", fmt.Sprintf("%s/?query=INSERT+INTO+bench+FORMAT+Native&insert_deduplication_token=%d", w.url, i), strings.NewReader(block))
		req.SetBasicAuth(w.user.Name, w.user.Password)
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 {
			b.Fatalf("%s", text)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
	w.must("DROP TABLE bench SYNC")
}

// BenchmarkSmallQuery is what a request costs besides its query.
func BenchmarkSmallQuery(b *testing.B) {
	w := writer(b)
	for b.Loop() {
		w.must("SELECT 1")
	}
}

func BenchmarkReaderQuery(b *testing.B) {
	r := reader(b)
	for b.Loop() {
		r.must("SELECT 1")
	}
}

// BenchmarkTranscode: Native with a revision, 20 columns of 8 bytes.
func BenchmarkTranscode(b *testing.B) {
	w := writer(b)
	var values []string
	for i := range 20 {
		values = append(values, fmt.Sprintf("number AS c%d", i))
	}
	block := []byte(w.do("POST", "SELECT "+strings.Join(values, ", ")+" FROM numbers(50000) FORMAT Native").body)
	b.SetBytes(int64(len(block)))
	for b.Loop() {
		if err := transcodeNative(io.Discard, bufio.NewReader(bytes.NewReader(block)), 54460); err != nil {
			b.Fatal(err)
		}
	}
}
