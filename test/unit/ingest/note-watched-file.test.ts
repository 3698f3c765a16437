import { writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, it } from "vitest";

import { GroupCommit } from "../../../src/ingest/group-commit.js";
import { noteWatchedFile, type WatchedFileDeps } from "../../../src/ingest/note-watched-file.js";
import type { FoundFile } from "../../../src/core/found-file.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { RecordingId } from "../../../src/core/recording.js";
import { identityOf } from "../../../src/platform/files.js";
import { silentLogger } from "../../../src/platform/logger.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { tempDir } from "../../support/temp-dir.js";

const FILE = "a.mp4";

/** What the watch recorded, after a hook recorded the file as `hookFound` says. */
async function watched(hookFound: (identity: string) => Partial<FoundFile>): Promise<FoundFile[]> {
  const recordDir = await tempDir();
  await writeFile(path.join(recordDir, FILE), "media");
  const identity = (await identityOf(path.join(recordDir, FILE))) ?? "";
  const recorded: FoundFile[] = [];
  const groupCommit = new GroupCommit((files) => {
    recorded.push(...files);
    return Promise.resolve(files.map(() => ({ id: "id" as RecordingId, finding: "refresh" as const })));
  });
  const name = { path: parsePathName("cam1"), startUs: 0, format: "fmp4" } as const;
  await groupCommit.record({
    ...{ ...name, position: null, filePath: FILE, fileIdentity: identity, bytes: 5, closed: true, origin: "hook" },
    ...hookFound(identity),
  });
  const deps = {
    ...{ recordDir, groupCommit, logger: silentLogger, quietMs: 0, catalog: { clock: createFakeClock() } },
    decodeName: () => name,
    readHead: () => Promise.resolve({ finalised: true, startUs: null, position: null }),
    serverStartedAtUs: () => null,
  } as unknown as WatchedFileDeps;
  await noteWatchedFile(deps, FILE);
  await noteWatchedFile(deps, "absent.mp4");
  return recorded.slice(1);
}

it("leaves a file alone that was recorded as closed and is still the same", async () => {
  expect(await watched(() => ({}))).toEqual([]);
});

it("records a file that was open when a hook told of it, or is another one by now", async () => {
  expect(await watched(() => ({ closed: false }))).toMatchObject([{ filePath: FILE, closed: true }]);
  expect(await watched((identity) => ({ fileIdentity: `${identity}0` }))).toMatchObject([{ filePath: FILE }]);
});
