/**
 * The addresses of a name, by the system's own resolver (hosts file, DNS, mDNS). That blocks one of the few threads which
 * files and the database need as well, and cannot be told to stop: so only two names are looked up at a time, and waiting
 * in their line counts.
 */
import { lookup } from "node:dns/promises";

import { AppError } from "../core/errors.js";
import { Gate } from "./gate.js";

const LIMITS = { purpose: "look up a name", atOnce: 2, mostWaiting: 10_000 };
const WITHIN_MS = 3_000;

/** The function throws after `withinMs` at the latest. */
export function createFindAddresses({ look = lookUpAll, withinMs = WITHIN_MS } = {}): (
  name: string,
) => Promise<readonly string[]> {
  const gate = new Gate(LIMITS);
  return (name) => {
    const signal = AbortSignal.timeout(withinMs);
    return Promise.race([gate.run(() => look(name), signal), rejectOn(signal, withinMs)]);
  };
}

async function lookUpAll(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

function rejectOn(signal: AbortSignal, withinMs: number): Promise<never> {
  return new Promise((_, reject) => {
    const message = `no answer within ${String(withinMs)} ms`;
    signal.addEventListener("abort", () => reject(new AppError({ kind: "unavailable", message })), { once: true });
  });
}
