/**
 * Plays a path by the wall clock: a playlist of some hours around the instant, and the next one when it has ended.
 * Owns the HLS engine of its <video>; `stop` gives everything back.
 */
import type Hls from "hls.js";

import type { Timeline } from "./api-types.js";
import { nowMs } from "./clock.js";
import { type ClockedFragment, isLoaded, mediaOf, wallOf } from "./media-clock.js";
import { apiUrl, authorization, getJson, isoOf, regainLogin } from "./request.js";
import { drawnSpans, nextFootageMs } from "./spans.js";
import { strings } from "./strings.js";
import { DAY_MS, HOUR_MS } from "./time-scale.js";

export type PlayerStatus =
  { readonly kind: "loading" | "ready" | "end" } | { readonly kind: "failed"; readonly why: string };

interface FootagePlayerOptions {
  readonly video: HTMLVideoElement;
  readonly path: string;
  readonly isConverted: boolean;
  readonly onStatus: (status: PlayerStatus) => void;
  readonly onTime: (wallMs: number) => void;
}

const BEFORE_MS = 30_000;
const WINDOW_MS = 2 * HOUR_MS;
/** Nearer to now than this the playlist grows. */
const LIVE_MS = 120_000;
const NEAR_END_MS = 250;
const AGAIN_MS = 2_000;
const LAST_SEC = 0.05;
const LONGEST_HOLE_SEC = 1.5;
/** A fragment that is there begins and ends where its samples do, not where the playlist says. */
const EDGE_SEC = 0.3;

/** What the engine knows of a playlist. */
interface LevelFacts {
  readonly live: boolean;
  readonly fragments: readonly {
    readonly start: number;
    readonly duration: number;
    readonly programDateTime: number | null;
  }[];
}

export class FootagePlayer {
  readonly #options: FootagePlayerOptions;
  readonly #stopped = new AbortController();
  #load = new AbortController();
  #hls: Hls | undefined;
  #fragments: readonly ClockedFragment[] = [];
  #isGrowing = false;
  #isAtEnd = false;
  #isPlaying = false;
  #rate = 1;

