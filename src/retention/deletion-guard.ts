/**
 * Never delete on doubt. Asked right before anything is removed, it looks at clock, disk, database and store, and
 * refuses while one of them is not the one that we know. A doubt that was found once holds, also through restarts, until
 * a person releases it; nothing but removals stops. Each detector has one place here, its rule in core/deletion-doubt.
 */
import { randomUUID } from "node:crypto";

import type { Catalog } from "../catalog/catalog.js";
import { deleteDeletionStop, insertDeletionStop, listDeletionStops } from "../catalog/deletion-stops.js";
import { forget, type Memory, recall, remember } from "../catalog/remembered.js";
import {
  clockBehindUs,
  clockJumpUs,
  type ClockSample,
  type DeletionStop,
  type Doubt,
  HINT_OF,
  isOlderDatabase,
  judgeMarker,
} from "../core/deletion-doubt.js";
import { formatDurationMs } from "../core/duration.js";
import { AppError, describeError, isAppError } from "../core/errors.js";
import { formatRfc3339, US_PER_MS } from "../core/instant.js";
import { isMassMissing } from "../core/mass-missing.js";
import type { Logger } from "../platform/logger.js";
import type { VolumeMarks } from "./volume-marks.js";

export interface DeletionGuardDeps {
  readonly catalog: Catalog;
  readonly logger: Logger;
  /** For people. */
  readonly recordDir: string;
  readonly marks: VolumeMarks;
  readonly store: {
    readonly description: string;
    /** Null: proven absent. Throws when the store cannot tell. */
    readonly readMarker: (signal: AbortSignal) => Promise<string | null>;
    readonly placeMarker: (id: string, signal: AbortSignal) => Promise<void>;
  };
  /** A stop was released, here or by the command: what waits may go on. */
  readonly onReleased: () => void;
}

export interface MissingCounts {
  readonly missing: number;
  readonly onDisk: number;
  /** What a person accepted stays for the next scan. */
  readonly keepsAccepted?: boolean;
}

const CHECK_EVERY_MS = 5_000;
/** A database that is this much older than the recordings is recognised. */
const MARK_EVERY_MS = 60_000;
/** A store that was the right one stays it for so long; a store does not change under a running process by itself. */
const STORE_HOLDS_MS = 60_000;
const STORE_WITHIN_MS = 20_000;
/** Slow drift is no jump: the clocks are compared over this long at most. */
const BASELINE_MS = 3_600_000;

export class DeletionGuard {
  readonly #deps: DeletionGuardDeps;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  /** Checks come one after the other: two must not place two markers. */
  #turn: Promise<unknown> = Promise.resolve();
  #stops: readonly DeletionStop[] = [];
  /** Found, and the database could not take them yet. */
  readonly #unsaved = new Map<Doubt, DeletionStop>();
  #baseline: ClockSample;
  #isComparedWithLatest = false;
  #markedMs: number | null = null;
  #storeKnownMs: number | null = null;
  #storeAskedMs: number | null = null;
  #storeCheck: Promise<void> | undefined;
  #trouble: string | null = null;

  constructor(deps: DeletionGuardDeps) {
    this.#deps = deps;
    this.#baseline = this.#sampleClock();
  }

  /** Looks once before anything may be removed, then again and again. */
  async start(): Promise<void> {
    await this.#lookAround();
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#storeCheck?.catch(() => undefined);
  }

  /** As last seen; what is removed asks again. */
  get stops(): readonly DeletionStop[] {
    return this.#stops;
  }

