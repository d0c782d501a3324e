// The page of an address or a prefix.

import { about, Entity } from "./entity.tsx";

const whose = (side: string) => [`${side}.as`, `${side}.netname`, `${side}.country`];

export default function Host({ rest: address }: { rest: string }) {
  return (
    <Entity
      key={address}
      kind={address.includes("/") ? "Prefix" : "Host"}
      name={address}
      known={{ of: [`src ip ${address}`, `dst ip ${address}`], by: [whose("src"), whose("dst")] }}
      {...about("host", address)}
    />
  );
}
