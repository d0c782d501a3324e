package native_test

import (
	"testing"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/native"
)

// BenchmarkEncode encodes batches with the columns that a NetFlow record of 20
// fields sets.
func BenchmarkEncode(b *testing.B) {
	const rows = 8192
	batch := flow.Table.NewBatch(rows)
	for row := range rows {
		batch.Add()
		flow.TimeReceived.Set(batch, row, 1790000000)
		flow.FlowStart.Set(batch, row, 1790000000000)
		flow.FlowEnd.Set(batch, row, 1790000000000)
		flow.FlowType.Set(batch, row, flow.TypeIPFIX)
		flow.ExporterAddress.Set(batch, row, column.Addr{15: 1})
		flow.ObservationDomain.Set(batch, row, 1)
		flow.SequenceNum.Set(batch, row, uint32(row))
		flow.SamplingRate.Set(batch, row, 1000)
		flow.SamplingSource.Set(batch, row, flow.SamplingOptions)
		flow.Bytes.Set(batch, row, 1500)
		flow.Packets.Set(batch, row, 1)
		flow.SrcAddr.Set(batch, row, column.Addr{15: byte(row)})
		flow.DstAddr.Set(batch, row, column.Addr{15: byte(row)})
		flow.SrcPort.Set(batch, row, uint16(row))
		flow.DstPort.Set(batch, row, 443)
		flow.Proto.Set(batch, row, 6)
		flow.EType.Set(batch, row, flow.EtherTypeIPv4)
		flow.TCPFlags.Set(batch, row, 16)
		flow.IPTos.Set(batch, row, uint8(row))
		flow.Direction.Set(batch, row, flow.DirectionIn)
		flow.InIf.Set(batch, row, 1)
		flow.OutIf.Set(batch, row, 2)
		flow.SrcAS.Set(batch, row, 64496)
		flow.DstAS.Set(batch, row, 64497)
		flow.NextHop.Set(batch, row, column.Addr{15: 3})
		flow.SrcMask.Set(batch, row, 24)
		flow.DstMask.Set(batch, row, 24)
	}
	var e native.Encoder
	b.ReportAllocs()
	for b.Loop() {
		block := e.Encode(batch)
		block.Release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/flow")
}