  /** Throws `failed-precondition` while there is a doubt, `unavailable` when it cannot be told. */
  async assertMayRemove(): Promise<void> {
    await this.#inTurn(() => this.#check());
    if (this.#stops.length === 0) await this.#checkStore();
    this.#refuseFor(this.#stops[0]);
  }

  /** May something be concluded from what is not there? Throws as `assertMayRemove` does, of this one doubt alone. */
  async assertIsKnown(what: "volume" | "store"): Promise<void> {
    await this.#inTurn(() => this.#check());
    if (what === "store") await this.#checkStore();
    this.#refuseFor(this.#stops.find(({ doubt }) => doubt === what));
  }

  /** At the end of a scan: are these files gone, or is something wrong with the disk (F45)? */
  mayMarkMissing(counts: MissingCounts): Promise<boolean> {
    return this.#inTurn(async () => {
      const { isVolumeKnown, memory } = await this.#check();
      if (!isVolumeKnown) return false;
      // What a person accepted holds for one scan.
      if (memory.acceptedMissing !== undefined && counts.keepsAccepted !== true)
        await forget(this.#deps.catalog, "acceptedMissing");
      if (!isMassMissing(counts.missing, counts.onDisk)) return true;
      if (counts.missing <= Number(memory.acceptedMissing ?? 0)) return true;
      const message = `${String(counts.missing)} of ${String(counts.onDisk)} files vanished from ${this.#deps.recordDir} at once`;
      await this.#raise("mass-missing", message, counts.missing);
      return false;
    });
  }

