import { existsSync } from "node:fs";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { segmentHookSchema, sourceHookSchema } from "../../../src/contract/hook.js";
import { renderConfig } from "../../../src/mediamtx/config-document.js";
import { mapSegmentPath } from "../../../src/mediamtx/hook-payload.js";
import { createNameDecoder } from "../../../src/mediamtx/record-path.js";
import { startCamera } from "../../support/camera.js";
import { freeMediaMtxPorts, startMediaMtx } from "../../support/mediamtx-server.js";
import { tempDir } from "../../support/temp-dir.js";
import type { TestedMediaMtxVersion } from "../../support/tools.js";
import { waitFor } from "../../support/wait-for.js";
import { PATIENCE } from "../../support/patience.js";

const shell = (file: string): string => `sh "${file}"`;
const node = (file: string): string => `"${process.execPath}" "${file}"`;
const CASES: readonly (readonly [string, TestedMediaMtxVersion, (file: string) => string])[] = [
  ["hook.sh", "1.21.0", shell],
  ["hook.mjs", "1.21.0", node],
  ["hook.sh", "1.19.3", shell],
];
const MTX_STOP_LIMIT_MS = 7_000 * PATIENCE;

interface Listener {
  readonly url: string;
  readonly received: Map<string, Record<string, string>[]>;
  /** From now on requests are taken and never answered. */
  hang(): void;
}

async function listen(): Promise<Listener> {
  const received = new Map<string, Record<string, string>[]>();
  let isHanging = false;
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const event = request.url?.replace("/hooks/", "") ?? "";
      const fields = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
      received.set(event, [...(received.get(event) ?? []), fields]);
      if (!isHanging) response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const hang = (): void => void (isHanging = true);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received, hang };
}

describe("the hooks that MediaMTX runs", () => {
  it.each(CASES)(
    "tell by %s in %s which stream came and which file was closed, and never hold it up (F2)",
    async (script, version, commandOf) => {
      const directory = path.join(await tempDir(), "a folder");
      await mkdir(directory);
      const [listener, ports] = [await listen(), await freeMediaMtxPorts()];
      await copyFile(new URL(`../../../mediamtx/${script}`, import.meta.url), path.join(directory, script));
      await writeFile(
        path.join(directory, "hook.env"),
        `REELKEEPER_URL=${listener.url}\nREELKEEPER_HOOK_SECRET=a&b=c\n`,
      );
      const recordDir = path.join(directory, "recordings");
      const config = renderConfig({
        baseYaml: [
          "hls: false",
          "webrtc: false",
          "srt: false",
          "rtspTransports: [tcp]",
          `rtspAddress: :${ports.rtsp}`,
          `rtmpAddress: :${ports.rtmp}`,
          `playbackAddress: :${ports.playback}`,
          `metricsAddress: :${ports.metrics}`,
          "paths: { all_others: { record: true, recordSegmentDuration: 1s, recordPartDuration: 200ms } }",
        ].join("\n"),
        paths: [],
        recordDir,
        hookCommand: commandOf(path.join(directory, script)),
        api: { address: `127.0.0.1:${ports.api}`, user: "reelkeeper", password: "correct horse" },
        mode: "embedded",
        listen: "loopback",
        version,
      });
      const server = await startMediaMtx({ version, directory, config });
      onTestFinished(() => server.stop());
      const camera = await startCamera({ url: server.rtspUrl("site/gate") });
      onTestFinished(() => camera.stop());

      const ready = await waitFor("the ready hook", () => listener.received.get("ready")?.[0]);
      expect(sourceHookSchema.parse(ready)).toMatchObject({
        secret: "a&b=c",
        path: "site/gate",
        sourceType: "rtspSession",
      });
      await waitFor("the create hook", () => listener.received.get("segment-create")?.[0]);
      const complete = await waitFor("the complete hook", () => listener.received.get("segment-complete")?.[0]);
      const hook = segmentHookSchema.parse(complete);
      expect(hook).toMatchObject({ secret: "a&b=c", path: "site/gate" });
      expect(hook.segmentDuration).toBeGreaterThanOrEqual(1);
      const relative = mapSegmentPath(hook.segmentPath, { mediamtxRecordDir: recordDir, recordDir: "/elsewhere" });
      expect(existsSync(path.join(recordDir, relative))).toBe(true);
      expect(createNameDecoder({ templates: [], timeZone: "UTC" })(relative)).toMatchObject({
        path: "site/gate",
        zoneProof: true,
        nameIsUnique: true,
      });

      const count = (event: string): number => listener.received.get(event)?.length ?? 0;
      await waitFor("an open file", () => count("segment-create") > count("segment-complete"));
      const told = count("segment-complete");
      listener.hang();
      const startMs = performance.now();
      await server.stop();
      expect(performance.now() - startMs).toBeLessThan(MTX_STOP_LIMIT_MS);
      expect(count("segment-complete")).toBeGreaterThan(told);
      expect(listener.received.get("not-ready")?.[0]).toMatchObject({ path: "site/gate" });
    },
  );
});
