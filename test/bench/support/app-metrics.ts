/** What a running Reelkeeper counts about itself (Prometheus text format). */
import type { App } from "../../support/app.js";

/** The value of the first line of this metric whose labels hold all of these; 0 when there is none. */
async function metricOf(app: App, name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  return (await readMetrics(app))(name, labels);
}

/** All of one answer: what is said of the event loop begins anew with each. */
export async function readMetrics(
  app: App,
): Promise<(name: string, labels?: Readonly<Record<string, string>>) => number> {
  const lines = String((await app.request("GET", "/metrics")).body).split("\n");
  return (name, labels = {}) => {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const line = lines.find((text) => isOf(text, name) && wanted.every((label) => text.includes(label)));
    return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(" ") + 1));
  };
}

function isOf(line: string, name: string): boolean {
  return line.startsWith(`${name}{`) || line.startsWith(`${name} `);
}

export function segmentsCounted(app: App, event: "indexed" | "proven"): Promise<number> {
  return metricOf(app, "reelkeeper_segments_total", { event });
}
