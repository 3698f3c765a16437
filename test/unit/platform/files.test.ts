import { mkdir, readdir, readFile, realpath, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isInside, resolveInside, writeFileAtomically } from "../../../src/platform/files.js";
import { tempDir } from "../../support/temp-dir.js";

async function rootBesideSecret(): Promise<{ root: string; outside: string }> {
  const directory = await tempDir();
  const root = path.join(directory, "rec");
  const outside = path.join(directory, "rec-secret");
  await mkdir(path.join(root, "cam1"), { recursive: true });
  await mkdir(outside);
  await writeFile(path.join(outside, "a.mp4"), "secret");
  return { root, outside };
}

describe("resolveInside", () => {
  it.each(["cam1/a.mp4", "cam1/../cam1/a.mp4", "./cam1/a.mp4", "cam1//a.mp4", "cam1/-rf %\n\u00e4.mp4", "cam1/...mp4"])(
    "resolves %j inside the root",
    async (relative) => {
      const { root } = await rootBesideSecret();
      expect(await resolveInside(root, relative)).toBe(path.join(root, relative));
    },
  );

  it.each([
    ...["../rec-secret/a.mp4", "cam1/../../rec-secret/a.mp4", "/etc/passwd", "..", ".", "", "cam1/..", "a\0b"],
    `cam1/${"x".repeat(300)}/a.mp4`,
  ])("refuses %j", async (relative) => {
    const { root } = await rootBesideSecret();
    await expect(resolveInside(root, relative)).rejects.toMatchObject({ kind: "invalid-argument" });
  });

  it("refuses a parent that is a link out of the root (F47)", async () => {
    const { root, outside } = await rootBesideSecret();
    await symlink(outside, path.join(root, "cam2"));
    await symlink("..", path.join(root, "up"));
    await mkdir(path.join(root, "deep"));
    await symlink("../cam2", path.join(root, "deep", "twice"));
    for (const relative of ["cam2/a.mp4", "up/a.mp4", "up/rec-secret/a.mp4", "deep/twice/a.mp4"]) {
      await expect(resolveInside(root, relative), relative).rejects.toMatchObject({ kind: "invalid-argument" });
    }
  });

  it("refuses a link to a folder whose name only begins like the root (F47)", async () => {
    const { root, outside } = await rootBesideSecret();
    expect(outside.startsWith(root)).toBe(true);
    await symlink(outside, path.join(root, "twin"));
    await expect(resolveInside(root, "twin/a.mp4")).rejects.toMatchObject({ kind: "invalid-argument" });
  });

  it("refuses a loop of links instead of asking for another try", async () => {
    const { root } = await rootBesideSecret();
    await symlink("loop", path.join(root, "loop"));
    await expect(resolveInside(root, "loop/a.mp4")).rejects.toMatchObject({ kind: "invalid-argument" });
  });

  it("follows a link that stays inside, and answers the real place", async () => {
    const { root } = await rootBesideSecret();
    await symlink("cam1", path.join(root, "alias"));
    expect(await resolveInside(root, "alias/a.mp4")).toBe(path.join(root, "cam1", "a.mp4"));
  });

  it("does not resolve the last part, which the caller opens without following", async () => {
    const { root, outside } = await rootBesideSecret();
    await symlink(path.join(outside, "a.mp4"), path.join(root, "cam1", "a.mp4"));
    expect(await resolveInside(root, "cam1/a.mp4")).toBe(path.join(root, "cam1", "a.mp4"));
  });

  it("says not-found only for a parent that is proven absent", async () => {
    const { root } = await rootBesideSecret();
    await writeFile(path.join(root, "file"), "");
    await expect(resolveInside(root, "cam9/a.mp4")).rejects.toMatchObject({ kind: "not-found" });
    await expect(resolveInside(root, "file/deeper/a.mp4")).rejects.toMatchObject({ kind: "not-found" });
  });

  it("answers only places whose real parent lies inside the root, for any path", async () => {
    const { root, outside } = await rootBesideSecret();
    await symlink(outside, path.join(root, "out"));
    const part = fc.constantFrom("..", ".", "", "cam1", "out", "/", "a.mp4", "rec-secret", "rec", "\0", "%2e%2e", "\\");
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
        let resolved: string;
        try {
          resolved = await resolveInside(root, parts.join("/"));
        } catch {
          return;
        }
        const parent = await realpath(path.dirname(resolved));
        expect(parent === root || parent.startsWith(`${root}/`)).toBe(true);
      }),
    );
  });
});

it("tells inside by whole parts of a path", () => {
  expect(isInside("/rec", "/rec/a")).toBe(true);
  expect(isInside("/", "/a")).toBe(true);
  expect(isInside("/rec", "/rec")).toBe(false);
  expect(isInside("/rec", "/recordings/a")).toBe(false);
});

describe("writeFileAtomically", () => {
  it("replaces content and mode whole, and leaves nothing beside", async () => {
    const directory = await tempDir();
    const file = path.join(directory, "mediamtx.yml");
    await writeFile(file, "a much longer old content", { mode: 0o644 });
    await writeFileAtomically(file, "new", 0o600);
    expect(await readFile(file, "utf8")).toBe("new");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(["mediamtx.yml"]);
  });

  it("never shows a reader a part of the content", async () => {
    const file = path.join(await tempDir(), "mediamtx.yml");
    const contents = ["a".repeat(200_000), "b".repeat(200_000)];
    await writeFileAtomically(file, contents[0]!);
    const seen = new Set<string>();
    const done = new AbortController();
    const reader = (async () => {
      while (!done.signal.aborted) seen.add(await readFile(file, "utf8"));
    })();
    for (let round = 0; round < 20; round += 1) await writeFileAtomically(file, contents[round % 2]!);
    done.abort();
    await reader;
    expect([...seen].filter((text) => !contents.includes(text))).toEqual([]);
  });

  it("keeps the old content and leaves nothing beside when it fails", async () => {
    const directory = await tempDir();
    const taken = path.join(directory, "taken");
    await mkdir(path.join(taken, "full"), { recursive: true });
    await expect(writeFileAtomically(taken, "new")).rejects.toThrow();
    expect(await readdir(directory)).toEqual(["taken"]);
    await expect(writeFileAtomically(path.join(directory, "absent", "f"), "new")).rejects.toMatchObject({
      code: "ENOENT",
    });
  });

  it("lets many writers of one file end with the content of one of them", async () => {
    const directory = await tempDir();
    const file = path.join(directory, "f");
    const contents = Array.from({ length: 8 }, (_, index) => String(index).repeat(5_000));
    await Promise.all(contents.map((content) => writeFileAtomically(file, content)));
    expect(contents).toContain(await readFile(file, "utf8"));
    expect(await readdir(directory)).toEqual(["f"]);
  });
});
