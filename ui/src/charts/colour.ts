// Colours of values. A colour is a hash of the value, so that AS2906 looks the same in every chart and after every refresh.

/**
 * Twelve colours. A search maximised their minimum distance with normal vision, protanopia and deuteranopia (Machado 2009) to 0.10 in
 * OKLab; the unit test computes it again. All contrast with a white and a near-black page.
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

/** Grey is only for Other. */
export const grey = { light: "#b4b8c0", dark: "#5b616e" };
export const greyLarger = { light: "#878d99", dark: "#858c9a" };

function hash(s: string): number {
  let h = 0x811c9dc5; // FNV-1a
  for (let i = 0; i < s.length; i++) h = Math.imul(h ^ s.charCodeAt(i), 0x01000193) >>> 0;
  h ^= h >>> 15;
  return Math.imul(h, 0x2c1b3c6d) >>> 0;
}

/**
 * The colour index of each value, most important value first. Each gets its previous colour (from `memory`, which is updated) or the colour
 * of its hash, or the next free colour if that is taken. The largest values keep their colour everywhere, a refresh changes nothing, and no
 * two values share a colour while colours are free.
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

/** Mixes a over b, both #rrggbb. */
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
