/** Whatever comes in from outside: no crash, no hang over 100 ms, no allocation over 64 MiB (F12, F49, F60). */
import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { loadConfig } from "../../../src/config/config.js";
import { readEnv } from "../../../src/config/env.js";
import { VARIABLES } from "../../../src/config/variables.js";
import { segmentHookSchema, sourceHookSchema } from "../../../src/contract/hook.js";
import { parseDurationMs } from "../../../src/core/duration.js";
import { parseRfc3339 } from "../../../src/core/instant.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { decodeCursor, encodeCursor } from "../../../src/http/cursor.js";
import { parseRange } from "../../../src/http/range.js";
import { durationUsOf, ffprobeReport, tracksOf } from "../../../src/media/ffprobe-report.js";
import { parseBaseDocument } from "../../../src/mediamtx/base-document.js";
import { mapSegmentPath } from "../../../src/mediamtx/hook-payload.js";
import { compileRecordPath } from "../../../src/mediamtx/record-path.js";
import { boxesOf } from "../../support/broken-recordings.js";
import { fuzz } from "../../support/fuzz.js";
import { fixture, inspectBytes } from "../media/fixtures.js";
import { PATIENCE } from "../../support/patience.js";

const TIMEOUT_MS = 120_000 * PATIENCE;

/** Text that is nearly right: pieces of right ones, and whatever else. */
function nearly(...pieces: readonly string[]): fc.Arbitrary<string> {
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...pieces) },
    { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 8 }) },
    { weight: 1, arbitrary: fc.nat().map(String) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom("0", "9", "a", ".", "/", "-", "%", " "), fc.nat(5_000))
        .map(([text, times]) => text.repeat(times)),
    },
  );
  return fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(""));
}

describe("the walk over boxes", () => {
  const recordings = [
    "v1.20.1/h264-aac/2026-11-20_17-04-54",
    "v1.20.1/h265-only",
    "v1.20.1/h264-bframes",
    "v1.20.1/killed",
  ]
    .map((name) => readFileSync(fixture(name).filePath))
    .map((bytes) => ({ bytes, boxes: boxesOf(bytes) }));
  const value = fc.oneof(
    fc.constantFrom(0, 1, 7, 8, 15, 16, 0x7fff_ffff, 2 ** 31, 0xffff_ffff),
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.nat(4_096),
  );
  const type = fc.constantFrom("moov", "moof", "trak", "traf", "trun", "tfdt", "stsd", "esds", "hvcC", "mtxi", "free");
  const change = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("set" as const), box: fc.nat(), at: fc.nat(120), value }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("size" as const), box: fc.nat(), value }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("type" as const), box: fc.nat(), type }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), box: fc.nat(), at: fc.nat(40) }) },
  );
  const inputs = fc.record({
    recording: fc.nat({ max: recordings.length - 1 }),
    changes: fc.array(change, { minLength: 1, maxLength: 5 }),
  });

  it(
    "of recordings with changed fields, sizes, types and ends gives whole fragments or a reason",
    () => {
      fuzz({
        inputs,
        runs: 20_000,
        refusals: ["data-loss"],
        call: ({ recording, changes }) => {
          const bytes = mutate(recordings[recording]!, changes);
          const result = inspectBytes(bytes);
          if (result.wholeBytes > bytes.length || !Number.isSafeInteger(result.mediaDurationUs)) {
            throw new Error(`${result.wholeBytes} of ${bytes.length} bytes, ${result.mediaDurationUs} us`);
          }
        },
      });
    },
    TIMEOUT_MS,
  );

  it(
    "of any bytes gives a reason",
    () => {
      const inputs = fc.tuple(
        fc.constantFrom(...recordings.map(({ bytes }) => bytes.subarray(0, 32)), Buffer.alloc(0)),
        fc.uint8Array({ maxLength: 300 }),
      );
      fuzz({
        inputs,
        runs: 3_000,
        refusals: ["data-loss"],
        call: ([head, tail]) => {
          expect(inspectBytes(Buffer.concat([head, tail])).fragments).not.toEqual([]);
        },
      });
    },
    TIMEOUT_MS,
  );

  type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

  /** Near the places that matter: most of a recording is media, which nobody reads. */
  function mutate({ bytes, boxes }: (typeof recordings)[number], changes: readonly Change[]): Buffer {
    let changed = Buffer.from(bytes);
    for (const one of changes) {
      const { start } = boxes[one.box % boxes.length]!;
      if (one.kind === "cut") changed = changed.subarray(0, start + one.at);
      const at = one.kind === "set" ? start + one.at : one.kind === "type" ? start + 4 : start;
      if (at + 4 > changed.length) continue;
      if (one.kind === "type") changed.write(one.type, at, "latin1");
      if (one.kind === "set" || one.kind === "size") changed.writeUInt32BE(one.value, at);
    }
    return changed;
  }
});

