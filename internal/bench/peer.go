package main

import (
	"bufio"
	"context"
	"os"
	"sync"
	"sync/atomic"

	_ "github.com/netsampler/goflow2/v2/format/binary" // registers "bin": length-delimited Protobuf

	"github.com/netsampler/goflow2/v2/format"
	"github.com/netsampler/goflow2/v2/producer"
	protoproducer "github.com/netsampler/goflow2/v2/producer/proto"
	"github.com/netsampler/goflow2/v2/utils"
	"github.com/netsampler/goflow2/v2/utils/templates"
)

// peerLoads are the loads for goflow2, at a moderate rate without loss.
var peerLoads = []load{{"netflow9", 48_000}, {"ipfix", 48_000}, {"sflow", 12_000}}

// measurePeer sends the loads of measureSocket to goflow2.
func measurePeer(figs *figures) error {
	for _, load := range peerLoads {
		t, s, err := receive("goflow2", load)
		if err != nil {
			return err
		}
		t.add(figs, "goflow2/"+load.name(), s)
	}
	return nil
}

// goflow2 is goflow2's pipeline as in its own program: UDP receiver, decoder, producer of Protobuf messages, file. Two
// things favour it: it has no metrics, and a buffer in front of the file, to which its own transport writes twice per
// flow.
func goflow2() error {
	config, err := (*protoproducer.ProducerConfig)(nil).Compile()
	if err != nil {
		return err
	}
	produce, err := protoproducer.CreateProtoProducer(config, protoproducer.CreateSamplingSystem)
	if err != nil {
		return err
	}
	messages, err := format.FindFormat("bin")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp("", "netmeta-bench-*.pb")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	to := &messageFile{w: bufio.NewWriterSize(f, 64<<10)}
	pipe := utils.NewFlowPipe(&utils.PipeConfig{Format: messages, Transport: to, Producer: producer.ProducerInterface(produce),
		NetFlowTemplater: templates.DefaultTemplateGenerator})
	defer pipe.Close()
	port, _, err := freePorts()
	if err != nil {
		return err
	}
	receiver, err := utils.NewUDPReceiver(&utils.UDPReceiverConfig{Sockets: 2, Workers: 4, QueueSize: 1_000_000})
	if err != nil {
		return err
	}
	if err := receiver.Start("127.0.0.1", port, pipe.DecodeFlow); err != nil {
		return err
	}
	return serve(uint16(port), func(ctx context.Context) (tally, error) {
		<-ctx.Done()
		if err := receiver.Stop(); err != nil {
			return tally{}, err
		}
		return tally{Flows: to.written.Load()}, to.w.Flush()
	})
}

// messageFile is the transport for goflow2's messages.
type messageFile struct {
	mu      sync.Mutex
	w       *bufio.Writer
	written atomic.Uint64
}

func (m *messageFile) Send(_, data []byte) error {
	m.written.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.w.Write(data)
	return err
}
