#!/usr/bin/env node
// hook.sh for hosts that have neither curl nor wget but Node: same arguments, environment, hook.env and promises (3 tries,
// at most 5 s in all, exit code 0 always, one line on failure). No fetch: loading it costs more than all the rest.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";

const EVENTS = ["segment-complete", "segment-create", "ready", "not-ready"];
const TRY_MS = [2_000, 1_000, 1_000];
const PAUSE_MS = 400;

/** `NAME=value` lines of hook.env, overruled by what the environment sets. */
function readSettings() {
  const settings = new Map();
  const text = readIfThere(new URL("hook.env", import.meta.url));
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) settings.set(name, value);
  }
  for (const name of ["REELKEEPER_URL", "REELKEEPER_HOOK_SECRET_FILE"]) {
    if (process.env[name]) settings.set(name, process.env[name]);
  }
  return settings;
}

function readIfThere(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function fieldsOf(event, settings) {
  const file = settings.get("REELKEEPER_HOOK_SECRET_FILE");
  const secret = (file ? readIfThere(file).split(/\r?\n/)[0] : "") || settings.get("REELKEEPER_HOOK_SECRET");
  const { MTX_PATH, MTX_SEGMENT_PATH, MTX_SEGMENT_DURATION, MTX_SOURCE_TYPE, MTX_SOURCE_ID } = process.env;
  const fields = event.startsWith("segment-")
    ? { secret, path: MTX_PATH, segmentPath: MTX_SEGMENT_PATH, segmentDuration: MTX_SEGMENT_DURATION }
    : { secret, path: MTX_PATH, sourceType: MTX_SOURCE_TYPE, sourceId: MTX_SOURCE_ID };
  return Object.entries(fields).filter(([, value]) => value);
}

/** Resolves to whether the server took it. */
function send(url, body, timeoutMs) {
  return new Promise((resolve) => {
    const { request } = url.protocol === "https:" ? https : http;
    const headers = { "Content-Type": "application/x-www-form-urlencoded", "Content-Length": Buffer.byteLength(body) };
    const outgoing = request(url, { method: "POST", headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode >= 200 && response.statusCode < 300);
      outgoing.destroy();
    });
    const timer = setTimeout(() => outgoing.destroy(), timeoutMs);
    outgoing.on("error", () => undefined);
    outgoing.on("close", () => {
      clearTimeout(timer);
      resolve(false);
    });
    outgoing.end(body);
  });
}

const [event = ""] = process.argv.slice(2);
if (!EVENTS.includes(event)) {
  console.error(`reelkeeper hook: unknown event, expected ${EVENTS.join(", ")}`);
} else {
  const settings = readSettings();
  const base = settings.get("REELKEEPER_URL") || "http://127.0.0.1:8080";
  const body = new URLSearchParams(fieldsOf(event, settings)).toString();
  let isTold = false;
  for (const timeoutMs of TRY_MS) {
    if (timeoutMs !== TRY_MS[0]) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    isTold = URL.canParse(base) && (await send(new URL(`${base.replace(/\/$/, "")}/hooks/${event}`), body, timeoutMs));
    if (isTold) break;
  }
  if (!isTold) console.error(`reelkeeper hook: ${event} not told to ${base}, the next scan finds it`);
}
