/** A real Chromium for a test, spoken to over its DevTools pipe (NUL-separated JSON on descriptors 3 and 4). */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import type { Readable, Writable } from "node:stream";

import { createTempDir, removeTempDir } from "./temp-dir.js";
import { PATIENCE } from "./patience.js";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const ANSWER_TIMEOUT_MS = 30_000 * PATIENCE;

type Json = Record<string, unknown>;

interface View {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly scheme?: "light" | "dark";
  readonly reducedMotion?: boolean;
}

export interface Page {
  /** A DevTools command to this page. */
  readonly send: (method: string, params?: Json) => Promise<Json>;
  /** What the page has logged as an error or thrown, refused resources too. */
  readonly complaints: readonly string[];
  goto(url: string): Promise<void>;
  setView(view: View): Promise<void>;
  /** The value of an expression in the page, by JSON; promises are awaited. */
  evaluate<T>(expression: string): Promise<T>;
  /** A PNG. */
  screenshot(): Promise<Buffer>;
  /** A key as a person presses it, such as Tab or Enter. */
  press(key: "Tab" | "Enter"): Promise<void>;
  type(text: string): Promise<void>;
  close(): Promise<void>;
}

export interface Browser {
  newPage(): Promise<Page>;
  stop(): Promise<void>;
}

/** The browser of this machine, or undefined when it has none. */
export function findBrowser(): string | undefined {
  const directories = (process.env["PATH"] ?? "").split(path.delimiter);
  return NAMES.flatMap((name) => directories.map((directory) => path.join(directory, name))).find(existsSync);
}

/** The caller stops it. */
export async function startBrowser(executable: string, env: NodeJS.ProcessEnv = process.env): Promise<Browser> {
  const profile = await createTempDir();
  const child = spawn(
    executable,
    [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
      ...["--lang=en-GB", "--remote-debugging-pipe", `--user-data-dir=${profile}`, "about:blank"],
    ],
    // A group of its own: its helpers end with it.
    { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"], detached: true, env },
  );
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const wire = connect(child);
  return {
    newPage: () => openPage(wire),
    stop: async () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
      await exited;
      await removeTempDir(profile);
    },
  };
}

interface Wire {
  send(method: string, params: Json, sessionId?: string): Promise<Json>;
  onEvent(sessionId: string, listener: (method: string, params: Json) => void): void;
}

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Json;
  readonly result?: Json;
  readonly error?: { readonly message: string };
}

function connect(child: ChildProcess): Wire {
  const [, , , toBrowser, fromBrowser] = child.stdio as unknown as [null, null, null, Writable, Readable];
  const waiting = new Map<number, (message: Message) => void>();
  const listeners = new Map<string, (method: string, params: Json) => void>();
  let [rest, lastId] = ["", 0];
  toBrowser.on("error", () => undefined);
  fromBrowser.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\0");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const message = JSON.parse(part) as Message;
      if (message.id !== undefined) waiting.get(message.id)?.(message);
      else listeners.get(message.sessionId ?? "")?.(message.method ?? "", message.params ?? {});
    }
  });
  return {
    send: (method, params, sessionId) =>
      new Promise((resolve, reject) => {
        const id = (lastId += 1);
        const timer = setTimeout(() => reject(new Error(`the browser does not answer ${method}`)), ANSWER_TIMEOUT_MS);
        waiting.set(id, ({ result, error }) => {
          clearTimeout(timer);
          waiting.delete(id);
          if (error === undefined) resolve(result ?? {});
          else reject(new Error(`${method}: ${error.message}`));
        });
        toBrowser.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
      }),
    onEvent: (sessionId, listener) => void listeners.set(sessionId, listener),
  };
}

async function openPage(wire: Wire): Promise<Page> {
  const { targetId } = await wire.send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = (await wire.send("Target.attachToTarget", { targetId, flatten: true })) as {
    sessionId: string;
  };
  const complaints: string[] = [];
  /** Documents by their loader: those that there were, and those that have loaded. */
  const [begun, loaded] = [new Set<unknown>(), new Set<unknown>()];
  let onLoaded = (): void => undefined;
  wire.onEvent(sessionId, (method, params) => {
    if (method === "Page.lifecycleEvent" && params["frameId"] === targetId) {
      begun.add(params["loaderId"]);
      if (params["name"] === "load") loaded.add(params["loaderId"]);
      onLoaded();
    }
    if (method === "Runtime.exceptionThrown") complaints.push(JSON.stringify(params["exceptionDetails"]));
    const { level, text, url } = (params["entry"] ?? {}) as { level?: string; text?: string; url?: string };
    if (method === "Log.entryAdded" && level === "error") complaints.push(`${text ?? ""} ${url ?? ""}`);
  });
  const send = (method: string, params: Json = {}): Promise<Json> => wire.send(method, params, sessionId);
  for (const domain of ["Page", "Runtime", "Log", "Accessibility"]) await send(`${domain}.enable`);
  await send("Page.setLifecycleEventsEnabled", { enabled: true });
  return {
    send,
    complaints,
    goto: async (url) => {
      const before = new Set(begun);
      const isLoaded = new Promise<void>((resolve) => {
        onLoaded = () => {
          if ([...loaded].some((loader) => !before.has(loader))) resolve();
        };
      });
      const { loaderId } = await send("Page.navigate", { url });
      // Another place in the same document loads nothing.
      if (loaderId !== undefined) await isLoaded;
    },
    setView: async ({ widthPx, heightPx, scheme = "light", reducedMotion = true }) => {
      const mobile = widthPx < 600;
      await send("Emulation.setDeviceMetricsOverride", {
        width: widthPx,
        height: heightPx,
        deviceScaleFactor: 1,
        mobile,
      });
      const motion = { name: "prefers-reduced-motion", value: reducedMotion ? "reduce" : "no-preference" };
      await send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }, motion] });
    },
    evaluate: async <T>(expression: string) => {
      const options = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
      const { result, exceptionDetails } = await send("Runtime.evaluate", options);
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value: T }).value;
    },
    screenshot: async () =>
      Buffer.from((await send("Page.captureScreenshot", { format: "png" }))["data"] as string, "base64"),
    press: async (key) => {
      const event = {
        key,
        code: key,
        windowsVirtualKeyCode: key === "Tab" ? 9 : 13,
        ...(key === "Enter" ? { text: "\r" } : {}),
      };
      await send("Input.dispatchKeyEvent", { type: "keyDown", ...event });
      await send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
    },
    close: async () => {
      await wire.send("Target.closeTarget", { targetId });
    },
    type: async (text) => {
      await send("Input.insertText", { text });
    },
  };
}
