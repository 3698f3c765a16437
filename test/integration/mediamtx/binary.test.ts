import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { type BinaryRequest, findOrGetMediaMtx } from "../../../src/mediamtx/binary.js";
import { silentLogger } from "../../../src/platform/logger.js";
import { PATIENCE } from "../../support/patience.js";
import { tempDir } from "../../support/temp-dir.js";
import {
  ARCHIVE,
  fakeMediaMtx,
  MACHINE,
  minimalPath,
  type ReleaseServer,
  startReleaseServer,
  writeProgram,
  type Fault,
} from "./release-server.js";

interface Setup {
  readonly directory: string;
  readonly bin: string;
  readonly server: ReleaseServer;
  readonly request: BinaryRequest;
}

async function setUp(options: { readonly fault?: Fault; readonly releaseVersion?: string } = {}): Promise<Setup> {
  const directory = await tempDir();
  const bin = await minimalPath(directory);
  const server = await startReleaseServer(directory, options.releaseVersion ?? "1.21.0", options.fault);
  const request = {
    bin: null,
    version: "1.21.0",
    cacheDir: path.join(directory, "cache"),
    downloadUrl: server.url,
    env: { PATH: bin },
    machine: MACHINE,
    // A busy machine may stand still; what hangs is waited for.
    idleTimeoutMs: options.fault === "hang" ? 300 : 60_000,
  };
  return { directory, bin, server, request };
}

const get = (request: BinaryRequest, log = silentLogger) =>
  findOrGetMediaMtx({ log, signal: AbortSignal.timeout(20_000 * PATIENCE) }, request);

async function cacheContent({ request }: Setup): Promise<string[]> {
  return readdir(path.join(request.cacheDir, "mediamtx"));
}

/** A `go` and an `npm` that answer as the real ones do, and write down what they were asked. */
async function addFakeGo({ directory, bin }: Setup): Promise<string> {
  const source = path.join(directory, "source");
  await mkdir(path.join(source, "internal/servers/hls/hlsjsdownloader"), { recursive: true });
  await writeFile(path.join(source, "internal/servers/hls/hlsjsdownloader/VERSION"), "v1.7.2\n");
  const vendored = "vendor/github.com/bluenviron/mediamtx/internal";
  const log = path.join(directory, "go.log");
  await writeProgram(
    path.join(bin, "go"),
    `#!/bin/sh
echo "go $*" >> ${log}
case "$1" in
list) echo ${source} ;;
mod) mkdir -p ${vendored}/core ${vendored}/servers/hls ;;
build)
  version=$(cat ${vendored}/core/VERSION)
  echo "hls.js: $(cat ${vendored}/servers/hls/hls.min.js) CGO_ENABLED=$CGO_ENABLED" >> ${log}
  printf '#!/bin/sh\\necho %s\\n' "$version" > "$5" ;;
esac
`,
  );
  await writeProgram(
    path.join(bin, "npm"),
    `#!/bin/sh
echo "npm $*" >> ${log}
mkdir -p package/dist
printf 'hls' > package/dist/hls.min.js
tar -czf hls.js-1.7.2.tgz package
`,
  );
  return log;
}

describe("the release download", () => {
  it("downloads, checks and caches the release, then answers from the cache without a request", async () => {
    const setup = await setUp();
    const first = await get(setup.request);
    expect(first).toMatchObject({ version: "1.21.0", origin: "download" });
    expect(setup.server.requested).toEqual(["checksums.sha256", ARCHIVE]);
    expect((await stat(first.path)).mode & 0o777).toBe(0o755);
    expect(await cacheContent(setup)).toEqual([path.basename(first.path)]);
    expect(await get(setup.request)).toEqual({ ...first, origin: "cache" });
    expect(setup.server.requested).toHaveLength(2);
  });

  it("downloads once when several ask at the same time", async () => {
    const setup = await setUp();
    const answers = await Promise.all([get(setup.request), get(setup.request), get(setup.request)]);
    expect(new Set(answers.map((answer) => answer.path)).size).toBe(1);
    expect(setup.server.requested).toEqual(["checksums.sha256", ARCHIVE]);
  });

  it.each([
    ["wrong checksum", /download: .*SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}/],
    ["no checksums", /download: .*checksums\.sha256: Request failed with status code 404/],
    ["other checksums", /download: .*no checksum of mediamtx_v1\.21\.0_linux_amd64\.tar\.gz/],
    ["truncated", /download: .*linux_amd64\.tar\.gz: .*aborted/],
    ["hang", /download: .*nothing received for 300 ms/],
    ["404", /download: .*status code 404/],
  ] as const)("refuses a release with the fault '%s' and leaves nothing in the cache", async (fault, reason) => {
    const setup = await setUp({ fault });
    await expect(get(setup.request)).rejects.toMatchObject({
      kind: "failed-precondition",
      message: expect.stringMatching(reason) as string,
    });
    expect(await cacheContent(setup)).toEqual([]);
    // What cannot be checked is not downloaded in the first place.
    if (fault === "no checksums" || fault === "other checksums") {
      expect(setup.server.requested).toEqual(["checksums.sha256"]);
    }
  });

  it("refuses a release that says another version than the one asked for", async () => {
    const setup = await setUp({ releaseVersion: "1.20.0" });
    await expect(get(setup.request)).rejects.toThrow(/the binary says version 1\.20\.0, expected 1\.21\.0/);
    expect(await cacheContent(setup)).toEqual([]);
  });

  it("stops at once when the signal says so, and leaves nothing in the cache", async () => {
    const setup = await setUp({ fault: "hang" });
    const stop = new AbortController();
    const log = { ...silentLogger, info: () => stop.abort() };
    const request = { ...setup.request, idleTimeoutMs: 15_000 };
    await expect(findOrGetMediaMtx({ log, signal: stop.signal }, request)).rejects.toMatchObject({ kind: "cancelled" });
    expect(await cacheContent(setup)).toEqual([]);
  });
});

