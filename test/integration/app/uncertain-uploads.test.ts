/** Uploads whose outcome the network hides, and keys that hold something else. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";

import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";

import { JUDGED_ONCE } from "../../support/patience.js";
import { waitFor } from "../../support/wait-for.js";
import { proxyScene, type ProxyScene } from "./scene.js";

const OF_SEGMENTS = "/recordings/cam1/";
const SEGMENT_PUT = { method: "PUT", url: new RegExp(OF_SEGMENTS) } as const;

describe("an upload", JUDGED_ONCE, () => {
  it("counts as proven by what the store has, when its answer was lost, and is not written again (F22)", async () => {
    const scene = await proxyScene();
    const { app, proxy, server } = scene;
    proxy.inject({ ...SEGMENT_PUT, fault: { kind: "reset-after-body" }, times: 1 });
    await recordOneSegment(scene);
    const stored = await waitFor("the object whose answer is lost", async () => {
      const objectKey = (await app.recordings())[0]?.objectKey;
      if (typeof objectKey !== "string") return undefined;
      const file = path.join(server.bucketDir, objectKey);
      return existsSync(file) && { file, ...(await identity(file)) };
    });
    const [recording] = await app.drained();

    expect(recording).toMatchObject({ archive: "verified", local: "present", error: null });
    const puts = proxy.requests.filter(({ method, url }) => method === "PUT" && url.includes(OF_SEGMENTS));
    expect(puts[0]?.status).toBeUndefined();
    expect(puts.length).toBeGreaterThan(1);
    expect(puts.filter(({ status }) => status === 200)).toEqual([]);
    expect(await identity(stored.file)).toEqual({ ino: stored.ino, mtimeNs: stored.mtimeNs });
    expect(await app.audit()).toMatchObject({ violations: [], counted: { verified: 1, objects: 1 } });
  });

  it("goes beside other content that has its key; both are kept, and the local copy until the proof (F27)", async () => {
    const scene = await proxyScene({ env: { LOCAL_RETENTION: "0s" } });
    const { app, proxy, server } = scene;
    proxy.inject({ ...SEGMENT_PUT, fault: { kind: "status", status: 503 } });
    await recordOneSegment(scene);
    const { key, filePath } = await waitFor("the key to be known", async () => {
      const [recording] = await app.recordings();
      const objectKey = recording?.objectKey;
      return typeof objectKey === "string" && { key: objectKey, filePath: recording?.filePath ?? "" };
    });
    const client = new S3Client({
      endpoint: server.endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
    });
    await client.send(new PutObjectCommand({ Bucket: server.bucket, Key: key, Body: "somebody else's" }));
    client.destroy();
    const localFile = path.join(app.recordDir, filePath);
    const sha256 = await sha256Of(localFile);
    proxy.reset();
    // What goes elsewhere hangs: the state between the conflict and the proof stays.
    const isElsewhere = (url: string): boolean => url.includes(OF_SEGMENTS) && !decodeURIComponent(url).includes(key);
    proxy.inject({ method: "PUT", url: { test: isElsewhere }, fault: { kind: "hang-after-body" } });

    const between = await waitFor("the conflict", async () => {
      const [recording] = await app.recordings();
      return recording?.objectKey !== key && { recording, isHere: existsSync(localFile) };
    });
    expect(between.recording?.archive).not.toBe("verified");
    expect(between.recording?.error).toContain(key);
    expect(between.isHere).toBe(true);
    const warning = app.log().find(({ level, message }) => level === "error" && message.includes("other bytes"));
    expect(warning).toMatchObject({ objectKey: key });

    proxy.reset();
    // Nobody waits for the upload that hangs.
    await app.kill();
    await app.start();
    await app.drained();
    await waitFor("the release", async () => (await app.recordings()).every(({ local }) => local === "released"));
    const [proven] = await app.recordings();
    expect(proven).toMatchObject({ archive: "verified", sha256 });
    expect(await sha256Of(path.join(server.bucketDir, proven?.objectKey ?? ""))).toBe(sha256);
    expect(await readFile(path.join(server.bucketDir, key), "utf8")).toBe("somebody else's");
    await waitFor("the self-test of the start to leave nothing", async () =>
      (await readdir(path.join(server.bucketDir, "recordings"))).every((name) => !name.startsWith("self-test")),
    );
    expect(await app.audit()).toMatchObject({ violations: [], counted: { verified: 1, objects: 2 } });
  });
});

/** One file: the camera goes before a second one begins. */
async function recordOneSegment({ addPath, startCamera, app }: ProxyScene): Promise<void> {
  await addPath("cam1", { recordSegmentDuration: "1h" });
  const camera = await startCamera("cam1");
  await waitFor("a file", async () => (await app.createdFiles()).length > 0);
  await camera.stop();
}

async function identity(file: string): Promise<{ ino: bigint; mtimeNs: bigint }> {
  const { ino, mtimeNs } = await stat(file, { bigint: true });
  return { ino, mtimeNs };
}

async function sha256Of(file: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}
