/** Archive with proof (scan, hashes, put, HEAD, row) beside tuned rclone and beside a bare loop of PUTs, one S3 server. */
import { createReadStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";

import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect, it, onTestFinished } from "vitest";

import { createS3Clients } from "../../src/archive/s3-client.js";
import { startApp } from "../support/app.js";
import { startChild } from "../support/child.js";
import { tempDir } from "../support/temp-dir.js";
import { rcloneBinary } from "../support/tools.js";
import { type S3Server, startS3Server } from "../support/versitygw.js";
import { waitFor } from "../support/wait-for.js";
import { segmentsCounted } from "./support/app-metrics.js";
import { forgetPeak, usageOf } from "./support/process-usage.js";
import { below, IS_QUICK, type Line, percentile, report } from "./support/report.js";
import { writeSegments } from "./support/segments.js";

const CAMERA = "cam1";
const MEBIBYTE = 1_048_576;
const ROUNDS = IS_QUICK ? 1 : 3;
/** [MiB of a file, files, MB/s against rclone] */
const SIZES = IS_QUICK
  ? ([[1, 4, 1]] as const)
  : ([
      [1, 200, 1],
      [16, 40, 1.3],
      [256, 4, 1.3],
    ] as const);
/** As fast as rclone can be made: measured against its defaults before. */
const RCLONE_FLAGS =
  "--transfers 4 --no-traverse --no-check-dest --s3-no-check-bucket --s3-no-head --s3-disable-checksum " +
  "--s3-upload-cutoff 4G --s3-use-unsigned-payload true --use-mmap";

interface Run {
  readonly mbPerSec: number;
  readonly cpuSecPerGb: number;
  readonly peakRssMiB: number;
}

it("archives beside rclone and bare PUTs", async () => {
  const root = await tempDir();
  await mkdir(path.join(root, "s3"));
  const server = await startS3Server({ directory: path.join(root, "s3") });
  onTestFinished(() => server.stop());
  const lines: Line[] = [];
  for (const [mebibytes, files, atLeast] of SIZES) {
    const ours: Run[] = [];
    const rclone: Run[] = [];
    const bare: Run[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const footage = await makeFootage(path.join(root, `footage-${mebibytes}-${round}`), mebibytes, files);
      rclone.push(await runRclone(server, footage));
      bare.push(await runBarePuts(server, footage));
      ours.push(await runReelkeeper(server, footage));
      await rm(footage.directory, { recursive: true, force: true });
      await rm(server.bucketDir, { recursive: true, force: true });
      await mkdir(server.bucketDir);
    }
    lines.push(...linesOf(`${mebibytes} MiB files`, { ours, rclone, bare, atLeast }));
  }
  report("archive", lines);
});

