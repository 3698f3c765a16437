/** Stopping: what runs may finish, what idles does not hold the process, and nothing outlasts the grace. */
import { Agent, request } from "node:http";

import { expect, it, onTestFinished } from "vitest";

import type { PathName } from "../../../src/core/path-name.js";
import type { LivePath } from "../../../src/http/http-deps.js";
import { listen } from "../../../src/http/server.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { waitFor } from "../../support/wait-for.js";

/** The status, or how the connection ended without one. */
function statusOf(agent: Agent, port: number, path: string): Promise<number | string> {
  return new Promise((resolve) => {
    const outgoing = request({ host: "127.0.0.1", port, path, agent }, (incoming) => {
      incoming.resume();
      incoming.once("end", () => resolve(incoming.statusCode ?? 0));
    });
    outgoing.once("error", ({ message }) => resolve(message));
    outgoing.end();
  });
}

/** A browser-like client whose connection stays open, with a request under way that waits for `release`. */
async function busyServer(http: HttpHarness) {
  let release = (): void => undefined;
  const gate = new Promise<ReadonlyMap<PathName, LivePath>>((resolve) => {
    release = () => resolve(new Map());
  });
  let isAsked = false;
  http.mediamtx.live = () => {
    isAsked = true;
    return gate;
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const server = await listen(http.app, { host: "127.0.0.1", port: 0 });
  const answer = statusOf(agent, server.port, "/api/v1/paths");
  await waitFor("the request to be under way", () => isAsked);
  return { server, answer, release };
}

it("lets a running request finish and ends its kept connection at once", async () => {
  const { server, answer, release } = await busyServer(await httpForTest());
  const stopped = server.stop(60_000);
  release();
  expect(await answer).toBe(200);
  const state = { isStopped: false };
  void stopped.then(() => (state.isStopped = true));
  // Node alone keeps such a connection for five seconds. Looks are counted: a machine may stand still for longer.
  for (let looks = 0; looks < 40 && !state.isStopped; looks += 1)
    await new Promise((resolve) => setTimeout(resolve, 100));
  expect(state.isStopped).toBe(true);
});

it("ends a request that outlasts the grace", async () => {
  const { server, answer, release } = await busyServer(await httpForTest());
  await server.stop(50);
  expect(await answer).toBe("socket hang up");
  release();
});

it("takes no new connection while it stops", async () => {
  const { server, answer, release } = await busyServer(await httpForTest());
  const stopped = server.stop(60_000);
  const other = new Agent();
  expect(await statusOf(other, server.port, "/health")).toContain("ECONNREFUSED");
  release();
  await Promise.all([answer, stopped]);
});