  constructor(options: FootagePlayerOptions) {
    this.#options = options;
    const { video } = options;
    const { signal } = this.#stopped;
    for (const event of ["timeupdate", "seeked"]) video.addEventListener(event, () => this.#tellTime(), { signal });
    video.addEventListener("ended", () => this.#goOn(), { signal });
    video.addEventListener("playing", () => options.onStatus({ kind: "ready" }), { signal });
    video.addEventListener("seeked", () => options.onStatus({ kind: "ready" }), { signal });
    video.addEventListener("waiting", () => options.onStatus({ kind: "loading" }), { signal });
  }

  stop(): void {
    this.#stopped.abort();
    this.#load.abort();
    this.#hls?.destroy();
  }

  wallMs(): number | undefined {
    return wallOf(this.#fragments, this.#options.video.currentTime);
  }

  seek(wallMs: number): void {
    const mediaSec = isLoaded(this.#fragments, wallMs) ? mediaOf(this.#fragments, wallMs) : undefined;
    if (mediaSec !== undefined && this.#hls !== undefined) this.#options.video.currentTime = mediaSec;
    else void this.#open(wallMs, true);
  }

  setPlaying(isPlaying: boolean): void {
    this.#isPlaying = isPlaying;
    const { video } = this.#options;
    if (!isPlaying) video.pause();
    // Refused only until somebody has touched the page; the button is there.
    else if (this.#hls !== undefined) video.play().catch(() => undefined);
  }

  setRate(rate: number): void {
    this.#rate = rate;
    this.#options.video.playbackRate = rate;
  }

  /** A frame on or back, of that length. */
  step(frameSec: number): void {
    this.setPlaying(false);
    this.#options.video.currentTime += frameSec;
  }

  async #open(wallMs: number, mayLookOn: boolean): Promise<void> {
    this.#load.abort();
    const load = (this.#load = new AbortController());
    this.#hls?.destroy();
    this.#hls = undefined;
    this.#fragments = [];
    this.#isAtEnd = false;
    this.#options.onStatus({ kind: "loading" });
    const { default: Engine } = await import("hls.js/light");
    if (load.signal.aborted || this.#stopped.signal.aborted) return;
    if (!Engine.isSupported()) {
      this.#fail(strings.player.noEngine);
      return;
    }
    const hls = new Engine({
      autoStartLoad: false,
      enableWorker: false,
      maxBufferLength: 20,
      backBufferLength: 30,
      xhrSetup: (xhr, url) => {
        for (const [name, value] of Object.entries(authorization(url))) xhr.setRequestHeader(name, value);
      },
    });
    this.#hls = hls;
    hls.on(Engine.Events.LEVEL_UPDATED, (_event, { details }) => this.#keepClock(details));
    hls.once(Engine.Events.LEVEL_LOADED, (_event, { details }) => {
      this.#keepClock(details);
      // What is being written is told of a little later: its last piece is the newest there is.
      const mediaSec =
        mediaOf(this.#fragments, wallMs) ?? (details.live ? this.#fragments.at(-1)?.startSec : undefined);
      if (mediaSec === undefined && mayLookOn) {
        void this.#lookOn(wallMs, load.signal);
        return;
      }
      hls.startLoad(mediaSec ?? 0);
      const { video } = this.#options;
      video.playbackRate = this.#rate;
      if (this.#isPlaying) video.play().catch(() => undefined);
    });
    hls.on(Engine.Events.FRAG_BUFFERED, (_event, { frag }) => this.#leapHole(frag));
    hls.on(Engine.Events.ERROR, (_event, { fatal, response, error }) => {
      if (!fatal) return;
      if (response?.code === 404 && isLive(wallMs)) void this.#tryAgain(wallMs, load.signal);
      else if (response?.code === 404 && mayLookOn) void this.#lookOn(wallMs, load.signal);
      else if (response?.code === 401) void this.#goOnLoggedIn(this.wallMs() ?? wallMs, load.signal);
      else this.#fail(error.message);
    });
    hls.loadSource(playlistUrl(this.#options, wallMs, mayLookOn ? BEFORE_MS : 0));
    hls.attachMedia(this.#options.video);
  }

  /** A camera that has begun a moment ago has nothing to play yet. */
  async #tryAgain(wallMs: number, signal: AbortSignal): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    if (!signal.aborted && !this.#stopped.signal.aborted) await this.#open(wallMs, true);
  }

  /** As soon as somebody is logged in (again), from where it was. */
  async #goOnLoggedIn(wallMs: number, signal: AbortSignal): Promise<void> {
    try {
      await regainLogin(signal);
      await this.#tryAgain(wallMs, signal);
    } catch (error) {
      if (!signal.aborted) this.#fail(error instanceof Error ? error.message : "");
    }
  }

  /**
   * Before its sync sample the first fragment of a piece shows nothing: an instant in there is shown a little later. Not
   * while its own fragment is still to come, and one behind it is there already.
   */
  #leapHole({ start, end }: { readonly start: number; readonly end: number }): void {
    const { video } = this.#options;
    const isOfInstant = video.currentTime > start - EDGE_SEC && video.currentTime < end + EDGE_SEC;
    if (video.readyState >= 2 || !isOfInstant) return;
    const { buffered, currentTime } = video;
    for (let index = 0; index < buffered.length; index += 1) {
      const holeSec = buffered.start(index) - currentTime;
      if (holeSec > 0 && holeSec < LONGEST_HOLE_SEC) video.currentTime = buffered.start(index) + 0.001;
    }
  }

  /** To the next footage, which may be hours away; the end when none follows. */
  async #lookOn(wallMs: number, signal: AbortSignal): Promise<void> {
    const { path } = this.#options;
    const query = { path, from: isoOf(wallMs), to: isoOf(wallMs + 7 * DAY_MS) };
    try {
      const { paths } = await getJson<Timeline>(apiUrl("timeline", query), signal);
      const next = nextFootageMs(drawnSpans(paths[0]?.spans ?? []), wallMs);
      if (next === undefined) this.#options.onStatus({ kind: "end" });
      else await this.#open(next, false);
    } catch (error) {
      if (!signal.aborted) this.#fail(error instanceof Error ? error.message : "");
    }
  }

  #goOn(): void {
    const last = this.#fragments.at(-1);
    if (last === undefined || this.#isAtEnd) return;
    this.#isAtEnd = true;
    const endMs = last.wallMs + last.durationSec * 1_000;
    void this.#lookOn(endMs + NEAR_END_MS, this.#load.signal);
  }

  #keepClock({ fragments, live }: LevelFacts): void {
    this.#isGrowing = live;
    this.#fragments = fragments.flatMap(({ start, duration, programDateTime }) =>
      programDateTime === null ? [] : [{ startSec: start, durationSec: duration, wallMs: programDateTime }],
    );
  }

  #tellTime(): void {
    const wallMs = this.wallMs();
    if (wallMs === undefined || this.#options.video.readyState < 2) return;
    this.#options.video.dataset["wall"] = isoOf(wallMs);
    this.#options.onTime(wallMs);
    // The engine tells where the stream ends only while there is something to play; played fast, it comes too late.
    if (!this.#isGrowing && this.#isPlaying && this.#options.video.currentTime >= this.#endSec()) this.#goOn();
  }

  #endSec(): number {
    const last = this.#fragments.at(-1);
    return last === undefined ? Infinity : last.startSec + last.durationSec - LAST_SEC;
  }

  #fail(why: string): void {
    this.#options.onStatus({ kind: "failed", why });
  }
}

const isLive = (wallMs: number): boolean => wallMs > nowMs() - LIVE_MS;

/** Where the recording format changes a playlist ends: one that has to begin with what follows has nothing in front of it. */
function playlistUrl({ path, isConverted }: FootagePlayerOptions, wallMs: number, beforeMs: number): string {
  const now = nowMs();
  const common = { path, from: isoOf(wallMs - beforeMs), ...(isConverted ? { transcode: "h264" } : {}) };
  if (isLive(wallMs)) return apiUrl("playlist.m3u8", { ...common, to: isoOf(now + 12 * HOUR_MS), live: 1 });
  return apiUrl("playlist.m3u8", { ...common, to: isoOf(Math.min(wallMs + WINDOW_MS, now)) });
}