interface Footage {
  readonly directory: string;
  readonly names: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

async function makeFootage(directory: string, mebibytes: number, files: number): Promise<Footage> {
  const segments = { camera: CAMERA, count: files, seconds: 60, bytes: mebibytes * MEBIBYTE };
  const names = await writeSegments(directory, segments);
  const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(directory, name))).size));
  return { directory, names, files, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

interface Runs {
  readonly ours: readonly Run[];
  readonly rclone: readonly Run[];
  readonly bare: readonly Run[];
  readonly atLeast: number;
}

/** The median of each: one round in a noisy moment decides nothing. */
function linesOf(what: string, { ours, rclone, bare, atLeast }: Runs): Line[] {
  const median = (runs: readonly Run[], fact: keyof Run): number =>
    percentile(
      runs.map((run) => run[fact]),
      0.5,
    );
  const against = (name: string, runs: readonly Run[], fact: keyof Run) => ({ name, value: median(runs, fact) });
  return [
    {
      ...{ what: `${what}: archived and proven`, value: median(ours, "mbPerSec"), unit: "MB/s" },
      ...{ against: against("rclone copy", rclone, "mbPerSec"), goal: { atLeast } },
    },
    {
      ...{ what: `${what}: archived and proven`, value: median(ours, "mbPerSec"), unit: "MB/s" },
      against: against("bare PUTs", bare, "mbPerSec"),
    },
    {
      ...{ what: `${what}: CPU`, value: median(ours, "cpuSecPerGb"), unit: "s/GB" },
      ...{ against: against("rclone copy", rclone, "cpuSecPerGb"), goal: { atMost: 1 } },
    },
    below(`${what}: peak RSS`, Math.max(...ours.map(({ peakRssMiB }) => peakRssMiB)), { value: 200, unit: "MiB" }),
  ];
}

async function runReelkeeper(server: S3Server, footage: Footage): Promise<Run> {
  const directory = await tempDir();
  const app = await startApp({ directory, store: { server }, env: { ARCHIVE_READ_BACK_PERCENT: "0" } });
  try {
    await waitFor("the first scan", () => app.log().some(({ message }) => message === "started"));
    await rename(path.join(footage.directory, CAMERA), path.join(app.recordDir, CAMERA));
    forgetPeak(app.pid);
    const before = usageOf(app.pid);
    const startedMs = Date.now();
    await app.request("POST", "/api/v1/scan");
    const isDone = async (): Promise<boolean> => (await segmentsCounted(app, "proven")) === footage.files;
    await waitFor("everything to be proven", isDone, { intervalMs: 200, timeoutMs: 300_000 });
    const after = usageOf(app.pid);
    const proven = await app.recordings({ state: "verified" });
    expect(proven).toHaveLength(footage.files);
    const lastMs = Math.max(...proven.map(({ verifiedAt }) => Date.parse(verifiedAt ?? "")));
    return {
      mbPerSec: footage.bytes / 1e3 / (lastMs - startedMs),
      cpuSecPerGb: (after.cpuSec - before.cpuSec) / (footage.bytes / 1e9),
      peakRssMiB: after.peakRssMiB,
    };
  } finally {
    await app.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function runRclone(server: S3Server, footage: Footage): Promise<Run> {
  const remote =
    `:s3,provider=Other,force_path_style=true,access_key_id=${server.accessKeyId},` +
    `secret_access_key=${server.secretAccessKey},endpoint='${server.endpoint}':${server.bucket}/rclone`;
  const startedMs = performance.now();
  // Its own end tells its CPU time, as the shell counts it.
  const command = `"$0" copy "$1" "$2" --config /dev/null $3; code=$?; cat /proc/$$/stat; exit $code`;
  const child = await startChild("sh", [
    ...["-c", command],
    ...[await rcloneBinary(), footage.directory, remote, RCLONE_FLAGS],
  ]);
  expect(await child.exited, child.output()).toBe(0);
  const sec = (performance.now() - startedMs) / 1_000;
  const stat = child.output().trim().split("\n").at(-1) ?? "";
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // cutime and cstime: of the children that were waited for, in ticks of 10 ms.
  const cpuSec = (Number(fields[13]) + Number(fields[14])) / 100;
  return { mbPerSec: footage.bytes / 1e6 / sec, cpuSecPerGb: cpuSec / (footage.bytes / 1e9), peakRssMiB: 0 };
}

/** What is left when nothing is proven and nothing remembered: the same SDK, four at once. */
async function runBarePuts(server: S3Server, footage: Footage): Promise<Run> {
  const { accessKeyId, secretAccessKey } = server;
  const clients = createS3Clients({
    ...{ endpoint: server.endpoint, region: "us-east-1", connectTimeoutMs: 5_000, idleTimeoutMs: 30_000 },
    credentials: () => ({ accessKeyId, secretAccessKey }),
  });
  const names = [...footage.names];
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const work = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const file = path.join(footage.directory, name);
      const Body = createReadStream(file, { highWaterMark: MEBIBYTE });
      const ContentLength = (await stat(file)).size;
      await clients.upload.send(
        new PutObjectCommand({ Bucket: server.bucket, Key: `bare/${name}`, Body, ContentLength }),
      );
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  const sec = (performance.now() - startedMs) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  clients.close();
  return {
    mbPerSec: footage.bytes / 1e6 / sec,
    cpuSecPerGb: (user + system) / 1e6 / (footage.bytes / 1e9),
    peakRssMiB: 0,
  };
}
