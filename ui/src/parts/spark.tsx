// Sparklines.

/** A value over time in the height of a line of text. */
export function Spark({
  values,
  colour,
  max,
  width = 88,
  height = 20,
}: {
  values: (number | null)[];
  colour?: string;
  max?: number;
  width?: number;
  height?: number;
}) {
  const points = thin(values, width / 2);
  const top = max ?? Math.max(...points.map((v) => v ?? 0), 0);
  if (points.length < 2 || top <= 0) return <svg class="spark" width={width} height={height} aria-hidden="true" />;
  const x = (i: number) => ((i * width) / (points.length - 1)).toFixed(1);
  const y = (v: number) => (height - 1 - (v / top) * (height - 3)).toFixed(1);
  let line = "";
  points.forEach((v, i) => {
    if (v !== null) line += `${line === "" || points[i - 1] === null ? "M" : "L"}${x(i)} ${y(v)}`;
  });
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <path
        d={line}
        fill="none"
        stroke={colour ?? "currentColor"}
        stroke-width="1.3"
        stroke-linejoin="round"
        vector-effect="non-scaling-stroke"
      />
    </svg>
  );
}

/** At most n points, each the mean of the values it replaces. */
function thin(values: (number | null)[], n: number): (number | null)[] {
  if (values.length <= n) return values;
  const out: (number | null)[] = [];
  for (let i = 0; i < n; i++) {
    let s = 0;
    let k = 0;
    for (let j = Math.floor((i * values.length) / n); j < Math.floor(((i + 1) * values.length) / n); j++) {
      const v = values[j];
      if (v !== null) {
        s += v;
        k++;
      }
    }
    out.push(k ? s / k : null);
  }
  return out;
}
