// A non-linear vertical axis: square root or logarithm. Outbound mirrors inbound and zero must be on the axis, so the logarithm starts at a
// floor and is nearly linear below it. Pure; the canvas is in chart.tsx.

export interface Curve {
  /** From a value to its height. */
  to: (v: number) => number;
  /** And back. */
  from: (h: number) => number;
  /** The ticks as multiples of a power of ten, largest first. */
  steps: number[];
}

/** The decades of a logarithmic axis below the largest value. */
const decades = 4;

/** The curve of `y`, for values up to `top`; undefined where the axis is linear. */
export function curve(y: string, top: number): Curve | undefined {
  if (y === "sqrt") return { to: (v) => Math.sign(v) * Math.sqrt(Math.abs(v)), from: (h) => h * Math.abs(h), steps: [5, 2, 1] };
  if (y !== "log") return undefined;
  const floor = 10 ** (Math.ceil(Math.log10(top > 0 ? top : 1)) - decades);
  return {
    to: (v) => Math.sign(v) * Math.log10(1 + Math.abs(v) / floor),
    from: (h) => Math.sign(h) * floor * (10 ** Math.abs(h) - 1),
    steps: [1],
  };
}

/** Round values from `lo` to `hi`, including zero, at least `gap` of the axis apart. */
export function ticks(c: Curve, lo: number, hi: number, gap: number): number[] {
  const apart = gap * (c.to(hi) - c.to(lo));
  const side = (top: number): number[] => {
    const out: number[] = [];
    if (!(top > 0)) return out;
    const first = Math.ceil(Math.log10(top));
    let last = Infinity;
    for (let power = first; power >= first - 2 * decades; power--) {
      for (const step of c.steps) {
        const v = step * 10 ** power;
        const h = c.to(v);
        if (v > top || last - h < apart || h < apart) continue;
        out.push(v);
        last = h;
      }
    }
    return out;
  };
  return [...side(-lo).map((v) => -v), 0, ...side(hi).reverse()];
}
