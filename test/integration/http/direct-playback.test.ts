/** Archived footage that a browser reads from the bucket itself: another origin, with the CORS rule of the README. */
import { cp } from "node:fs/promises";
import path from "node:path";

import { PutBucketCorsCommand, S3Client } from "@aws-sdk/client-s3";
import { expect, it, onTestFinished } from "vitest";

import type { RecordingView } from "../../../src/contract/recordings.js";
import { findBrowser, startBrowser } from "../../support/browser.js";
import { waitFor } from "../../support/wait-for.js";
import { s3Scene } from "../app/scene.js";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const FOOTAGE = path.join(ROOT, "test/fixtures/recordings/v1.20.1/h264-aac");
const BEGINS_AT = "2026-11-20T17:04:43.500Z";

const executable = findBrowser();
/** Elsewhere a missing browser is no failure of the product; CI has one or fails. */
const isSkipped = executable === undefined && process.env["CI"] === undefined;

it.skipIf(isSkipped)("plays in Chromium from the bucket, where nothing is left on disk", async () => {
  if (executable === undefined) throw new Error("there is no Chromium on PATH");
  const { app, addPath, server } = await s3Scene({
    env: { LOCAL_RETENTION: "0s", RECORD_TIMEZONE: "UTC", PLAYBACK_ARCHIVE: "direct" },
  });
  await allowBrowsers(server);
  await addPath("gate");
  await cp(FOOTAGE, path.join(app.recordDir, "gate"), { recursive: true });
  await app.post("/api/v1/scan", {});
  await waitFor(
    "all to be only in the bucket",
    async () => {
      const recordings = await app.recordings();
      return recordings.length === 6 && recordings.every(({ local }) => local === "released");
    },
    { timeoutMs: 60_000 },
  );
  const browser = await startBrowser(executable);
  onTestFinished(() => browser.stop());
  const page = await browser.newPage();
  await page.goto(`${app.url}/?path=gate&at=${BEGINS_AT}&zoom=60`);
  const shown = `document.querySelector("video")?.dataset.wall > ${JSON.stringify(BEGINS_AT)}`;
  await waitFor("the footage", () => page.evaluate<boolean>(shown), { timeoutMs: 30_000 });
  expect(page.complaints.filter((text) => !text.includes("/thumbnail.jpg?"))).toEqual([]);
  const [{ id }] = (await app.recordings({ limit: "1" })) as [RecordingView];
  const answer = await fetch(`${app.url}/api/v1/recordings/${id}/media.mp4`, { redirect: "manual" });
  expect(new URL(answer.headers.get("location") ?? "").origin).toBe(new URL(server.endpoint).origin);
});

/** The rule of the README. */
async function allowBrowsers(server: {
  readonly endpoint: string;
  readonly bucketDir: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}): Promise<void> {
  const client = new S3Client({
    ...{ endpoint: server.endpoint, region: "us-east-1", forcePathStyle: true },
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
  });
  await client.send(
    new PutBucketCorsCommand({
      Bucket: path.basename(server.bucketDir),
      CORSConfiguration: {
        CORSRules: [
          {
            AllowedOrigins: ["*"],
            AllowedMethods: ["GET"],
            AllowedHeaders: ["range"],
            ExposeHeaders: ["content-range", "content-length", "etag"],
          },
        ],
      },
    }),
  );
  client.destroy();
}