describe("the codec of names", () => {
  const codecs = ["%path/%Y-%m-%d/%s-%f", "%path/%Y-%m-%d_%H-%M-%S-%f", "%path/%path_%Y%m%d%H%M%S%z"].map((template) =>
    compileRecordPath(template, { timeZone: "Europe/Berlin" }),
  );

  it(
    "reads any name, or says that it is none; what it reads, it writes",
    () => {
      fuzz({
        inputs: nearly(
          "cam1",
          "site/gate",
          "/",
          "2026-11-20",
          "_17-04-43",
          "-022940",
          "1795133048",
          ".mp4",
          ".ts",
          "..",
          "Z",
          "+0530",
          "2026-10-25_02-30-00",
        ),
        runs: 8_000,
        refusals: [],
        call: (name) => {
          for (const codec of codecs) {
            const decoded = codec.decode(name);
            if (decoded === undefined) continue;
            const again = codec.decode(codec.encode(decoded.path, decoded.startUs, decoded.format));
            expect(again).toEqual(decoded);
          }
        },
      });
    },
    TIMEOUT_MS,
  );

  it(
    "compiles any template, or refuses it",
    () => {
      fuzz({
        inputs: nearly(
          "%path",
          "%Y",
          "%m",
          "%d",
          "%H",
          "%M",
          "%S",
          "%f",
          "%s",
          "%z",
          "/",
          "%",
          "%%",
          "(",
          "[",
          "\\",
          "*",
          "?",
          "-",
        ),
        runs: 3_000,
        refusals: ["invalid-argument"],
        call: (template) => {
          const codec = compileRecordPath(template, { timeZone: "UTC" });
          codec.decode(codec.encode(parsePathName("site/gate"), 1_795_133_048_000_000));
          codec.decode(`${"cam/".repeat(200)}2026`);
        },
      });
    },
    TIMEOUT_MS,
  );
});

describe("what comes by HTTP", () => {
  it(
    "as a Range is a range inside the file, or none",
    () => {
      fuzz({
        inputs: fc.tuple(nearly("bytes=", "bytes", "=", "-", ",", "0", "999", "1e3", " ", "bytes=0-1"), fc.nat(2_000)),
        runs: 8_000,
        refusals: [],
        call: ([header, bytes]) => {
          const verdict = parseRange(header, bytes);
          if (verdict.kind === "part")
            expect(0 <= verdict.start && verdict.start <= verdict.end && verdict.end < bytes).toBe(true);
        },
      });
    },
    TIMEOUT_MS,
  );

  it(
    "as a cursor is ours or refused",
    () => {
      const own = fc
        .tuple(fc.maxSafeInteger(), fc.uuid())
        .map(([startUs, id]) => encodeCursor("newest", { startUs, id: id as never }));
      const changed = fc
        .tuple(own, fc.nat(120), fc.base64String({ maxLength: 4 }))
        .map(([text, at, more]) => text.slice(0, at) + more + text.slice(at + more.length));
      const json = fc.oneof(
        fc.jsonValue({ maxDepth: 3 }).map((is) => JSON.stringify(is)),
        fc.nat(3_000).map((depth) => "[".repeat(depth)),
      );
      fuzz({
        inputs: fc.oneof(
          own,
          changed,
          json.map((text) => Buffer.from(text).toString("base64url")),
          nearly("WyJuZXdlc3Qi", "=", "_"),
        ),
        runs: 6_000,
        refusals: ["invalid-argument"],
        call: (text) => void decodeCursor(text, "newest"),
      });
    },
    TIMEOUT_MS,
  );

  it(
    "as a hook is heard or refused, and its file lies inside the record directory",
    () => {
      const text = nearly(
        "/recordings/",
        "cam1",
        "/",
        "..",
        ".",
        "recordings/",
        "2026-11-20/1795132800-000000.mp4",
        "\0",
        "./",
        "4.0",
      );
      const field = fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) });
      fuzz({
        inputs: fc.record(
          { path: field, segmentPath: field, segmentDuration: field, sourceType: field, sourceId: field },
          { requiredKeys: [] },
        ),
        runs: 6_000,
        refusals: ["invalid-argument"],
        call: (body) => {
          sourceHookSchema.safeParse(body);
          const { success, data } = segmentHookSchema.safeParse({ path: "cam1", ...body });
          if (!success) return;
          const inside = mapSegmentPath(data.segmentPath, { mediamtxRecordDir: "/recordings", recordDir: "/srv/rec" });
          expect(inside.split("/").some((part) => part === "" || part === "." || part === "..")).toBe(false);
        },
      });
    },
    TIMEOUT_MS,
  );

  it(
    "as an instant or a duration is one or refused",
    () => {
      fuzz({
        inputs: nearly(
          "2026-11-20",
          "T",
          "17:04:43",
          ".123456",
          "Z",
          "+05:30",
          "1h",
          "30m",
          "s",
          "ms",
          "-",
          " ",
          "d",
          "1.5",
        ),
        runs: 4_000,
        refusals: ["invalid-argument"],
        call: (given) => {
          for (const parse of [parseRfc3339, parseDurationMs]) {
            try {
              expect(Number.isFinite(parse(given))).toBe(true);
            } catch (error) {
              if ((error as { kind?: string }).kind !== "invalid-argument") throw error;
            }
          }
        },
      });
    },
    TIMEOUT_MS,
  );
});

