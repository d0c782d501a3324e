WITH
    cells AS
    (
        SELECT e, tupleElement(k, 1) AS i, tupleElement(k, 2) AS side, t, sum(v) AS v, sum(p) AS p, sum(x) AS x, max(called) AS called,
            max(tupleElement(k, 3)) AS name, max(tupleElement(k, 4)) AS description, max(tupleElement(k, 5)) AS speed, max(tupleElement(k, 6)) AS boundary
        FROM
        (
            SELECT toUInt32(intDiv(toUInt32(TimeReceived), {step:UInt32}) * {step:UInt32}) AS t, ExporterAddress AS e, InIf, OutIf, max(ExporterName) AS called, max(InIfName) AS n0, max(InIfDescription) AS d0, max(InIfSpeed) AS s0, max(if(InIfBoundary = 'unknown', '', toString(InIfBoundary))) AS b0, max(OutIfName) AS n1, max(OutIfDescription) AS d1, max(OutIfSpeed) AS s1, max(if(OutIfBoundary = 'unknown', '', toString(OutIfBoundary))) AS b1,
                sum((toFloat64(Bytes) + if(FlowType = 'sflow', 0, 18) * toFloat64(Packets)) * SamplingRate) AS v, sum(toFloat64(Packets) * greatest(SamplingRate, 1)) AS p,
                sum(toFloat64(Packets) * greatest(SamplingRate, 1) * greatest(SamplingRate, 1)) - p AS x
            FROM rollup_1m
            WHERE TimeReceived >= {from_rollup_1m:DateTime('UTC')} AND TimeReceived < {to_rollup_1m:DateTime('UTC')} AND ExporterAddress = {p0:IPv6}
            GROUP BY e, t, InIf, OutIf
            UNION ALL
            SELECT toUInt32(intDiv(toUInt32(TimeReceived), {step:UInt32}) * {step:UInt32}) AS t, ExporterAddress AS e, InIf, OutIf, max(ExporterName) AS called, max(InIfName) AS n0, max(InIfDescription) AS d0, max(InIfSpeed) AS s0, max(if(InIfBoundary = 'unknown', '', toString(InIfBoundary))) AS b0, max(OutIfName) AS n1, max(OutIfDescription) AS d1, max(OutIfSpeed) AS s1, max(if(OutIfBoundary = 'unknown', '', toString(OutIfBoundary))) AS b1,
                sum((toFloat64(Bytes) + if(FlowType = 'sflow', 0, 18) * toFloat64(Packets)) * SamplingRate) AS v, sum(toFloat64(Packets) * greatest(SamplingRate, 1)) AS p,
                sum(toFloat64(Packets) * greatest(SamplingRate, 1) * greatest(SamplingRate, 1)) - p AS x
            FROM flows
            WHERE (TimeReceived >= {from:DateTime('UTC')} AND TimeReceived < {to:DateTime('UTC')} OR TimeReceived >= {from_2:DateTime('UTC')} AND TimeReceived < {to_2:DateTime('UTC')}) AND ExporterAddress = {p0:IPv6}
            GROUP BY e, t, InIf, OutIf
        )
        ARRAY JOIN [(InIf, 0, n0, d0, s0, b0), (OutIf, 1, n1, d1, s1, b1)] AS k
        GROUP BY e, i, side, t
    ),
    readings AS
    (
        SELECT
            ExporterAddress AS e,
            ObservationDomain AS d,
            IfIndex AS i,
            toUInt32(TimeReceived) AS at,
            lagInFrame(at) OVER w AS since,
            IfName,
            IfSpeed,
            IfStatus,
            InOctets, lagInFrame(InOctets) OVER w AS pInOctets,
            OutOctets, lagInFrame(OutOctets) OVER w AS pOutOctets,
            InErrors, lagInFrame(InErrors) OVER w AS pInErrors,
            OutErrors, lagInFrame(OutErrors) OVER w AS pOutErrors,
            InDiscards, lagInFrame(InDiscards) OVER w AS pInDiscards,
            OutDiscards, lagInFrame(OutDiscards) OVER w AS pOutDiscards,
            since > 0 AND InOctets >= pInOctets AND OutOctets >= pOutOctets AS whole
        FROM counters
        WHERE TimeReceived >= {from1:DateTime('UTC')} AND TimeReceived < {to1:DateTime('UTC')} AND ExporterAddress = {p0:IPv6} AND SourceClass = 'interface' AND bitTest(Records, 0) AND IfIndex > 0
        WINDOW w AS (PARTITION BY e, d, i ORDER BY TimeReceived, SequenceNum ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    ),
    parts AS
    (
        SELECT e, i, max(IfName) AS ifname, argMax(IfSpeed, at) AS speed, argMax(IfStatus, at) AS status, min(at) AS begun, max(at) AS ended,
            toFloat64(sumIf(at - since, whole)) AS seconds,
            8 * sumIf(toFloat64(InOctets - pInOctets), whole) / seconds AS rate_in, 8 * sumIf(toFloat64(OutOctets - pOutOctets), whole) / seconds AS rate_out,
            sumIf(bitAnd(InErrors - pInErrors, 0xFFFFFFFF), whole) / seconds AS rInErrors, sumIf(bitAnd(OutErrors - pOutErrors, 0xFFFFFFFF), whole) / seconds AS rOutErrors, sumIf(bitAnd(InDiscards - pInDiscards, 0xFFFFFFFF), whole) / seconds AS rInDiscards, sumIf(bitAnd(OutDiscards - pOutDiscards, 0xFFFFFFFF), whole) / seconds AS rOutDiscards
        FROM readings
        GROUP BY e, d, i
    ),
    devices AS
    (
        SELECT e, i, max(ifname) AS ifname, max(speed) AS ifspeed, max(status) AS state, min(begun) AS since, max(ended) AS until, max(seconds) AS secs,
            sum(rate_in) AS r0, sum(rate_out) AS r1, sum(rInErrors) AS e0, sum(rOutErrors) AS e1, sum(rInDiscards) AS x0, sum(rOutDiscards) AS x1
        FROM parts
        WHERE seconds > 0
        GROUP BY e, i
    ),
    interfaces AS
    (
        SELECT e, i, max(c.called) AS label, max(c.name) AS name, any(ifname) AS port, max(c.description) AS description, max(c.boundary) AS boundary,
            max(c.speed) AS speed, any(ifspeed) AS told, any(state) AS status, any(secs) AS counted,
            any(r0) AS in_rate, any(r1) AS out_rate, any(e0) AS in_errors, any(e1) AS out_errors, any(x0) AS in_discards, any(x1) AS out_discards,
            any(since) AS begun, any(until) AS ended,
            sumIf(v, side = 0) AS in_total,
            arrayReverseSort(groupArrayIf(v, side = 0 AND t BETWEEN {first:UInt32} AND {last:UInt32}))[{rank95:UInt32}] AS in_p95,
            maxIf(v, side = 0 AND t BETWEEN {first:UInt32} AND {last:UInt32}) AS in_max,
            maxIf(v, side = 0 AND t = {last:UInt32}) AS in_last,
            sumIf(v, side = 0 AND t >= since AND t + {step:UInt32} <= until) AS in_beside,
            sumIf(p, side = 0) AS in_packets,
            sumIf(x, side = 0) AS in_variance,
            sumMapIf([intDiv(t - {start:UInt32}, {span:UInt32})], [v], side = 0) AS in_map,
            arrayMap(k -> toString(k), tupleElement(in_map, 1)) AS in_at,
            arrayMap(k -> toString(k), tupleElement(in_map, 2)) AS in_course,
            sumIf(v, side = 1) AS out_total,
            arrayReverseSort(groupArrayIf(v, side = 1 AND t BETWEEN {first:UInt32} AND {last:UInt32}))[{rank95:UInt32}] AS out_p95,
            maxIf(v, side = 1 AND t BETWEEN {first:UInt32} AND {last:UInt32}) AS out_max,
            maxIf(v, side = 1 AND t = {last:UInt32}) AS out_last,
            sumIf(v, side = 1 AND t >= since AND t + {step:UInt32} <= until) AS out_beside,
            sumIf(p, side = 1) AS out_packets,
            sumIf(x, side = 1) AS out_variance,
            sumMapIf([intDiv(t - {start:UInt32}, {span:UInt32})], [v], side = 1) AS out_map,
            arrayMap(k -> toString(k), tupleElement(out_map, 1)) AS out_at,
            arrayMap(k -> toString(k), tupleElement(out_map, 2)) AS out_course
        FROM cells AS c
        FULL JOIN devices AS w USING (e, i)
        GROUP BY e, i
    )
SELECT
    toString(e) AS exporter,
    i AS index,
    max(label) OVER (PARTITION BY e) AS called,
    name,
    port,
    description,
    boundary,
    speed,
    told,
    toUInt32(begun) AS counters_from,
    toUInt32(ended) AS counters_to,
    counted,
    status,
    in_total,
    in_p95,
    in_max,
    in_last,
    in_beside,
    in_packets,
    in_variance,
    in_at,
    in_course,
    in_rate,
    in_errors,
    in_discards,
    out_total,
    out_p95,
    out_max,
    out_last,
    out_beside,
    out_packets,
    out_variance,
    out_at,
    out_course,
    out_rate,
    out_errors,
    out_discards,
    countIf(i NOT IN (0, 1073741823)) OVER () AS found,
    sum(in_total + out_total) OVER (PARTITION BY e) AS octets,
    sum(if((name = '' AND port = '' OR i IN (0, 1073741823)), in_total + out_total, 0)) OVER (PARTITION BY e) AS unnamed
FROM interfaces
ORDER BY in_total + out_total DESC, in_rate + out_rate DESC, exporter, index
LIMIT 2000
-- first = 1789996440
-- from = 1789996430
-- from1 = 1789996430
-- from_2 = 1789999980
-- from_rollup_1m = 1789996440
-- last = 1789999920
-- p0 = ::ffff:192.0.2.1
-- rank95 = 3
-- span = 120
-- start = 1789996380
-- step = 60
-- to = 1789996440
-- to1 = 1790000030
-- to_2 = 1790000030
-- to_rollup_1m = 1789999980
