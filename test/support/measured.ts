/**
 * What one call costs, so that a busy machine cannot make a test fail: CPU time of this process, not time of the clock;
 * and whoever seems too slow or too large is measured again, because the collector works now and then, a hang always.
 */
const MAX_CPU_MS = 100;
const MAX_BYTES = 64 * 1_048_576;
const TRIES = 5;

interface Cost {
  readonly cpuMs: number;
  readonly bytes: number;
}

/** Throws when every one of some tries costs more than 100 ms or more than 64 MiB. Answers what the call answers. */
export function withinLimits<T>(what: () => string, call: () => T): T {
  let least: Cost = { cpuMs: Infinity, bytes: Infinity };
  for (let attempt = 0; ; attempt += 1) {
    const { answer, cost } = measure(call);
    least = { cpuMs: Math.min(least.cpuMs, cost.cpuMs), bytes: Math.min(least.bytes, cost.bytes) };
    if (least.cpuMs <= MAX_CPU_MS && least.bytes <= MAX_BYTES) return answer;
    if (attempt === TRIES) throw new Error(`${what()} costs ${least.cpuMs} ms and ${least.bytes} bytes`);
  }
}

function measure<T>(call: () => T): { readonly answer: T; readonly cost: Cost } {
  const bytesBefore = allocated();
  const before = process.cpuUsage();
  const answer = call();
  const { user, system } = process.cpuUsage(before);
  return { answer, cost: { cpuMs: (user + system) / 1_000, bytes: allocated() - bytesBefore } };
}

function allocated(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
