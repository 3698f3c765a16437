/** What the R2 proxy can do wrong, and to which requests. */
import { type R2ErrorCode, r2Refusal } from "./r2-errors.js";
import { createRandom } from "./random.js";

export type Fault =
  /** An S3 error; the request is not forwarded. */
  | { readonly kind: "status"; readonly status: number; readonly code?: string; readonly retryAfter?: string }
  /** Accepts the connection and the headers, reads nothing, answers nothing. */
  | { readonly kind: "hang-before-body" }
  /** Reads all, stores nothing, answers nothing. */
  | { readonly kind: "hang-after-body" }
  /** Stored, and never answered. */
  | { readonly kind: "hang-after-store" }
  /** Never idle, never done: interim answers to a PUT, single bytes of a GET's body. */
  | { readonly kind: "drip"; readonly intervalMs: number }
  /** The bodies of request and answer pass at this rate, whole in the end. */
  | { readonly kind: "slow"; readonly bytesPerSec: number }
  /** Stored, but the connection is reset instead of an answer. */
  | { readonly kind: "reset-after-body" }
  /** The connection is reset after this many bytes of the request's body; nothing is stored. */
  | { readonly kind: "reset-at"; readonly bytes: number }
  /** 200 with an error document; nothing is stored. */
  | { readonly kind: "error-in-200" }
  /** 200 with nothing: no headers of a store, no body. */
  | { readonly kind: "empty-200" }
  /** Stored, then one byte of the stored object is changed. */
  | { readonly kind: "flip" }
  /** 200 with a right-looking ETag; nothing is stored. */
  | { readonly kind: "swallow" }
  /** Headers of the real answer are replaced. */
  | { readonly kind: "headers"; readonly headers: Readonly<Record<string, string>> }
  /** The real answer's body says something else. */
  | { readonly kind: "rewrite"; readonly find: RegExp; readonly replace: string }
  /** The answer's body is cut in the middle, and the connection with it. */
  | { readonly kind: "truncate" }
  /** The answer's body stops in the middle, the connection stays. */
  | { readonly kind: "stall" };

export interface FaultRule {
  readonly fault: Fault;
  readonly method?: string;
  /** Of the path and query as sent. */
  readonly url?: Pick<RegExp, "test">;
  /** The how-manieth matching request is the first to fail, from 1. */
  readonly nth?: number;
  /** How many fail from there on; all, when absent. */
  readonly times?: number;
  /** From 0 to 1: the share of those that fails, drawn from the seed; all, when absent. */
  readonly rate?: number;
}

/** What holds from the moment of its injection until it is taken back. */
export const FROM_NOW_ON: Readonly<Record<string, readonly FaultRule[]>> = {
  credentialsUnknown: [{ fault: r2Error("Unauthorized") }],
  credentialsRevoked: [{ fault: r2Error("AccessDenied") }],
  bucketGone: [{ fault: r2Error("NoSuchBucket") }],
  readOnlyToken: ["PUT", "POST", "DELETE"].map((method) => ({ fault: r2Error("AccessDenied"), method })),
};

export function r2Error(code: R2ErrorCode, retryAfter?: string): Fault {
  return { kind: "status", ...r2Refusal(code), ...(retryAfter === undefined ? {} : { retryAfter }) };
}

export interface FaultList {
  add(rule: FaultRule): void;
  clear(): void;
  /** The fault of the first rule that wants this request. */
  take(request: { readonly method: string; readonly url: string }): Fault | undefined;
}

/** `seed`: needed for rules with a rate, so that nothing random happens that cannot be repeated. */
export function createFaultList(seed: number | undefined): FaultList {
  let rules: { readonly rule: FaultRule; seen: number }[] = [];
  const random = seed === undefined ? undefined : createRandom(seed);
  return {
    add: (rule) => {
      if (rule.rate !== undefined && random === undefined) throw new Error("a rule with a rate needs a seed");
      rules.push({ rule, seen: 0 });
    },
    clear: () => {
      rules = [];
    },
    take: ({ method, url }) => {
      for (const entry of rules) {
        const { rule } = entry;
        if (rule.method !== undefined && rule.method !== method) continue;
        if (rule.url !== undefined && !rule.url.test(url)) continue;
        entry.seen += 1;
        const first = rule.nth ?? 1;
        if (entry.seen < first || entry.seen >= first + (rule.times ?? Infinity)) continue;
        if (rule.rate === undefined || (random?.() ?? 1) < rule.rate) return rule.fault;
      }
      return undefined;
    },
  };
}
