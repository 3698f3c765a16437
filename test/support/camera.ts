/** A camera: ffmpeg's test picture (and a tone) published over RTSP. */
import { type Child, startChild } from "./child.js";
import { waitFor } from "./wait-for.js";

export interface CameraOptions {
  /** rtsp://host:port/path */
  readonly url: string;
  readonly size?: string;
  readonly fps?: number;
  readonly gopSec?: number;
  /** Such as `400k`. */
  readonly bitrate?: string;
  /** true: AAC. */
  readonly audio?: boolean | "g711";
  readonly codec?: "h264" | "h265";
  /** B-frames between references; they reorder the samples. */
  readonly bFrames?: number;
}

export interface Camera {
  readonly child: Child;
  stop(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 20_000;

/** Resolves once ffmpeg sends frames; throws with its output when it ends before. The caller stops it. */
export async function startCamera(options: CameraOptions): Promise<Camera> {
  const child = await startChild("ffmpeg", cameraArguments(options));
  const stop = async (): Promise<void> => {
    await child.stop("SIGKILL");
  };
  try {
    await waitFor(
      `the camera at ${options.url} to send frames`,
      () => {
        if (child.process.exitCode !== null) return "ended" as const;
        return /frame=\s*[1-9]/.test(child.output()) ? ("sends" as const) : undefined;
      },
      { timeoutMs: CONNECT_TIMEOUT_MS },
    );
    if (child.process.exitCode !== null) throw new Error(`the camera at ${options.url} ended: ${child.output()}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { child, stop };
}

function cameraArguments(options: CameraOptions): string[] {
  const fps = options.fps ?? 10;
  const gopFrames = String(Math.max(1, Math.round(fps * (options.gopSec ?? 1))));
  const bitrate = options.bitrate ?? "300k";
  const picture = ["-re", "-f", "lavfi", "-i", `testsrc2=size=${options.size ?? "320x240"}:rate=${fps}`];
  const hasSound = options.audio !== undefined && options.audio !== false;
  const tone = hasSound ? ["-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"] : [];
  const encoder = options.codec === "h265" ? h265(gopFrames, options.bFrames) : h264(gopFrames, options.bFrames);
  const sound = hasSound ? SOUND[options.audio === "g711" ? "g711" : "aac"] : ["-an"];
  return [
    ...["-hide_banner", "-nostdin", "-loglevel", "error", "-stats", "-stats_period", "0.2"],
    ...picture,
    ...tone,
    ...encoder,
    ...["-pix_fmt", "yuv420p", "-b:v", bitrate, "-maxrate", bitrate, "-bufsize", bitrate],
    ...sound,
    ...["-f", "rtsp", "-rtsp_transport", "tcp", options.url],
  ];
}

const SOUND = { aac: ["-c:a", "aac", "-b:a", "64k"], g711: ["-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"] } as const;

function h264(gopFrames: string, bFrames = 0): string[] {
  const gop = ["-g", gopFrames, "-keyint_min", gopFrames, "-sc_threshold", "0", "-bf", String(bFrames)];
  // zerolatency forbids B-frames.
  return ["-c:v", "libx264", "-preset", "ultrafast", ...(bFrames === 0 ? ["-tune", "zerolatency"] : []), ...gop];
}

function h265(gopFrames: string, bFrames = 0): string[] {
  const gop = `keyint=${gopFrames}:min-keyint=${gopFrames}:scenecut=0:bframes=${bFrames}:repeat-headers=1:log-level=none`;
  return ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", gop];
}
