WITH
    readings AS
    (
        SELECT
            ExporterAddress AS e,
            ObservationDomain AS d,
            IfIndex AS i,
            toUInt32(TimeReceived) AS at,
            lagInFrame(at) OVER w AS since,
            InOctets, lagInFrame(InOctets) OVER w AS pInOctets,
            OutOctets, lagInFrame(OutOctets) OVER w AS pOutOctets,
            since > 0 AND InOctets >= pInOctets AND OutOctets >= pOutOctets AS whole
        FROM counters
        WHERE TimeReceived >= {from:DateTime('UTC')} AND TimeReceived < {to:DateTime('UTC')} AND ExporterAddress = {p5:IPv6} AND IfIndex = {p6:UInt32} AND SourceClass = 'interface' AND bitTest(Records, 0) AND IfIndex > 0
        WINDOW w AS (PARTITION BY e, d, i ORDER BY TimeReceived, SequenceNum ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    ),
    pieces AS
    (
        SELECT d, toUInt32(intDiv(toUInt32(k * {piece:UInt32}), {step:UInt32}) * {step:UInt32}) AS t,
            least(at, (k + 1) * {piece:UInt32}, {end:UInt32}) - greatest(since, k * {piece:UInt32}, {begin:UInt32}) AS seconds,
            8 * toFloat64(InOctets - pInOctets) / (at - since) AS rate_in, 8 * toFloat64(OutOctets - pOutOctets) / (at - since) AS rate_out
        FROM readings
        ARRAY JOIN range(intDiv(greatest(since, {begin:UInt32}), {piece:UInt32}), intDiv(least(at, {end:UInt32}) - 1, {piece:UInt32}) + 1) AS k
        WHERE whole AND at > since AND at > {begin:UInt32} AND since < {end:UInt32}
    ),
    parts AS
    (
        SELECT d, t, toFloat64(sum(seconds)) AS known, sum(rate_in * seconds) / known AS mean_in, sum(rate_out * seconds) / known AS mean_out
        FROM pieces
        GROUP BY d, t
    )
SELECT t, max(known) AS known, sum(mean_in) AS in, sum(mean_out) AS out
FROM parts
GROUP BY t
ORDER BY t
-- begin = 1789978430
-- end = 1790000030
-- from = 1789978310
-- p5 = ::ffff:192.0.2.1
-- p6 = 7
-- piece = 60
-- step = 60
-- to = 1790000150
SELECT toUInt32(TimeReceived) AS t, sumIf((toFloat64(Bytes) + if(FlowType = 'sflow', 0, 18) * toFloat64(Packets)) * SamplingRate, InIf = {p0:UInt32}) AS in, sumIf((toFloat64(Bytes) + if(FlowType = 'sflow', 0, 18) * toFloat64(Packets)) * SamplingRate, OutIf = {p0:UInt32}) AS out
FROM rollup_1h
WHERE TimeReceived >= {from_rollup_1h:DateTime('UTC')} AND TimeReceived < {to_rollup_1h:DateTime('UTC')} AND ExporterAddress = {p3:IPv6} AND (InIf = {p0:UInt32} OR OutIf = {p0:UInt32})
GROUP BY t
ORDER BY t
-- from_rollup_1h = 1787580000
-- p0 = 7
-- p3 = ::ffff:192.0.2.1
-- to_rollup_1h = 1789999200
