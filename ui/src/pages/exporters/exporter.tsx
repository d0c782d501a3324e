// The page of one exporter, by address or name.

import { type Interfaces, noAnswer } from "../../api/api.ts";
import { Decide, ignoredFacts } from "../../parts/senders.tsx";
import { Icon, lazy } from "../../parts/ui.tsx";
import { isAddress } from "../../text/filter.ts";
import * as fmt from "../../text/format.ts";
import { ByName } from "../entity/byname.tsx";
import { about, Entity } from "../entity/entity.tsx";
import { useInterfaces } from "../interfaces/asked.ts";
import { idOf, type State, useExporters } from "./asked.ts";
import { HealthOf } from "./healthof.tsx";
import { RateChanges, Rates } from "./rates.tsx";

const LinkTable = lazy(() => import("../interfaces/table.tsx").then((m) => m.LinkTable));

export default function Exporter({ rest }: { rest: string }) {
  if (isAddress(rest)) return <OneExporter key={rest} address={rest} />;
  return <ByName key={rest} name={rest} page={(address) => `/exporters/${address}`} />;
}

function OneExporter({ address }: { address: string }) {
  const [state, down, told] = useExporters();
  const mine = state?.list.filter((e) => e.address === address) ?? [];
  const name = mine.find((e) => e.name)?.name;
  const { list: all } = useInterfaces(address);
  return (
    <Entity kind="Exporter" name={name ? `${name} · ${address}` : address} {...about("exporters", address)}>
      {down && down !== noAnswer && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {down}; retrying.
        </p>
      )}
      {state && <Standing address={address} state={state} told={told} />}
      {mine.map((e) => (
        <HealthOf key={idOf(e)} e={e} now={state?.now ?? 0} rate={state?.rates.get(idOf(e))} links={all} />
      ))}
      {all && all.interfaces.length > 0 && <Links all={all} />}
      <RateChanges address={address} />
      {mine[0]?.standing === "accepted" && (
        <p class="facts">
          Accepted. <Decide addresses={[address]} only="ignore" back="accept" told={told} />
        </p>
      )}
      <Rates of={mine} />
    </Entity>
  );
}

/** The decision about it, or the buttons to decide. */
function Standing({ address, state, told }: { address: string; state: State; told: () => void }) {
  const ignored = state.ignored.find((x) => x.address === address);
  const mine = state.list.find((e) => e.address === address);
  return (
    <>
      {ignored && (
        <p class="panel notice" data-ignored={address}>
          <Icon name="question" /> Ignored {ignoredFacts(ignored, state.now)}. Its stored flows are below.
          <Decide addresses={[address]} only="accept" back="ignore" told={told} />
        </p>
      )}
      {!mine && !ignored && (
        <p class="panel notice">
          <Icon name="question" /> {address} has not sent anything since NetMeta started, or was evicted from the list. Its stored flows are
          below.
        </p>
      )}
      {mine?.standing === "new" && (
        <p class="panel notice">
          <Icon name="question" /> New sender. Its flows are stored.
          <Decide addresses={[address]} back="forget" told={told} />
        </p>
      )}
    </>
  );
}

function Links({ all }: { all: Interfaces }) {
  return (
    <section class="panel health" aria-label="Interfaces">
      <h2>
        Interfaces <span class="quiet">{fmt.grouped(all.interfaces.length + all.more)}, from flow records and counters</span>
      </h2>
      <LinkTable rows={all.interfaces} />
    </section>
  );
}
