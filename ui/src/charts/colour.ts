// A value keeps its colour: the colour is a hash of the value, so that AS2906 looks the same in every chart and after every refresh.

/**
 * Twelve colours whose least distance, seen normally and with protanopia and deuteranopia (Machado 2009), is as large as a search could make
 * it (0.10 in OKLab); the unit test computes it again. All stand off from a white and a near-black page.
 */
export const palette = [
  "#4687b9",
  "#fcba06",
  "#0cb7ba",
  "#f4787d",
  "#5f50c1",
  "#7bd3fe",
  "#895703",
  "#44e7ae",
  "#9c3280",
  "#a98703",
  "#8894fd",
  "#b6606a",
];

/** Grey is for Other alone. */
export const grey = { light: "#b4b8c0", dark: "#5b616e" };
export const greyLarger = { light: "#878d99", dark: "#858c9a" };

function hash(s: string): number {
  let h = 0x811c9dc5; // FNV-1a
  for (let i = 0; i < s.length; i++) h = Math.imul(h ^ s.charCodeAt(i), 0x01000193) >>> 0;
  h ^= h >>> 15;
  return Math.imul(h, 0x2c1b3c6d) >>> 0;
}

/**
 * The colour index of each value, the most important value first. Each takes the colour it had before (`memory`, which is kept up to date) or
 * the one its hash names, and the next free one when another has taken that: the largest keep their colour everywhere, nothing
 * changes on a refresh, and no two share a colour while there are colours left.
 */
export function assign(values: string[], memory: Map<string, number>): Map<string, number> {
  const out = new Map<string, number>();
  const taken = new Uint16Array(palette.length);
  const take = (v: string, i: number) => {
    taken[i]++;
    out.set(v, i);
    memory.set(v, i);
  };
  const free = (i: number) => taken[i] === Math.min(...taken);
  for (const v of values) {
    const i = memory.get(v);
    if (i !== undefined && free(i)) take(v, i);
  }
  for (const v of values) {
    if (out.has(v)) continue;
    let i = hash(v) % palette.length;
    while (!free(i)) i = (i + 1) % palette.length;
    take(v, i);
  }
  return out;
}

/** a mixed over b, both #rrggbb. */
export function mix(a: string, b: string, share: number): string {
  const at = (s: string, i: number) => parseInt(s.slice(i, i + 2), 16);
  return (
    "#" +
    [1, 3, 5]
      .map((i) =>
        Math.round(at(a, i) * share + at(b, i) * (1 - share))
          .toString(16)
          .padStart(2, "0"),
      )
      .join("")
  );
}
