/** What ffmpeg and ffprobe, which know nothing of ours, find in a media file. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const OUTPUT = { maxBuffer: 256 << 20 };

export interface ProbedPacket {
  readonly kind: "video" | "audio";
  readonly ptsSec: number;
  readonly dtsSec: number;
  readonly durationSec: number;
  readonly isKey: boolean;
  /** Of its bytes. */
  readonly hash: string;
}

/** All packets of all tracks, in the order of the file. */
export async function probePackets(file: string): Promise<ProbedPacket[]> {
  const entries = "packet=codec_type,pts_time,dts_time,duration_time,flags,data_hash";
  const { stdout } = await run(
    "ffprobe",
    ["-v", "error", "-show_entries", entries, "-show_data_hash", "md5", "-of", "json", `file:${file}`],
    OUTPUT,
  );
  const { packets } = JSON.parse(stdout) as { packets: Record<string, string>[] };
  return packets.map((packet) => ({
    kind: packet["codec_type"] === "video" ? "video" : "audio",
    ptsSec: Number(packet["pts_time"]),
    dtsSec: Number(packet["dts_time"]),
    durationSec: Number(packet["duration_time"]),
    isKey: packet["flags"]?.startsWith("K") === true,
    hash: packet["data_hash"] ?? "",
  }));
}

/** Everything that ffmpeg has to say while it decodes the whole file; empty when nothing. Rejects when it fails. */
export async function decodeWarnings(file: string): Promise<string> {
  const { stderr } = await run("ffmpeg", ["-v", "warning", "-xerror", "-i", `file:${file}`, "-f", "null", "-"], OUTPUT);
  return stderr;
}

/** Everything that ffprobe has to say of the file. */
export async function probeWarnings(file: string): Promise<string> {
  const { stderr } = await run("ffprobe", ["-v", "warning", "-show_streams", "-show_packets", `file:${file}`], OUTPUT);
  return stderr;
}
