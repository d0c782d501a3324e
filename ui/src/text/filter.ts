// Filter text on the page: syntax colours, and adding or removing conditions. The page does not parse the language; errors, completions
// and meaning come from the server.

export type TokenType = "field" | "op" | "word" | "value" | "string" | "keyword" | "macro" | "paren" | "comment" | "space";

export interface Token {
  type: TokenType;
  start: number;
  end: number;
}

const pattern =
  /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|("(?:[^"\\]|\\.)*"?)|(@[\w.-]+)|(!=|!~|<=|>=|==|&&|\|\||[=<>~!])|([()[\]{},])|([^\s()[\]{},"=<>~!&|@]+|[&|@])|(\s+)/g;

const keywords = new Set(["and", "or", "not", "in", "has"]);

/** Splits text into tokens without gaps. `fields` are the names that are coloured as fields. */
export function tokens(text: string, fields: ReadonlySet<string>): Token[] {
  const out: Token[] = [];
  for (const m of text.matchAll(pattern)) {
    const word = m[6]?.toLowerCase();
    let type: TokenType = "word";
    if (m[1] !== undefined) type = "comment";
    else if (m[2] !== undefined) type = "string";
    else if (m[3] !== undefined) type = "macro";
    else if (m[4] !== undefined) type = m[4] === "&&" || m[4] === "||" || m[4] === "!" ? "keyword" : "op";
    else if (m[5] !== undefined) type = "paren";
    else if (m[7] !== undefined) type = "space";
    else if (keywords.has(word)) type = "keyword";
    else if (fields.has(word)) type = "field";
    else if (/^:?[\d]|^as\d+$|^[0-9a-f]*:[0-9a-f:.]*(\/\d+)?$/i.test(word)) type = "value";
    out.push({ type, start: m.index, end: m.index + m[0].length });
  }
  return out;
}

/** The words that are coloured as fields: full names, their parts, and the qualifiers. */
export function fieldWords(names: string[]): Set<string> {
  const out = new Set<string>(["src", "dst", "any", "local", "remote"]);
  for (const n of names) {
    const lower = n.toLowerCase();
    out.add(lower);
    out.add(lower.slice(lower.lastIndexOf(".") + 1));
  }
  return out;
}

const bare = /^[\w.:/-]+$/;
const reserved = new Set(["and", "or", "not", "in", "has", "src", "dst", "any", "local", "remote", "prev", "next", "out"]);

/** A value in the syntax of the language: bare if safe, otherwise quoted. */
export function quote(value: string, kind: string): string {
  if (/^(number|duration|flags|u?int|float|ip|mac)/.test(kind) && bare.test(value)) return value;
  if (kind === "enum" && bare.test(value) && !reserved.has(value.toLowerCase())) return value;
  return '"' + value.replace(/[\\"]/g, "\\$&") + '"';
}

/** One condition on a field. */
export function condition(field: string, kind: string, ops: string[], value: string, exclude: boolean): string {
  const v = quote(value, kind);
  if (ops.includes("=") || ops.length === 0 || !ops.includes("has")) return `${field} ${exclude ? "!=" : "="} ${v}`;
  return `${exclude ? "not " : ""}${field} has ${v}`;
}

/** The negation of a condition. */
export function without(term: string): string {
  return /^\S+ = [^=<>~!]*$/.test(term) ? term.replace(" = ", " != ") : `not (${term})`;
}

/** Narrows filter text by a condition, unless it already contains it. */
export function narrow(q: string, term: string): string {
  const text = q.trim();
  if (text === "" || text === term) return term;
  const list = tokens(text, new Set());
  const terms = topLevel(text, list);
  if (terms.includes(term)) return text;
  const openComment =
    list.length > 0 && list[list.length - 1].type === "comment" && text.slice(list[list.length - 1].start).startsWith("--");
  const left = hasTopLevelOr(text, list) ? `(${text}${openComment ? "\n" : ""})` : text;
  return `${left}${openComment && left === text ? "\n" : " "}and ${term}`;
}

/**
 * Widens filter text by a value: "field = a", "field in [a b]" or a group of alternatives at the top level is extended. Without one of
 * these, the condition is added.
 */
export function widen(q: string, term: string): string {
  const text = q.trim();
  const list = tokens(text, new Set());
  if (text === "" || hasTopLevelOr(text, list) || text.includes("--")) return narrow(q, term);
  const terms = topLevel(text, list);
  const one = /^(\S+) = (\S+|"[^"]*")$/.exec(term);
  const field = one?.[1].replace(/[.]/g, "\\.");
  for (let i = terms.length - 1; i >= 0; i--) {
    const t = terms[i];
    if (one) {
      const is = new RegExp(`^${field} = ([^\\s\\[\\](){}]+|"[^"]*")$`, "i").exec(t);
      const among = new RegExp(`^${field} in \\[([^\\]]*)\\]$`, "i").exec(t);
      const named = is ? [is[1]] : among?.[1].trim().match(/"[^"]*"|[^\s,]+/g);
      if (!named) continue;
      if (named.includes(one[2])) return text;
      terms[i] = `${one[1]} in [${[...named, one[2]].join(" ")}]`;
      return terms.join(" and ");
    }
    const inner = /^\((.*)\)$/s.exec(t)?.[1];
    if (inner === undefined || shape(inner.split(/ or /i)[0]) !== shape(term)) continue;
    if (inner.split(" or ").some((x) => x.replace(/^\(|\)$/g, "") === term)) return text;
    terms[i] = inner.startsWith("(") ? `(${inner} or (${term}))` : `((${inner}) or (${term}))`;
    return terms.join(" and ");
  }
  return narrow(q, one ? term : `(${term})`);
}

/** A condition without its values, equal for two values of the same fields. */
const shape = (term: string) => term.replace(/^\(|\)$/g, "").replace(/ = (\S+|"[^"]*")/g, " =");

function hasTopLevelOr(text: string, list: Token[]): boolean {
  let depth = 0;
  for (const t of list) {
    const s = text.slice(t.start, t.end).toLowerCase();
    if (t.type === "paren") depth += "([{".includes(s) ? 1 : ")]}".includes(s) ? -1 : 0;
    else if (depth === 0 && t.type === "keyword" && (s === "or" || s === "||")) return true;
  }
  return false;
}

/** The conditions joined by "and" at the top level. */
function topLevel(text: string, list: Token[]): string[] {
  const out: string[] = [];
  let depth = 0;
  let start = 0;
  for (const t of list) {
    const s = text.slice(t.start, t.end).toLowerCase();
    if (t.type === "paren") depth += "([{".includes(s) ? 1 : ")]}".includes(s) ? -1 : 0;
    else if (depth === 0 && t.type === "keyword" && (s === "and" || s === "&&")) {
      out.push(text.slice(start, t.start).trim());
      start = t.end;
    }
  }
  out.push(text.slice(start).trim());
  return out;
}

/** Converts an index in UTF-16 units, as in the editor, to UTF-8 bytes, as on the server. */
export function byteOffset(text: string, index: number): number {
  return new TextEncoder().encode(text.slice(0, index)).length;
}

export function indexOfByte(text: string, bytes: number): number {
  let n = 0;
  let i = 0;
  for (const ch of text) {
    if (n >= bytes) break;
    const c = ch.codePointAt(0) ?? 0;
    n += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    i += ch.length;
  }
  return i;
}

/** Whether a text looks like an address or a prefix rather than a name. */
export const isAddress = (s: string) => /^[\d.]+$|:.*:/.test(s.replace(/\/\d+$/, ""));
