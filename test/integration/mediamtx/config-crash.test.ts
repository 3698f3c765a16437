import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { tempDir } from "../../support/temp-dir.js";

const PUBLISHER = new URL("../../../dist/mediamtx/config-publisher.js", import.meta.url).href;
const CLOCK = new URL("../../../dist/platform/clock.js", import.meta.url).href;
const LOGGER = new URL("../../../dist/platform/logger.js", import.meta.url).href;

/** Longer than a page and than Node's write buffer, so that a torn write would show. */
const config = (word: string): string => `# ${word}\n`.repeat(20_000);

const writeConfig = (configFile: string): string => `
  import { ConfigPublisher } from ${JSON.stringify(PUBLISHER)};
  import { systemClock } from ${JSON.stringify(CLOCK)};
  import { silentLogger } from ${JSON.stringify(LOGGER)};
  await new ConfigPublisher({
    clock: systemClock,
    log: silentLogger,
    configFile: ${JSON.stringify(configFile)},
    fileMode: 0o600,
    render: async () => "# new\\n".repeat(20_000),
    validate: async () => undefined,
    readServer: () => Promise.reject(new Error("not asked")),
  }).writeNow();
`;

describe("a crash while mediamtx.yml is written", () => {
  it.each(["rename", "fsync", "fchmod", "unlink"])(
    "at any %s leaves the old or the new file whole (F56)",
    async (call) => {
      const root = await tempDir();
      let kills = 0;
      for (let nth = 1; ; nth += 1) {
        const directory = path.join(root, String(nth));
        const configFile = path.join(directory, "mediamtx.yml");
        await mkdir(directory);
        await writeFile(configFile, config("old"));
        const inject = `inject=${call}:signal=SIGKILL:when=${nth}`;
        const ended = await run(
          "strace",
          ["-f", "-qq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", inject],
          configFile,
        );
        const left = await readFile(configFile, "utf8");
        if (ended === 0) {
          expect(left).toBe(config("new"));
          break;
        }
        kills += 1;
        expect([config("old"), config("new")]).toContain(left);
        expect(await run(process.execPath, [], configFile)).toBe(0);
        expect(await readFile(configFile, "utf8")).toBe(config("new"));
      }
      expect(kills).toBeGreaterThan(0);
    },
  );
});

/** Runs the script, under a wrapper when there is one; resolves to the exit code, or null when a signal ended it. */
function run(command: string, wrapper: readonly string[], configFile: string): Promise<number | null> {
  const node = ["--input-type=module", "-e", writeConfig(configFile)];
  const args = wrapper.length === 0 ? node : [...wrapper, process.execPath, ...node];
  // One thread for files: strace counts calls per thread.
  const child = spawn(command, args, { env: { ...process.env, UV_THREADPOOL_SIZE: "1" }, stdio: "ignore" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
}
