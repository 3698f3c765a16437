/**
 * Ends sessions of MediaMTX whose reason is gone: after a change of users, sessions, tokens or publish credentials, and
 * now and then, because a token runs out by itself. Where MediaMTX lets in whoever has a token, one that was revoked
 * begins again until it runs out, and is ended when it is seen: so what is new is looked at each second. Only a list in
 * memory says who is behind a session: of one that began before Reelkeeper did, that is found out by what MediaMTX knows of
 * it, and where that is nothing it is ended at the first change. Whoever may still watch comes back by themselves.
 */
import { describeError } from "../core/errors.js";
import type { Clock } from "../platform/clock.js";
import type { Logger } from "../platform/logger.js";
import type { StreamCaller, Wanted } from "./stream-caller.js";

/** As MediaMTX lists it. */
export interface StreamSession extends Wanted {
  readonly id: string;
  readonly kind: string;
  readonly action: "publish" | "read";
  /** As whoever began it called themselves; empty without a name. */
  readonly user: string;
  readonly query: string;
  readonly createdAtUs: number;
}

export interface StreamSessionsDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly list: (signal: AbortSignal) => Promise<readonly StreamSession[]>;
  /** Ended already is as good. */
  readonly kick: (session: StreamSession, signal: AbortSignal) => Promise<void>;
  readonly mayStill: (caller: StreamCaller, wanted: Wanted) => Promise<boolean>;
  /** Nobody asks us before a session begins. */
  readonly beginsUnasked: boolean;
  /** Who is behind a session that nobody noted. */
  readonly recognize: (session: StreamSession) => Promise<StreamCaller | undefined>;
}

const LOOK_EVERY_MS = 10_000;
const LOOK_FOR_NEW_EVERY_MS = 1_000;
/** Who was let in just before a change may not be listed yet. */
const LOOK_AGAIN_AFTER_MS = 2_000;
/** From being let in to being listed; RTSP also asks for connections, which never are. */
const NOTED_FOR_MS = 60_000;
const ASK_WITHIN_MS = 5_000;

interface Noted {
  readonly caller: StreamCaller;
  readonly atMs: number;
}

export class StreamSessions {
  readonly #deps: StreamSessionsDeps;
  readonly #noted = new Map<string, Noted>();
  readonly #stopping = new AbortController();
  /** Changes that no look has taken in. */
  #changes = 0;
  /** Said once. */
  #isFailing = false;
  #wake: () => void = () => undefined;
  #running: Promise<void> | undefined;

  constructor(deps: StreamSessionsDeps) {
    this.#deps = deps;
  }

  /** They were let in, for a session of this id. */
  note(id: string, caller: StreamCaller): void {
    this.#noted.set(id, { caller, atMs: this.#deps.clock.monotonicMs() });
  }

  /** Who may do what has changed. Returns at once. */
  changed(): void {
    this.#changes += 1;
    this.#wake();
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const changes = this.#changes;
      await this.#look({ isChanged: changes > 0 });
      this.#changes -= changes;
      if (changes > 0) {
        await this.#sleep(LOOK_AGAIN_AFTER_MS);
        await this.#look({ isChanged: true });
      }
      await this.#rest();
    }
  }

  /** Until the next look at all, or a change. */
  async #rest(): Promise<void> {
    const { beginsUnasked, clock } = this.#deps;
    const untilMs = clock.monotonicMs() + LOOK_EVERY_MS;
    while (this.#isCalm()) {
      const leftMs = untilMs - clock.monotonicMs();
      if (leftMs <= 0) return;
      await this.#sleep(beginsUnasked ? Math.min(leftMs, LOOK_FOR_NEW_EVERY_MS) : leftMs);
      if (beginsUnasked && this.#isCalm()) await this.#look({ isChanged: false, onlyNew: true });
    }
  }

  #isCalm(): boolean {
    return this.#changes === 0 && !this.#stopping.signal.aborted;
  }

  /** A change that cannot be carried out yet is one still. */
  async #look({
    isChanged,
    onlyNew = false,
  }: {
    readonly isChanged: boolean;
    readonly onlyNew?: boolean;
  }): Promise<void> {
    const { clock, list } = this.#deps;
    if (this.#stopping.signal.aborted) return;
    try {
      const sessions = await list(this.#deadline());
      this.#forget(new Set(sessions.map(({ id }) => id)), clock.monotonicMs());
      const due = onlyNew ? sessions.filter(({ id }) => !this.#noted.has(id)) : sessions;
      for (const session of due) await this.#judge(session, isChanged);
      this.#isFailing = false;
    } catch (error) {
      if (isChanged) this.#changes += 1;
      await this.#failed(error);
    }
  }

  async #failed(error: unknown): Promise<void> {
    const { clock, logger } = this.#deps;
    if (this.#stopping.signal.aborted) return;
    if (!this.#isFailing) {
      logger.warn("sessions of mediamtx cannot be looked at; tried again", { err: describeError(error) });
    }
    this.#isFailing = true;
    await clock.sleep(LOOK_AGAIN_AFTER_MS, this.#stopping.signal);
  }

  async #judge(session: StreamSession, isChanged: boolean): Promise<void> {
    const { mayStill, kick, recognize, logger } = this.#deps;
    const { id, kind, path, action } = session;
    const caller = this.#noted.get(id)?.caller ?? (await recognize(session));
    if (caller === undefined && !isChanged) return;
    if (caller !== undefined) {
      this.note(id, caller);
      if (await mayStill(caller, { action, path })) return;
    }
    await kick(session, this.#deadline());
    this.#noted.delete(id);
    logger.info("session of mediamtx ended: its reason is gone", { kind, path, action });
  }

  #forget(listed: ReadonlySet<string>, nowMs: number): void {
    for (const [id, { atMs }] of this.#noted) {
      if (!listed.has(id) && nowMs - atMs > NOTED_FOR_MS) this.#noted.delete(id);
    }
  }

  #deadline(): AbortSignal {
    return AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ASK_WITHIN_MS)]);
  }

  async #sleep(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    if (this.#stopping.signal.aborted) return;
    await this.#deps.clock.sleep(ms, woken.signal);
    this.#wake = () => undefined;
  }
}
