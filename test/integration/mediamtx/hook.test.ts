import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { PATIENCE } from "../../support/patience.js";

const HOOKS = new URL("../../../mediamtx/", import.meta.url).pathname;
const SECRET = "s3cret with spaces & +%= ü";
const DEADLINE_MS = 5_500 * PATIENCE;

/** What a host offers: the program that runs the hook, and all that its PATH holds. */
const HOSTS = [
  { host: "dash with curl", run: ["dash", "hook.sh"], tools: { curl: "curl", sleep: "sleep" } },
  {
    host: "dash with GNU wget",
    run: ["dash", "hook.sh"],
    tools: { wget: "wget", timeout: "timeout", sleep: "sleep", rm: "rm" },
  },
  {
    host: "busybox ash with busybox wget",
    run: ["busybox ash", "hook.sh"],
    tools: { wget: "busybox", timeout: "busybox", sleep: "busybox" },
  },
  { host: "busybox ash with nothing but busybox", run: ["busybox ash", "hook.sh"], tools: { busybox: "busybox" } },
  { host: "node with nothing else", run: [process.execPath, "hook.mjs"], tools: {} },
] as const;

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;
interface Received {
  readonly url: string;
  readonly fields: Record<string, string>;
}

let root: string;

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), "reelkeeper-hook-"));
  for (const [index, { tools }] of HOSTS.entries()) {
    await mkdir(path.join(root, `bin${index}`));
    for (const [name, tool] of Object.entries(tools)) await symlink(find(tool), path.join(root, `bin${index}`, name));
  }
  await writeFile(path.join(root, "secret"), `${SECRET}\n`, { mode: 0o600 });
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe.concurrent.each(HOSTS)("the hook under $host", (host) => {
  const index = HOSTS.indexOf(host);
  const env = (url: string): Record<string, string> => ({
    PATH: path.join(root, `bin${index}`),
    REELKEEPER_URL: url,
    REELKEEPER_HOOK_SECRET_FILE: path.join(root, "secret"),
    MTX_PATH: "site/gate",
    LANG: "C.UTF-8",
  });

  it.each([
    "/recordings/site/gate/2026-11-20/1795194283-022940.mp4",
    "/rec/my cam/100% & more=+'quotes\"\\`$(id)`; #?.mp4",
    "/rec/new\nline\tand tab\n",
    "/rec/ünï/日本語/🎥.mp4",
    "-leading",
  ])("tells every byte of the file name %j (F49)", async (segmentPath) => {
    await withServer(accept, async (url, received) => {
      const variables = { MTX_SEGMENT_PATH: segmentPath, MTX_SEGMENT_DURATION: "4.012345" };
      const result = await run(host.run, "segment-complete", { ...env(`${url}/`), ...variables });
      expect(result).toMatchObject({ code: 0, output: "" });
      expect(received).toEqual([
        {
          url: "/hooks/segment-complete",
          fields: { secret: SECRET, path: "site/gate", segmentPath, segmentDuration: "4.012345" },
        },
      ]);
    });
  });

  it("tells source type and id of a stream", async () => {
    await withServer(accept, async (url, received) => {
      await run(host.run, "not-ready", { ...env(url), MTX_SOURCE_TYPE: "rtspSession", MTX_SOURCE_ID: "1b-2" });
      const fields = { secret: SECRET, path: "site/gate", sourceType: "rtspSession", sourceId: "1b-2" };
      expect(received).toEqual([{ url: "/hooks/not-ready", fields }]);
    });
  });

  it("takes address and secret from hook.env beside it when the environment has none", async () => {
    await withServer(accept, async (url, received) => {
      const folder = path.join(root, `beside ${index}`);
      await mkdir(folder);
      const script = path.join(folder, host.run[1]);
      await copyFile(path.join(HOOKS, host.run[1]), script);
      await writeFile(path.join(folder, "hook.env"), `REELKEEPER_URL=${url}\nREELKEEPER_HOOK_SECRET=${SECRET}`);
      const { PATH } = env(url);
      await run([host.run[0], script], "ready", { PATH: PATH ?? "", MTX_PATH: "cam" });
      expect(received).toEqual([{ url: "/hooks/ready", fields: { secret: SECRET, path: "cam" } }]);
    });
  });

  it("tries again after a failure", async () => {
    let tries = 0;
    const answer: Answer = (_, response) => {
      tries += 1;
      response.statusCode = tries < 3 ? 500 : 202;
      response.end();
    };
    await withServer(answer, async (url) => {
      expect(await run(host.run, "segment-create", { ...env(url), MTX_SEGMENT_PATH: "/r/x.mp4" })).toMatchObject({
        code: 0,
        output: "",
      });
      expect(tries).toBe(3);
    });
  });

  it("gives up with one line and exit code 0 when the server always fails (F2)", async () => {
    const answer: Answer = (_, response) => {
      response.statusCode = 503;
      response.end("a\nlong\nanswer\n");
    };
    await withServer(answer, async (url, received) => {
      expectFailure(await run(host.run, "segment-complete", env(url)));
      expect(received).toHaveLength(3);
    });
  });

  it("gives up when nobody listens (F2)", async () => {
    const url = await withServer(accept, (address) => Promise.resolve(address));
    expectFailure(await run(host.run, "segment-complete", env(url)));
  });

  it("gives up in time on a server that never answers, and shows the secret to nobody meanwhile (F2)", async () => {
    const secretArguments: string[] = [];
    const answer: Answer = () => {
      secretArguments.push(...allArguments().filter((text) => text.includes("s3cret")));
    };
    await withServer(answer, async (url, received) => {
      expectFailure(await run(host.run, "segment-complete", env(url)));
      expect(received).toHaveLength(3);
      expect(secretArguments).toEqual([]);
    });
  });

  it("refuses an event that it does not know", async () => {
    await withServer(accept, async (url, received) => {
      expectFailure(await run(host.run, "../x", env(url)));
      expect(received).toEqual([]);
    });
  });
});

