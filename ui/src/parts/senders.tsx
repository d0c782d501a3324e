// Decisions about senders: Accept, Ignore, and the list of ignored senders.

import { api, type Decision, type Ignored } from "../api/api.ts";
import { say, zone } from "../state/state.ts";
import * as fmt from "../text/format.ts";
import { ago, moments } from "../text/time.ts";

/** The maximum number of senders per request, whose body is bounded. */
const atOnce = 1000;

/** Sends a decision; Undo in the toast reverts it. */
async function decide(what: Decision, addresses: string[], told: () => void, back?: Decision): Promise<void> {
  let done = 0;
  let failed = "";
  try {
    for (; done < addresses.length; done += atOnce) await api.decide(what, addresses.slice(done, done + atOnce));
  } catch (e) {
    failed = e instanceof Error ? e.message : String(e);
  }
  const decided = addresses.slice(0, done);
  const who = decided.length === 1 ? decided[0] : `${decided.length} senders`;
  const text = { accept: `${who} accepted`, ignore: `${who} ignored; datagrams are dropped and counted`, forget: "Decision undone" }[what];
  say(
    [decided.length > 0 && text, failed].filter(Boolean).join(". "),
    back && decided.length > 0 ? () => void decide(back, decided, told) : undefined,
  );
  told();
}

interface DecideProps {
  addresses: string[];
  /** Called after the request, successful or not: load the state again. */
  told: () => void;
  /** The button shown; both by default. */
  only?: "accept" | "ignore";
  /** The decision that Undo sends. */
  back: Decision;
}

export function Decide({ addresses, told, only, back }: DecideProps) {
  const who = addresses.length === 1 ? addresses[0] : `all ${addresses.length}`;
  const button = (what: "accept" | "ignore", text: string, title: string) => (
    <button
      type="button"
      class="button"
      title={title}
      aria-label={`${text} ${who}`}
      onClick={() => void decide(what, addresses, told, back)}
    >
      {text}
    </button>
  );
  return (
    <span class="decide">
      {only !== "ignore" && button("accept", addresses.length === 1 ? "Accept" : "Accept all", "Accept its flows and stop asking")}
      {only !== "accept" && button("ignore", "Ignore", "Drop its datagrams from now on; stored flows stay")}
    </span>
  );
}

/** The ignored senders; nothing if there are none. */
export function IgnoredList({ list, now, told }: { list: Ignored[]; now: number; told: () => void }) {
  if (list.length === 0) return null;
  return (
    <section class="ignored" id="ignored" aria-label="Ignored senders">
      <h3>
        Ignored <span class="quiet">{list.length}</span>
      </h3>
      <ul>
        {list.map((x) => (
          <li key={x.address} data-ignored={x.address}>
            <b>{x.address}</b>
            <span class="quiet">{ignoredFacts(x, now)}</span>
            <Decide addresses={[x.address]} only="accept" back="ignore" told={told} />
          </li>
        ))}
      </ul>
    </section>
  );
}

export const ignoredFacts = (x: Ignored, now: number) =>
  `since ${moments(x.since, zone.value, now, false)}; ` +
  (x.datagrams === 0
    ? "no datagrams since start"
    : `${fmt.count(x.datagrams)} datagram${x.datagrams === 1 ? "" : "s"} dropped since start, last ${ago(x.last, now)}`);
