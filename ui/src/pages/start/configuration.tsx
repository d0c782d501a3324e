// The configuration of a router, by vendor.

import { CopyButton } from "../../parts/ui.tsx";
import { type Vendor, vendors, withPort } from "./vendors.ts";

interface Props {
  v: Vendor;
  /** Where routers send; host is COLLECTOR if unknown. */
  host: string;
  port: string;
  onVendor: (id: string) => void;
}

export function Configuration({ v, host, port, onVendor }: Props) {
  const config = v.config(host, port);
  return (
    <section class="panel" aria-label="Configuration">
      <div class="vendor-list" role="tablist" aria-label="Vendor">
        {vendors.map((x) => (
          <button
            key={x.id}
            type="button"
            role="tab"
            aria-selected={x.id === v.id}
            class={x.id === v.id ? "on" : ""}
            onClick={() => onVendor(x.id)}
          >
            {x.name}
          </button>
        ))}
      </div>
      <div role="tabpanel" class="snippet">
        <div class="snippet-head">
          <p>
            <b>{v.name}</b>{" "}
            <span class="quiet">
              {v.protocol} to {withPort(host, port)}
            </span>
          </p>
          <CopyButton text={config} what="Configuration" />
        </div>
        <pre class="code" tabIndex={0}>
          {config}
        </pre>
        <p class="hint">{v.note}</p>
        <p class="checked-against">
          Checked against: {v.source}
          {v.tried && "; tested with real flows"}.
        </p>
      </div>
    </section>
  );
}
