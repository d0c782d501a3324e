CREATE TABLE IF NOT EXISTS rollup_1m
(
    TimeReceived DateTime('UTC') COMMENT 'Start of the 60 seconds that the row is of.' CODEC(DoubleDelta, ZSTD(1)),
    FlowType Enum8('unknown' = 0, 'sflow' = 1, 'netflow5' = 2, 'netflow9' = 3, 'ipfix' = 4, 'mirror' = 5) COMMENT 'How the record came in.',
    ExporterAddress IPv6 COMMENT 'The device that sent the record: the source of the datagram, or the agent address of sFlow.',
    SamplingRate UInt32 COMMENT 'One of this many packets was looked at. 1 when nothing said otherwise; see SamplingSource.' CODEC(T64, ZSTD(1)),
    Bytes UInt64 COMMENT 'Sum of Bytes of the rows.' CODEC(T64, ZSTD(1)),
    Packets UInt64 COMMENT 'Sum of Packets of the rows.' CODEC(T64, ZSTD(1)),
    ScaledBytes UInt128 ALIAS toUInt128(Bytes) * SamplingRate COMMENT 'Bytes times the sampling rate: the estimate of what crossed the network. Of 128 bits, so that no sum of it overflows, whatever records say.',
    ScaledPackets UInt128 ALIAS toUInt128(Packets) * SamplingRate COMMENT 'Packets times the sampling rate: the estimate of what crossed the network. Of 128 bits, as ScaledBytes.',
    Proto UInt8 COMMENT 'IP protocol number of the transport (IANA), behind the extension headers of IPv6.',
    EType UInt16 COMMENT 'EtherType of the network layer: 0x0800 IPv4, 0x86dd IPv6.' CODEC(T64, ZSTD(1)),
    Direction Enum8('unknown' = 0, 'in' = 1, 'out' = 2, 'internal' = 3, 'transit' = 4) COMMENT 'Which way the traffic crosses the border of the network.',
    InIf UInt32 COMMENT 'ifIndex of the interface; 0 when the exporter does not know it.' CODEC(T64, ZSTD(1)),
    OutIf UInt32 COMMENT 'ifIndex of the interface; 0 when the exporter does not know it.' CODEC(T64, ZSTD(1)),
    InIfName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the interface.',
    OutIfName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the interface.',
    InIfDescription LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Description of the interface (ifAlias).',
    OutIfDescription LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Description of the interface (ifAlias).',
    InIfSpeed UInt64 ALIAS defaultValueOfTypeName('UInt64') COMMENT 'Speed of the interface in bits per second.',
    OutIfSpeed UInt64 ALIAS defaultValueOfTypeName('UInt64') COMMENT 'Speed of the interface in bits per second.',
    InIfBoundary Enum8('unknown' = 0, 'external' = 1, 'internal' = 2) ALIAS defaultValueOfTypeName('Enum8(\'unknown\' = 0, \'external\' = 1, \'internal\' = 2)') COMMENT 'Whether the interface leads out of the network.',
    OutIfBoundary Enum8('unknown' = 0, 'external' = 1, 'internal' = 2) ALIAS defaultValueOfTypeName('Enum8(\'unknown\' = 0, \'external\' = 1, \'internal\' = 2)') COMMENT 'Whether the interface leads out of the network.',
    InIfConnectivity LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'What the interface connects to: transit, peering, customer and so on.',
    OutIfConnectivity LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'What the interface connects to: transit, peering, customer and so on.',
    InIfProvider LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'The network behind the interface.',
    OutIfProvider LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'The network behind the interface.',
    ExporterName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the exporter.',
    ExporterGroup LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Group that the exporter belongs to.',
    ExporterRole LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Role of the exporter: edge, core or access.',
    ExporterSite LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Site where the exporter stands.',
    ExporterRegion LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Region where the exporter stands.',
    ExporterTenant LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Tenant whom the exporter serves.',
    SrcAS UInt32 COMMENT 'Autonomous system number, origin or peer as the exporter is configured.' CODEC(T64, ZSTD(1)),
    DstAS UInt32 COMMENT 'Autonomous system number, origin or peer as the exporter is configured.' CODEC(T64, ZSTD(1)),
    SrcNetName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the configured network that holds the address.',
    DstNetName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the configured network that holds the address.',
    SrcNetRole LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Role of the network: customer, server, infrastructure and so on.',
    DstNetRole LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Role of the network: customer, server, infrastructure and so on.',
    SrcNetSite LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Site of the network.',
    DstNetSite LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Site of the network.',
    SrcNetRegion LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Region of the network.',
    DstNetRegion LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Region of the network.',
    SrcNetTenant LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Tenant or customer of the network.',
    DstNetTenant LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Tenant or customer of the network.',
    SrcCountry LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Country of the address, ISO 3166-1 alpha-2.',
    DstCountry LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Country of the address, ISO 3166-1 alpha-2.',
    Flows UInt64 COMMENT 'How many rows of flows it stands for.' CODEC(T64, ZSTD(1)),
    Folded UInt8 COMMENT '1: it stands for rows whose keys were too many to keep, and has lost fields.'
)
ENGINE = SummingMergeTree((Bytes, Packets, Flows))
PARTITION BY toDate(TimeReceived)
PRIMARY KEY (TimeReceived)
ORDER BY (TimeReceived, FlowType, ExporterAddress, SamplingRate, Proto, EType, Direction, InIf, OutIf, SrcAS, DstAS, Folded)
TTL TimeReceived + toIntervalDay(90)
SETTINGS non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS rollup_1m_net
(
    TimeReceived DateTime('UTC') COMMENT 'Start of the 60 seconds that the row is of.' CODEC(DoubleDelta, ZSTD(1)),
    SamplingRate UInt32 COMMENT 'One of this many packets was looked at. 1 when nothing said otherwise; see SamplingSource.' CODEC(T64, ZSTD(1)),
    Bytes UInt64 COMMENT 'Sum of Bytes of the rows.' CODEC(T64, ZSTD(1)),
    Packets UInt64 COMMENT 'Sum of Packets of the rows.' CODEC(T64, ZSTD(1)),
    ScaledBytes UInt128 ALIAS toUInt128(Bytes) * SamplingRate COMMENT 'Bytes times the sampling rate: the estimate of what crossed the network. Of 128 bits, so that no sum of it overflows, whatever records say.',
    ScaledPackets UInt128 ALIAS toUInt128(Packets) * SamplingRate COMMENT 'Packets times the sampling rate: the estimate of what crossed the network. Of 128 bits, as ScaledBytes.',
    Proto UInt8 COMMENT 'IP protocol number of the transport (IANA), behind the extension headers of IPv6.',
    EType UInt16 COMMENT 'EtherType of the network layer: 0x0800 IPv4, 0x86dd IPv6.' CODEC(T64, ZSTD(1)),
    Direction Enum8('unknown' = 0, 'in' = 1, 'out' = 2, 'internal' = 3, 'transit' = 4) COMMENT 'Which way the traffic crosses the border of the network.',
    SrcNetName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the configured network that holds the address.',
    DstNetName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the configured network that holds the address.',
    SrcNetRole LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Role of the network: customer, server, infrastructure and so on.',
    DstNetRole LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Role of the network: customer, server, infrastructure and so on.',
    SrcNetSite LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Site of the network.',
    DstNetSite LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Site of the network.',
    SrcNetRegion LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Region of the network.',
    DstNetRegion LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Region of the network.',
    SrcNetTenant LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Tenant or customer of the network.',
    DstNetTenant LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Tenant or customer of the network.',
    SrcCountry LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Country of the address, ISO 3166-1 alpha-2.',
    DstCountry LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Country of the address, ISO 3166-1 alpha-2.',
    Flows UInt64 COMMENT 'How many rows of flows it stands for.' CODEC(T64, ZSTD(1)),
    Folded UInt8 COMMENT '1: it stands for rows whose keys were too many to keep, and has lost fields.'
)
ENGINE = SummingMergeTree((Bytes, Packets, Flows))
PARTITION BY toDate(TimeReceived)
PRIMARY KEY (TimeReceived)
ORDER BY (TimeReceived, SamplingRate, Proto, EType, Direction, Folded)
TTL TimeReceived + toIntervalDay(90)
SETTINGS non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS rollup_1m_as
(
    TimeReceived DateTime('UTC') COMMENT 'Start of the 60 seconds that the row is of.' CODEC(DoubleDelta, ZSTD(1)),
    SamplingRate UInt32 COMMENT 'One of this many packets was looked at. 1 when nothing said otherwise; see SamplingSource.' CODEC(T64, ZSTD(1)),
    Bytes UInt64 COMMENT 'Sum of Bytes of the rows.' CODEC(T64, ZSTD(1)),
    Packets UInt64 COMMENT 'Sum of Packets of the rows.' CODEC(T64, ZSTD(1)),
    ScaledBytes UInt128 ALIAS toUInt128(Bytes) * SamplingRate COMMENT 'Bytes times the sampling rate: the estimate of what crossed the network. Of 128 bits, so that no sum of it overflows, whatever records say.',
    ScaledPackets UInt128 ALIAS toUInt128(Packets) * SamplingRate COMMENT 'Packets times the sampling rate: the estimate of what crossed the network. Of 128 bits, as ScaledBytes.',
    Direction Enum8('unknown' = 0, 'in' = 1, 'out' = 2, 'internal' = 3, 'transit' = 4) COMMENT 'Which way the traffic crosses the border of the network.',
    SrcAS UInt32 COMMENT 'Autonomous system number, origin or peer as the exporter is configured.' CODEC(T64, ZSTD(1)),
    DstAS UInt32 COMMENT 'Autonomous system number, origin or peer as the exporter is configured.' CODEC(T64, ZSTD(1)),
    Flows UInt64 COMMENT 'How many rows of flows it stands for.' CODEC(T64, ZSTD(1)),
    Folded UInt8 COMMENT '1: it stands for rows whose keys were too many to keep, and has lost fields.'
)
ENGINE = SummingMergeTree((Bytes, Packets, Flows))
PARTITION BY toDate(TimeReceived)
PRIMARY KEY (TimeReceived)
ORDER BY (TimeReceived, SamplingRate, Direction, SrcAS, DstAS, Folded)
TTL TimeReceived + toIntervalDay(90)
SETTINGS non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS rollup_1m_if
(
    TimeReceived DateTime('UTC') COMMENT 'Start of the 60 seconds that the row is of.' CODEC(DoubleDelta, ZSTD(1)),
    FlowType Enum8('unknown' = 0, 'sflow' = 1, 'netflow5' = 2, 'netflow9' = 3, 'ipfix' = 4, 'mirror' = 5) COMMENT 'How the record came in.',
    ExporterAddress IPv6 COMMENT 'The device that sent the record: the source of the datagram, or the agent address of sFlow.',
    SamplingRate UInt32 COMMENT 'One of this many packets was looked at. 1 when nothing said otherwise; see SamplingSource.' CODEC(T64, ZSTD(1)),
    Bytes UInt64 COMMENT 'Sum of Bytes of the rows.' CODEC(T64, ZSTD(1)),
    Packets UInt64 COMMENT 'Sum of Packets of the rows.' CODEC(T64, ZSTD(1)),
    ScaledBytes UInt128 ALIAS toUInt128(Bytes) * SamplingRate COMMENT 'Bytes times the sampling rate: the estimate of what crossed the network. Of 128 bits, so that no sum of it overflows, whatever records say.',
    ScaledPackets UInt128 ALIAS toUInt128(Packets) * SamplingRate COMMENT 'Packets times the sampling rate: the estimate of what crossed the network. Of 128 bits, as ScaledBytes.',
    Direction Enum8('unknown' = 0, 'in' = 1, 'out' = 2, 'internal' = 3, 'transit' = 4) COMMENT 'Which way the traffic crosses the border of the network.',
    InIf UInt32 COMMENT 'ifIndex of the interface; 0 when the exporter does not know it.' CODEC(T64, ZSTD(1)),
    OutIf UInt32 COMMENT 'ifIndex of the interface; 0 when the exporter does not know it.' CODEC(T64, ZSTD(1)),
    InIfName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the interface.',
    OutIfName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the interface.',
    InIfDescription LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Description of the interface (ifAlias).',
    OutIfDescription LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Description of the interface (ifAlias).',
    InIfSpeed UInt64 ALIAS defaultValueOfTypeName('UInt64') COMMENT 'Speed of the interface in bits per second.',
    OutIfSpeed UInt64 ALIAS defaultValueOfTypeName('UInt64') COMMENT 'Speed of the interface in bits per second.',
    InIfBoundary Enum8('unknown' = 0, 'external' = 1, 'internal' = 2) ALIAS defaultValueOfTypeName('Enum8(\'unknown\' = 0, \'external\' = 1, \'internal\' = 2)') COMMENT 'Whether the interface leads out of the network.',
    OutIfBoundary Enum8('unknown' = 0, 'external' = 1, 'internal' = 2) ALIAS defaultValueOfTypeName('Enum8(\'unknown\' = 0, \'external\' = 1, \'internal\' = 2)') COMMENT 'Whether the interface leads out of the network.',
    InIfConnectivity LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'What the interface connects to: transit, peering, customer and so on.',
    OutIfConnectivity LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'What the interface connects to: transit, peering, customer and so on.',
    InIfProvider LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'The network behind the interface.',
    OutIfProvider LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'The network behind the interface.',
    ExporterName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the exporter.',
    ExporterGroup LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Group that the exporter belongs to.',
    ExporterRole LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Role of the exporter: edge, core or access.',
    ExporterSite LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Site where the exporter stands.',
    ExporterRegion LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Region where the exporter stands.',
    ExporterTenant LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Tenant whom the exporter serves.',
    Flows UInt64 COMMENT 'How many rows of flows it stands for.' CODEC(T64, ZSTD(1)),
    Folded UInt8 COMMENT '1: it stands for rows whose keys were too many to keep, and has lost fields.'
)
ENGINE = SummingMergeTree((Bytes, Packets, Flows))
PARTITION BY toDate(TimeReceived)
PRIMARY KEY (TimeReceived)
ORDER BY (TimeReceived, FlowType, ExporterAddress, SamplingRate, Direction, InIf, OutIf, Folded)
TTL TimeReceived + toIntervalDay(90)
SETTINGS non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS rollup_1h
(
    TimeReceived DateTime('UTC') COMMENT 'Start of the 3600 seconds that the row is of.' CODEC(DoubleDelta, ZSTD(1)),
    FlowType Enum8('unknown' = 0, 'sflow' = 1, 'netflow5' = 2, 'netflow9' = 3, 'ipfix' = 4, 'mirror' = 5) COMMENT 'How the record came in.',
    ExporterAddress IPv6 COMMENT 'The device that sent the record: the source of the datagram, or the agent address of sFlow.',
    SamplingRate UInt32 COMMENT 'One of this many packets was looked at. 1 when nothing said otherwise; see SamplingSource.' CODEC(T64, ZSTD(1)),
    Bytes UInt64 COMMENT 'Sum of Bytes of the rows.' CODEC(T64, ZSTD(1)),
    Packets UInt64 COMMENT 'Sum of Packets of the rows.' CODEC(T64, ZSTD(1)),
    ScaledBytes UInt128 ALIAS toUInt128(Bytes) * SamplingRate COMMENT 'Bytes times the sampling rate: the estimate of what crossed the network. Of 128 bits, so that no sum of it overflows, whatever records say.',
    ScaledPackets UInt128 ALIAS toUInt128(Packets) * SamplingRate COMMENT 'Packets times the sampling rate: the estimate of what crossed the network. Of 128 bits, as ScaledBytes.',
    Proto UInt8 COMMENT 'IP protocol number of the transport (IANA), behind the extension headers of IPv6.',
    EType UInt16 COMMENT 'EtherType of the network layer: 0x0800 IPv4, 0x86dd IPv6.' CODEC(T64, ZSTD(1)),
    Direction Enum8('unknown' = 0, 'in' = 1, 'out' = 2, 'internal' = 3, 'transit' = 4) COMMENT 'Which way the traffic crosses the border of the network.',
    InIf UInt32 COMMENT 'ifIndex of the interface; 0 when the exporter does not know it.' CODEC(T64, ZSTD(1)),
    OutIf UInt32 COMMENT 'ifIndex of the interface; 0 when the exporter does not know it.' CODEC(T64, ZSTD(1)),
    InIfName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the interface.',
    OutIfName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the interface.',
    InIfDescription LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Description of the interface (ifAlias).',
    OutIfDescription LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Description of the interface (ifAlias).',
    InIfSpeed UInt64 ALIAS defaultValueOfTypeName('UInt64') COMMENT 'Speed of the interface in bits per second.',
    OutIfSpeed UInt64 ALIAS defaultValueOfTypeName('UInt64') COMMENT 'Speed of the interface in bits per second.',
    InIfBoundary Enum8('unknown' = 0, 'external' = 1, 'internal' = 2) ALIAS defaultValueOfTypeName('Enum8(\'unknown\' = 0, \'external\' = 1, \'internal\' = 2)') COMMENT 'Whether the interface leads out of the network.',
    OutIfBoundary Enum8('unknown' = 0, 'external' = 1, 'internal' = 2) ALIAS defaultValueOfTypeName('Enum8(\'unknown\' = 0, \'external\' = 1, \'internal\' = 2)') COMMENT 'Whether the interface leads out of the network.',
    InIfConnectivity LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'What the interface connects to: transit, peering, customer and so on.',
    OutIfConnectivity LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'What the interface connects to: transit, peering, customer and so on.',
    InIfProvider LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'The network behind the interface.',
    OutIfProvider LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'The network behind the interface.',
    ExporterName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the exporter.',
    ExporterGroup LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Group that the exporter belongs to.',
    ExporterRole LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Role of the exporter: edge, core or access.',
    ExporterSite LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Site where the exporter stands.',
    ExporterRegion LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Region where the exporter stands.',
    ExporterTenant LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Tenant whom the exporter serves.',
    SrcAS UInt32 COMMENT 'Autonomous system number, origin or peer as the exporter is configured.' CODEC(T64, ZSTD(1)),
    DstAS UInt32 COMMENT 'Autonomous system number, origin or peer as the exporter is configured.' CODEC(T64, ZSTD(1)),
    SrcNetName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the configured network that holds the address.',
    DstNetName LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Name of the configured network that holds the address.',
    SrcNetRole LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Role of the network: customer, server, infrastructure and so on.',
    DstNetRole LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Role of the network: customer, server, infrastructure and so on.',
    SrcNetSite LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Site of the network.',
    DstNetSite LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Site of the network.',
    SrcNetRegion LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Region of the network.',
    DstNetRegion LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Region of the network.',
    SrcNetTenant LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Tenant or customer of the network.',
    DstNetTenant LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Tenant or customer of the network.',
    SrcCountry LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Country of the address, ISO 3166-1 alpha-2.',
    DstCountry LowCardinality(String) ALIAS defaultValueOfTypeName('LowCardinality(String)') COMMENT 'Country of the address, ISO 3166-1 alpha-2.',
    Flows UInt64 COMMENT 'How many rows of flows it stands for.' CODEC(T64, ZSTD(1)),
    Folded UInt8 COMMENT '1: it stands for rows whose keys were too many to keep, and has lost fields.'
)
ENGINE = SummingMergeTree((Bytes, Packets, Flows))
PARTITION BY toYYYYMM(TimeReceived)
PRIMARY KEY (TimeReceived)
ORDER BY (TimeReceived, FlowType, ExporterAddress, SamplingRate, Proto, EType, Direction, InIf, OutIf, SrcAS, DstAS, Folded)
TTL TimeReceived + toIntervalDay(400)
SETTINGS non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS rollup_state
(
    Name String COMMENT 'Name of the rollup.',
    Current String COMMENT 'UUID of the table that this row is about; empty: of none, the sums are made again.',
    Next String COMMENT 'UUID of a table that may have taken its place; empty: none.',
    Since DateTime('UTC') COMMENT 'It has the sums of every row received from then on,',
    Until DateTime('UTC') COMMENT 'and before then.',
    Owner String COMMENT 'Of the first rollup: the collector that keeps the rollups.',
    Lease DateTime('UTC') COMMENT 'Until when another collector leaves them alone.',
    Revision UInt64 COMMENT 'Rises with each change: the row with the greatest one counts.' CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree(Revision)
ORDER BY (Name);

CREATE TABLE IF NOT EXISTS rollup_folded
(
    TimeReceived DateTime('UTC') COMMENT 'Start of the step.',
    Name LowCardinality(String) COMMENT 'Name of the rollup\'s table.',
    Folded UInt8 COMMENT '1: the step has rows that stand for flows of different keys; 0: no longer.',
    Noted UInt64 COMMENT 'When that was noted, nanoseconds since 1970: the last one counts.' CODEC(T64, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(TimeReceived)
ORDER BY (Name, TimeReceived)
TTL TimeReceived + toIntervalDay(400)
SETTINGS non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1;
