import { describe, expect, it, onTestFinished } from "vitest";

import type { StreamCaller } from "../../../src/access/stream-caller.js";
import { type StreamSession, StreamSessions } from "../../../src/access/stream-sessions.js";
import { createFakeClock } from "../../support/fake-clock.js";

const ANNA: StreamCaller = { kind: "session", sessionId: "anna" };
const BERT: StreamCaller = { kind: "token", tokenId: "bert" };

function session(id: string, changes: Partial<StreamSession> = {}): StreamSession {
  return {
    ...{ id, kind: "rtspsessions", path: "cam1", action: "read", user: "", query: "", createdAtUs: 0 },
    ...changes,
  };
}

function scene({ beginsUnasked = false } = {}) {
  const clock = createFakeClock();
  const state = {
    listed: [] as StreamSession[],
    revoked: new Set<string>(),
    kicked: [] as string[],
    warnings: 0,
    isDown: false,
    known: new Map<string, StreamCaller>(),
  };
  const noLog = (): void => undefined;
  const logger = {
    ...{ debug: noLog, info: noLog, error: noLog, child: () => logger },
    warn: () => {
      state.warnings += 1;
    },
  };
  const sessions = new StreamSessions({
    ...{ clock, logger, beginsUnasked },
    list: () => (state.isDown ? Promise.reject(new Error("down")) : Promise.resolve(state.listed)),
    kick: ({ id }) => {
      state.kicked.push(id);
      state.listed = state.listed.filter((each) => each.id !== id);
      return Promise.resolve();
    },
    mayStill: (caller) => Promise.resolve(!state.revoked.has(JSON.stringify(caller))),
    recognize: ({ id }) => Promise.resolve(state.known.get(id)),
  });
  const revoke = (caller: StreamCaller): void => {
    state.revoked.add(JSON.stringify(caller));
  };
  sessions.start();
  onTestFinished(() => sessions.stop());
  return { clock, state, sessions, revoke };
}

describe("sessions of MediaMTX", () => {
  it("end at once when their reason is gone, and others go on", async () => {
    const { clock, state, sessions, revoke } = scene();
    state.listed = [session("1"), session("2")];
    sessions.note("1", ANNA);
    sessions.note("2", BERT);
    await clock.advance(60_000);
    expect(state.kicked).toEqual([]);
    revoke(ANNA);
    sessions.changed();
    await clock.advance(0);
    expect(state.kicked).toEqual(["1"]);
    await clock.advance(120_000);
    expect(state.kicked).toEqual(["1"]);
  });

  it("end also when they are listed only after the change", async () => {
    const { clock, state, sessions, revoke } = scene();
    await clock.advance(0);
    sessions.note("1", ANNA);
    revoke(ANNA);
    sessions.changed();
    await clock.advance(0);
    state.listed = [session("1")];
    await clock.advance(2_000);
    expect(state.kicked).toEqual(["1"]);
  });

  it("end within seconds when a token runs out, without any change", async () => {
    const { clock, state, sessions, revoke } = scene();
    state.listed = [session("1")];
    sessions.note("1", BERT);
    await clock.advance(0);
    revoke(BERT);
    await clock.advance(10_000);
    expect(state.kicked).toEqual(["1"]);
  });

  it("that began before us are recognized; of nobody we know they end at the first change", async () => {
    const { clock, state, sessions, revoke } = scene();
    state.known = new Map<string, StreamCaller>([
      ["1", ANNA],
      ["2", BERT],
    ]);
    state.listed = [session("1"), session("2"), session("3")];
    await clock.advance(60_000);
    expect(state.kicked).toEqual([]);
    revoke(BERT);
    sessions.changed();
    await clock.advance(0);
    expect(state.kicked).toEqual(["2", "3"]);
  });

  it("are remembered by who was recognized first, whatever is known of them later", async () => {
    const { clock, state, revoke } = scene();
    state.known = new Map<string, StreamCaller>([["1", ANNA]]);
    state.listed = [session("1")];
    await clock.advance(10_000);
    state.known = new Map<string, StreamCaller>([["1", BERT]]);
    revoke(ANNA);
    await clock.advance(10_000);
    expect(state.kicked).toEqual(["1"]);
  });

  it("that begin without anybody asking us end within a second, at whatever time", async () => {
    const { clock, state, sessions, revoke } = scene({ beginsUnasked: true });
    state.known = new Map<string, StreamCaller>([
      ["1", ANNA],
      ["2", BERT],
      ["3", ANNA],
    ]);
    revoke(ANNA);
    sessions.changed();
    await clock.advance(33_300);
    state.listed = [session("1"), session("2")];
    await clock.advance(1_000);
    expect(state.kicked).toEqual(["1"]);
    await clock.advance(500);
    state.listed = [...state.listed, session("3")];
    await clock.advance(1_000);
    expect(state.kicked).toEqual(["1", "3"]);
    // One that was looked at already is looked at with all others, or at a change.
    revoke(BERT);
    sessions.changed();
    await clock.advance(0);
    expect(state.kicked).toEqual(["1", "3", "2"]);
  });

  it("that cannot be looked at are looked at again until the change is carried out", async () => {
    const { clock, state, sessions, revoke } = scene();
    state.listed = [session("1")];
    sessions.note("1", ANNA);
    await clock.advance(0);
    state.isDown = true;
    revoke(ANNA);
    sessions.changed();
    await clock.advance(5_000);
    expect(state.kicked).toEqual([]);
    expect(state.warnings).toBeGreaterThan(0);
    state.isDown = false;
    await clock.advance(5_000);
    expect(state.kicked).toEqual(["1"]);
  });
});