describe("what a person or a program writes", () => {
  it(
    "into the environment is a configuration or one line",
    () => {
      const value = nearly(
        "1h",
        "0",
        "1",
        "8080",
        "true",
        "http://127.0.0.1:9997",
        "/srv",
        "postgres://u:p@h/d",
        "s3",
        "r2",
        "UTC",
        "%path",
        "$",
        "\n",
        "127.0.0.1",
        "none",
        "embedded",
      );
      const name = fc.constantFrom(...Object.keys(VARIABLES).flatMap((key) => [key, `${key}_FILE`]));
      fuzz({
        inputs: fc.dictionary(name, value, { maxKeys: 5 }),
        runs: 4_000,
        refusals: ["invalid-argument"],
        call: (env) => void loadConfig(readEnv(env), { cwd: "/srv", projectDir: "/opt" }),
      });
    },
    TIMEOUT_MS,
  );

  it(
    "as ffprobe's report is tracks and a duration, or no report",
    () => {
      const word = nearly(
        "video",
        "audio",
        "h264",
        "High",
        "aac",
        "LC",
        "0x100",
        "30000/1001",
        "1/90000",
        "0/0",
        "4.0",
        "N/A",
        "__proto__",
      );
      const stream = fc.dictionary(
        fc.constantFrom(
          "index",
          "id",
          "codec_type",
          "codec_name",
          "profile",
          "level",
          "width",
          "height",
          "avg_frame_rate",
          "time_base",
          "start_time",
          "duration",
          "sample_rate",
          "channels",
        ),
        fc.oneof(word, fc.integer(), fc.double(), fc.jsonValue({ maxDepth: 1 })),
      );
      fuzz({
        inputs: fc.record({
          streams: fc.array(stream, { maxLength: 4 }),
          format: fc.oneof(stream, fc.jsonValue({ maxDepth: 1 })),
        }),
        runs: 4_000,
        refusals: [],
        call: (report) => {
          const { success, data } = ffprobeReport.safeParse(report);
          if (!success) return;
          tracksOf(data);
          durationUsOf(data);
        },
      });
    },
    TIMEOUT_MS,
  );

  it(
    "as base.yml is taken or refused",
    () => {
      const line = nearly(
        "paths:",
        "\n",
        "  ",
        "cam1:",
        " ",
        "source: publisher",
        "pathDefaults:",
        "- ",
        "*a",
        "&a",
        "<<: ",
        "yes",
        "{",
        "}",
        "[",
        "---",
        "#",
        "'",
        '"',
        "!!js",
        "logLevel: info",
        "? ",
        "|",
        ">",
      );
      fuzz({
        inputs: fc.array(line, { maxLength: 6 }).map((lines) => lines.join("\n").slice(0, 20_000)),
        runs: 2_000,
        refusals: ["invalid-argument"],
        call: (text) => void parseBaseDocument(text, { withHooks: true }),
      });
    },
    TIMEOUT_MS,
  );
});
