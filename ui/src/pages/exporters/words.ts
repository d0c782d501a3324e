// Formats the facts of an exporter.

import type { Health } from "../../api/api.ts";
import { duration } from "../../text/time.ts";

export const resolution = (e: Health) => (e.resolution_ms < 1000 ? "1 s" : duration(e.resolution_ms / 1000));
