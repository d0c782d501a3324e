// The page of an AS.

import { about, Entity } from "./entity.tsx";

export default function AS({ rest: asn }: { rest: string }) {
  const number = asn.replace(/^AS/i, "");
  const numbered = /^\d+$/.test(number);
  return (
    <Entity
      key={asn}
      kind="AS"
      name={numbered ? `AS${number}` : asn}
      known={numbered ? { of: [`src as ${number}`, `dst as ${number}`], by: [["src.as"], ["dst.as"]] } : undefined}
      {...about("as", asn)}
    />
  );
}
