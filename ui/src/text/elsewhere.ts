// Links to external sites about an address or an AS. The web UI itself requests nothing from them.

/** Private, documentation and multicast addresses (IANA special-purpose registries). */
const special =
  /^(0|10|127|169\.254|172\.(1[6-9]|2\d|3[01])|192\.168|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])|192\.0\.[02]|198\.(1[89]|51\.100)|203\.0\.113|2(2[4-9]|[345]\d))\.|^(::|f[c-f]|fe[89ab]|2001:db8:|3fff:)/i;

/** AS numbers for private use, documentation or as placeholders (RFC 5398, 6793, 6996, 7300). */
const own = (n: number) => n === 0 || n === 23456 || (n >= 64496 && n <= 65551) || n >= 4200000000;

export interface Elsewhere {
  name: string;
  href: string;
}

/** The external links of a page about a host, a prefix or an AS. */
export function elsewhere(page: string | undefined): Elsewhere[] {
  const [, kind, of] = /^\/(host|as)\/(.+)$/.exec(page ?? "") ?? [];
  if (kind === "as" && !own(Number(of)))
    return [
      { name: "PeeringDB", href: `https://www.peeringdb.com/asn/${of}` },
      { name: "RIPEstat", href: `https://stat.ripe.net/AS${of}` },
    ];
  if (kind === "host" && !special.test(of)) return [{ name: "Whois, DNS and routing (RIPEstat)", href: `https://stat.ripe.net/${of}` }];
  return [];
}
