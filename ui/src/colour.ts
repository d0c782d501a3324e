// A value keeps its colour: the colour is a hash of the value, so that AS2906 looks the same in every chart and after every refresh.

/**
 * Twelve colours whose least distance, seen normally and with protanopia and deuteranopia (Machado 2009), is as large as a search could make
 * it (0.10 in OKLab); the unit test computes it again. All stand off from a white and a near-black page.
 */
export const palette = ["#4687b9", "#fcba06", "#0cb7ba", "#f4787d", "#5f50c1", "#7bd3fe", "#895703", "#44e7ae", "#9c3280", "#a98703", "#8894fd", "#b6606a"];

/** Grey is for Other alone. */
export const grey = { light: "#b4b8c0", dark: "#5b616e" };

function hash(s: string): number {
  let h = 0x811c9dc5; // FNV-1a
  for (let i = 0; i < s.length; i++) h = Math.imul(h ^ s.charCodeAt(i), 0x01000193) >>> 0;
  h ^= h >>> 15;
  return Math.imul(h, 0x2c1b3c6d) >>> 0;
}

/**
 * The colour index of each value. Values are placed in the order of their hash, a taken place moves on to the next free one: the
 * same set of values gets the same colours in whatever order it comes, and no two share one while there are colours left.
 */
export function assign(values: string[]): Map<string, number> {
  const out = new Map<string, number>();
  const taken = new Uint16Array(palette.length);
  const sorted = [...new Set(values)].map((v) => [hash(v), v] as const).sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1));
  for (const [h, v] of sorted) {
    const least = Math.min(...taken);
    let i = h % palette.length;
    while (taken[i] > least) i = (i + 1) % palette.length;
    taken[i]++;
    out.set(v, i);
  }
  return out;
}

/** a mixed over b, both #rrggbb. */
export function mix(a: string, b: string, share: number): string {
  const at = (s: string, i: number) => parseInt(s.slice(i, i + 2), 16);
  return "#" + [1, 3, 5].map((i) => Math.round(at(a, i) * share + at(b, i) * (1 - share)).toString(16).padStart(2, "0")).join("");
}
