/** N and P: asks for the week before or behind the playhead, and goes to what is nearest in it. */
import { useRef } from "react";

import type { Timeline } from "./api-types.js";
import { nowMs } from "./clock.js";
import { apiUrl, getJson, isoOf } from "./request.js";
import { stopFrom } from "./stops.js";
import { strings } from "./strings.js";
import { DAY_MS } from "./time-scale.js";

const WEEK_MS = 7 * DAY_MS;
/** A seek ends this long before now; what begins later cannot be gone to yet. */
const FRESH_MS = 12_000;

interface StopsOptions {
  readonly path: string;
  readonly playheadMs: number | undefined;
  readonly onSeek: (atMs: number) => void;
  readonly onSay: (text: string) => void;
}

export function useStops({ path, playheadMs, onSeek, onSay }: StopsOptions): (step: 1 | -1) => void {
  const asking = useRef<AbortController>(undefined);
  return (step) => {
    if (playheadMs === undefined) return;
    asking.current?.abort();
    const ask = (asking.current = new AbortController());
    const [fromMs, toMs] = step === 1 ? [playheadMs, playheadMs + WEEK_MS] : [playheadMs - WEEK_MS, playheadMs];
    const query = { path, from: isoOf(fromMs), to: isoOf(Math.max(fromMs + 1, Math.min(toMs, nowMs() - FRESH_MS))) };
    getJson<Timeline>(apiUrl("timeline", query), ask.signal)
      .then(({ paths: [found] }) => {
        const stopMs = found === undefined ? undefined : stopFrom(found, playheadMs, step);
        if (stopMs === undefined) onSay(step === 1 ? strings.timeline.nothingLater : strings.timeline.nothingEarlier);
        else onSeek(stopMs);
      })
      .catch((error: unknown) => {
        if (!ask.signal.aborted) onSay(error instanceof Error ? error.message : "");
      });
  };
}