  /** What holds now, read anew. */
  list(): Promise<readonly DeletionStop[]> {
    return this.#inTurn(async () => {
      await this.#refreshStops();
      return this.#stops;
    });
  }

  /** A person has looked at these: what is there now is right. Returns those that were released. */
  async release(doubts: readonly Doubt[]): Promise<readonly DeletionStop[]> {
    return this.#inTurn(async () => {
      await this.#refreshStops();
      const released = this.#stops.filter(({ doubt }) => doubts.includes(doubt));
      for (const stop of released) {
        await this.#accept(stop);
        this.#unsaved.delete(stop.doubt);
        await deleteDeletionStop(this.#deps.catalog, stop);
        await this.#refreshStops();
      }
      return released;
    });
  }

  #refuseFor(stop: DeletionStop | undefined): void {
    if (stop === undefined) return;
    throw new AppError({
      kind: "failed-precondition",
      message: `deletions are stopped: ${stop.message}`,
      hint: HINT_OF[stop.doubt],
    });
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps.catalog;
    for (;;) {
      await clock.sleep(CHECK_EVERY_MS, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
      await this.#lookAround();
    }
  }

  /** Never throws: what cannot be told now is asked again, by whoever removes something too. */
  async #lookAround(): Promise<void> {
    try {
      await this.#inTurn(async () => {
        const { isVolumeKnown, memory } = await this.#check();
        if (isVolumeKnown) await this.#raiseMark(memory);
      });
      this.#trouble = null;
    } catch (error) {
      const trouble = describeError(error);
      if (trouble !== this.#trouble) this.#deps.logger.warn("cannot tell whether deletions are safe", { err: trouble });
      this.#trouble = trouble;
    }
    const nowMs = this.#deps.catalog.clock.monotonicMs();
    if (this.#storeAskedMs !== null && nowMs - this.#storeAskedMs < STORE_HOLDS_MS) return;
    // The store tells its troubles itself.
    void this.#checkStore().catch(() => undefined);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #check(): Promise<{ readonly isVolumeKnown: boolean; readonly memory: Memory }> {
    await this.#refreshStops();
    const memory = await recall(this.#deps.catalog);
    await this.#checkClock(memory);
    const isVolumeKnown = await this.#checkVolume(memory);
    if (isVolumeKnown) await this.#checkDatabase(memory);
    return { isVolumeKnown, memory };
  }

  async #refreshStops(): Promise<void> {
    const { catalog, logger, onReleased } = this.#deps;
    for (const stop of [...this.#unsaved.values()]) {
      await insertDeletionStop(catalog, stop);
      this.#unsaved.delete(stop.doubt);
    }
    const before = this.#stops;
    this.#stops = await listDeletionStops(catalog);
    const released = before.filter(({ doubt }) => !this.#stops.some((stop) => stop.doubt === doubt));
    for (const { doubt, message } of released) logger.info("deletion stop released", { doubt, reason: message });
    if (released.length > 0) onReleased();
  }

  async #raise(doubt: Doubt, message: string, evidence: number | null = null): Promise<void> {
    const { catalog, logger } = this.#deps;
    const held = this.#stops.find((stop) => stop.doubt === doubt);
    if (held?.message === message) return;
    const stop = { doubt, sinceUs: held?.sinceUs ?? catalog.clock.nowUs(), message, evidence };
    this.#stops = [...this.#stops.filter((other) => other !== held), stop];
    if (held === undefined) logger.error("deletions are stopped", { doubt, reason: message, hint: HINT_OF[doubt] });
    try {
      await insertDeletionStop(catalog, stop);
    } catch (error) {
      this.#unsaved.set(doubt, stop);
      throw error;
    }
  }

  async #checkClock(memory: Memory): Promise<void> {
    const now = this.#sampleClock();
    if (!this.#isComparedWithLatest) {
      const behindUs = clockBehindUs(numberOf(memory.latestUs), now.wallUs);
      this.#isComparedWithLatest = true;
      if (behindUs > 0) {
        const latest = formatRfc3339(Number(memory.latestUs));
        await this.#raise(
          "clock",
          `the clock is ${inWords(behindUs)} behind ${latest}, when this database was last written`,
        );
      }
    }
    const jumpUs = clockJumpUs(this.#baseline, now);
    if (jumpUs === 0 && now.monotonicMs - this.#baseline.monotonicMs < BASELINE_MS) return;
    this.#baseline = now;
    if (jumpUs === 0) return;
    const way = jumpUs > 0 ? "forward" : "back";
    await this.#raise(
      "clock",
      `the clock jumped ${way} by ${inWords(Math.abs(jumpUs))}, to ${formatRfc3339(now.wallUs)}`,
    );
  }

  async #checkVolume(memory: Memory): Promise<boolean> {
    const { logger, marks, recordDir } = this.#deps;
    const found = await marks.readVolumeId();
    const inDataDir = await marks.readKnownVolumeId();
    const inDatabase = memory.volumeId ?? null;
    const verdict = judgeMarker([inDatabase, inDataDir], found);
    switch (verdict) {
      case "known":
        return true;
      case "remember":
        await this.#rememberVolume(found ?? "");
        return true;
      case "first":
        await this.#placeVolume();
        logger.info("record directory is marked", { recordDir });
        return true;
      case "foreign": {
        const is =
          found === null ? "carries no marker: it is empty, or another disk" : `is another disk (marker ${found})`;
        await this.#raise("volume", `${recordDir} ${is}, expected marker ${inDatabase ?? inDataDir ?? ""}`);
        return false;
      }
      default:
        return verdict satisfies never;
    }
  }

  async #placeVolume(): Promise<void> {
    const id = randomUUID();
    await this.#deps.marks.writeVolumeId(id);
    await this.#rememberVolume(id);
  }

  async #rememberVolume(id: string): Promise<void> {
    await this.#deps.marks.writeKnownVolumeId(id);
    await remember(this.#deps.catalog, { volumeId: id });
  }

  async #checkDatabase(memory: Memory): Promise<void> {
    const beside = await this.#deps.marks.readGeneration();
    if (!isOlderDatabase(numberOf(memory.generation), beside)) return;
    // The server may have raised the mark since, while a command asks here: then the database has it by now.
    const generation = numberOf((await recall(this.#deps.catalog)).generation);
    if (!isOlderDatabase(generation, beside)) return;
    const is = generation === null ? "is new" : `was last at mark ${String(generation)}`;
    await this.#raise(
      "database",
      `the database is older than the recordings: it ${is}, they stand at mark ${String(beside)}`,
    );
  }

  /** In the database first: a death in between leaves the database ahead, which is no doubt. */
  async #raiseMark(memory: Memory): Promise<void> {
    const { catalog } = this.#deps;
    const nowMs = catalog.clock.monotonicMs();
    if (this.#stops.length > 0 || (this.#markedMs !== null && nowMs - this.#markedMs < MARK_EVERY_MS)) return;
    await this.#setMark((numberOf(memory.generation) ?? 0) + 1);
    this.#markedMs = nowMs;
  }

  async #setMark(generation: number): Promise<void> {
    const { catalog, marks } = this.#deps;
    await remember(catalog, { generation: String(generation), latestUs: String(catalog.clock.nowUs()) });
    await marks.writeGeneration(generation);
  }

  #checkStore(): Promise<void> {
    const nowMs = this.#deps.catalog.clock.monotonicMs();
    if (this.#storeKnownMs !== null && nowMs - this.#storeKnownMs < STORE_HOLDS_MS) return Promise.resolve();
    this.#storeCheck ??= this.#askStore().finally(() => (this.#storeCheck = undefined));
    return this.#storeCheck;
  }

  async #askStore(): Promise<void> {
    const { catalog, store } = this.#deps;
    this.#storeAskedMs = catalog.clock.monotonicMs();
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(STORE_WITHIN_MS)]);
    const first = await store.readMarker(signal);
    const known = (await recall(catalog)).storeId ?? null;
    // A command may have placed the first marker since, and remembered it then.
    const found = first === null && known !== null ? await store.readMarker(signal) : first;
    const verdict = judgeMarker([known], found);
    if (verdict === "foreign") {
      const is = found === null ? "carries no marker: it is empty, or another one" : `is another one (marker ${found})`;
      await this.#inTurn(() =>
        this.#raise("store", `the store ${store.description} ${is}, expected marker ${known ?? ""}`),
      );
      return;
    }
    if (verdict === "remember") await remember(catalog, { storeId: found ?? "" });
    if (verdict === "first") await this.#placeStore(signal);
    this.#storeKnownMs = catalog.clock.monotonicMs();
  }

  async #placeStore(signal: AbortSignal): Promise<void> {
    const { catalog, store } = this.#deps;
    const id = randomUUID();
    try {
      await store.placeMarker(id, signal);
      await remember(catalog, { storeId: id });
    } catch (error) {
      // Another one of the same store was faster: the next look finds its marker.
      if (!isAppError(error, "already-exists")) throw error;
      await remember(catalog, { storeId: (await store.readMarker(signal)) ?? "" });
    }
  }

  /** What is there now is right from now on; the same doubt found again later stops again. */
  async #accept({ doubt, evidence }: DeletionStop): Promise<void> {
    const { catalog, marks, store } = this.#deps;
    const memory = await recall(catalog);
    switch (doubt) {
      case "volume": {
        const found = await marks.readVolumeId();
        if (found !== null && found === memory.volumeId) return;
        await (found === null ? this.#placeVolume() : this.#rememberVolume(found));
        // Another disk may carry the mark of another database.
        return this.#acceptMark(memory);
      }
      case "database":
        return this.#acceptMark(memory);
      case "clock":
        this.#baseline = this.#sampleClock();
        return remember(catalog, { latestUs: String(this.#baseline.wallUs) });
      case "store": {
        const signal = AbortSignal.timeout(STORE_WITHIN_MS);
        const found = await store.readMarker(signal);
        return found === null ? this.#placeStore(signal) : remember(catalog, { storeId: found });
      }
      case "mass-missing":
        return remember(catalog, { acceptedMissing: String(evidence ?? 0) });
      default:
        return doubt satisfies never;
    }
  }

  async #acceptMark(memory: Memory): Promise<void> {
    const beside = await this.#deps.marks.readGeneration();
    await this.#setMark(Math.max(numberOf(memory.generation) ?? 0, beside ?? 0) + 1);
  }

  #sampleClock(): ClockSample {
    const { clock } = this.#deps.catalog;
    return { wallUs: clock.nowUs(), monotonicMs: clock.monotonicMs() };
  }
}

function numberOf(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}

function inWords(us: number): string {
  return formatDurationMs(us / US_PER_MS);
}