it("says so when a host has neither curl nor wget", async () => {
  const empty = path.join(root, "empty");
  await mkdir(empty);
  expectFailure(await run(["dash", "hook.sh"], "segment-complete", { PATH: empty }));
});

const accept: Answer = (_, response) => {
  response.statusCode = 202;
  response.end("{}");
};

interface Result {
  readonly code: number | null;
  readonly output: string;
  readonly tookMs: number;
}

function expectFailure(result: Result): void {
  expect(result.code).toBe(0);
  expect(result.output).toMatch(/^reelkeeper hook: [^\n]+\n$/);
  expect(result.output).not.toContain("s3cret");
  expect(result.tookMs).toBeLessThan(DEADLINE_MS);
}

async function run(command: readonly string[], event: string, env: Record<string, string>): Promise<Result> {
  const [shell = "", script = ""] = command;
  const [program = "", ...applet] = shell.split(" ");
  const startMs = performance.now();
  const child = spawn(find(program), [...applet, path.resolve(HOOKS, script), event], { env, stdio: "pipe" });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += String(chunk)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, output, tookMs: performance.now() - startMs };
}

async function withServer<T>(answer: Answer, use: (url: string, received: Received[]) => Promise<T>): Promise<T> {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      received.push({ url: request.url ?? "", fields: Object.fromEntries(new URLSearchParams(body)) });
      answer(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, received);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function find(program: string): string {
  if (path.isAbsolute(program)) return program;
  const candidates = (process.env["PATH"] ?? "").split(path.delimiter).map((folder) => path.join(folder, program));
  const found = candidates.find((file) => existsSync(file));
  if (found === undefined) throw new Error(`these tests need ${program} on PATH`);
  return found;
}

/** The command lines of all processes, as any user of the machine can read them. */
function allArguments(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return "";
      }
    });
}