describe("the Go build", () => {
  it.each(["404", "wrong checksum"] as const)("follows when the download fails (%s)", async (fault) => {
    const setup = await setUp({ fault });
    const log = await addFakeGo(setup);
    const found = await get(setup.request);
    expect(found).toMatchObject({ version: "1.21.0", origin: "go-build" });
    const calls = (await readFile(log, "utf8")).trim().split("\n");
    expect(calls.map((call) => call.replace(/ -o \S+/, ""))).toEqual([
      "go get -tool github.com/bluenviron/mediamtx@v1.21.0",
      "go list -m -f {{.Dir}} github.com/bluenviron/mediamtx",
      "go mod vendor -e",
      "npm pack --silent hls.js@1.7.2",
      "go build -mod=vendor -buildvcs=false github.com/bluenviron/mediamtx",
      "hls.js: hls CGO_ENABLED=0",
    ]);
    expect(await cacheContent(setup)).toEqual([path.basename(found.path)]);
  });

  it("names every way that was tried, why each failed, and what to do", async () => {
    const setup = await setUp({ fault: "404" });
    const failing = get(setup.request);
    await expect(failing).rejects.toThrow(
      /^find or get MediaMTX 1\.21\.0: nothing worked \(PATH: no mediamtx; cache: no .*; download: .*404; go-build: go is not on PATH\)$/,
    );
    await expect(failing).rejects.toMatchObject({ hint: expect.stringContaining("MEDIAMTX_BIN") as string });
  });

  it("reports the last lines of a build that fails", async () => {
    const setup = await setUp({ fault: "404" });
    await writeProgram(path.join(setup.bin, "go"), "#!/bin/sh\necho 'no network today' >&2\nexit 3\n");
    await expect(get(setup.request)).rejects.toThrow(/go-build: run .*exit code 3, expected 0: no network today/);
  });
});

describe("what is there already", () => {
  it("takes the MediaMTX on PATH before the cache and the download", async () => {
    const setup = await setUp();
    await writeProgram(path.join(setup.bin, "mediamtx"), fakeMediaMtx("1.19.3"));
    const expected = { path: path.join(setup.bin, "mediamtx"), version: "1.19.3", origin: "PATH" };
    expect(await get(setup.request)).toEqual(expected);
    expect(setup.server.requested).toEqual([]);
  });

  it("skips a MediaMTX on PATH that is too old, with a warning", async () => {
    const setup = await setUp();
    await writeProgram(path.join(setup.bin, "mediamtx"), fakeMediaMtx("1.18.0"));
    const warnings: unknown[] = [];
    const log = { ...silentLogger, warn: (_message: string, fields?: object) => warnings.push(fields) };
    expect(await get(setup.request, log)).toMatchObject({ version: "1.21.0", origin: "download" });
    expect(warnings).toEqual([
      {
        file: path.join(setup.bin, "mediamtx"),
        reason: "version 1.18.0, expected 1.x of at least 1.18.1",
      },
    ]);
  });

  it("replaces a cache entry that does not run", async () => {
    const setup = await setUp();
    const { path: file } = await get(setup.request);
    await writeFile(file, (await readFile(file)).subarray(0, 5));
    expect(await get(setup.request)).toEqual({ path: file, version: "1.21.0", origin: "download" });
  });

  it("takes over from an installation that was killed, and removes what it left", async () => {
    const setup = await setUp();
    const directory = path.join(setup.request.cacheDir, "mediamtx");
    await mkdir(path.join(directory, ".tmp-1.21.0-killed"), { recursive: true });
    await mkdir(path.join(directory, ".lock-1.21.0"));
    // The highest process id of Linux is 4194304.
    await writeFile(path.join(directory, ".lock-1.21.0", "pid"), "4194305");
    const found = await get(setup.request);
    expect(await cacheContent(setup)).toEqual([path.basename(found.path)]);
  });

  it("uses MEDIAMTX_BIN when it is given", async () => {
    const setup = await setUp();
    const bin = path.join(setup.directory, "my mediamtx");
    await writeProgram(bin, fakeMediaMtx("1.20.1"));
    expect(await get({ ...setup.request, bin })).toEqual({ path: bin, version: "1.20.1", origin: "MEDIAMTX_BIN" });
  });

  it.each([
    ["is absent", undefined, /cannot be started: .*ENOENT/],
    ["is no MediaMTX", "#!/bin/sh\necho hello\n", /exit code 0 and "hello", expected a version/],
    ["fails", "#!/bin/sh\nexit 7\n", /exit code 7/],
    ["is too old", fakeMediaMtx("1.14.0"), /version 1\.14\.0, expected 1\.x of at least 1\.18\.1/],
  ])("refuses the start when MEDIAMTX_BIN %s, and tries nothing else", async (_what, script, reason) => {
    const setup = await setUp();
    const bin = path.join(setup.directory, "given");
    if (script !== undefined) await writeProgram(bin, script);
    const failing = get({ ...setup.request, bin });
    await expect(failing).rejects.toMatchObject({ kind: "failed-precondition" });
    await expect(failing).rejects.toThrow(/^MEDIAMTX_BIN=".*given" cannot be used: /);
    await expect(failing).rejects.toThrow(reason);
    expect(setup.server.requested).toEqual([]);
  });
});
