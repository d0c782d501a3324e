// What a person decides about who sends: Accept, Ignore, and the list of the ignored.

import { api, type Decision, type Ignored } from "../api/api.ts";
import { say, zone } from "../state/state.ts";
import * as fmt from "../text/format.ts";
import { ago, moments } from "../text/time.ts";

/** How many a request decides about: its body is bounded. */
const atOnce = 1000;

/** Decides; while the toast stands it can be taken back. */
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
  const text = { accept: `${who} accepted`, ignore: `${who} ignored: what comes is refused and counted`, forget: "Taken back" }[what];
  say(
    [decided.length > 0 && text, failed].filter(Boolean).join(". "),
    back && decided.length > 0 ? () => void decide(back, decided, told) : undefined,
  );
  told();
}

interface DecideProps {
  addresses: string[];
  /** The decision has been made, or not: ask what holds now. */
  told: () => void;
  /** What is offered; both when left out. */
  only?: "accept" | "ignore";
  /** What Undo does. */
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
      {only !== "ignore" &&
        button("accept", addresses.length === 1 ? "Accept" : "Accept all", "It belongs here: take its datagrams and do not ask again")}
      {only !== "accept" && button("ignore", "Ignore", "Refuse its datagrams from now on, unread; what is stored of it stays")}
    </span>
  );
}

/** Those whose datagrams are refused; nothing when there are none. */
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
    ? "no datagram since the start"
    : `${fmt.count(x.datagrams)} datagram${x.datagrams === 1 ? "" : "s"} refused since the start, the last ${ago(x.last, now)}`);
