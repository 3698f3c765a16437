/** What a running Reelkeeper counts about itself (Prometheus text format). */
import type { App } from "../../support/app.js";

/** The value of the first line of this metric whose labels hold all of these; 0 when there is none. */
export async function metricOf(app: App, name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  const { body } = await app.request("GET", "/metrics");
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const line = String(body)
    .split("\n")
    .find((text) => isOf(text, name) && wanted.every((label) => text.includes(label)));
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(" ") + 1));
}

function isOf(line: string, name: string): boolean {
  return line.startsWith(`${name}{`) || line.startsWith(`${name} `);
}

export function segmentsCounted(app: App, event: "indexed" | "proven"): Promise<number> {
  return metricOf(app, "reelkeeper_segments_total", { event });
}
