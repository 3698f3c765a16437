/** A row as the API shows it: RFC 3339 and seconds outside, microseconds inside. */
import type { ListedRecording } from "../catalog/listed-recording.js";
import type { RecordingView } from "../contract/recordings.js";
import { formatRfc3339, US_PER_SEC } from "../core/instant.js";
import type { Track } from "../core/recording.js";

export function recordingView(recording: ListedRecording, publicUrl: string | null): RecordingView {
  return {
    id: recording.id,
    path: recording.path,
    startAt: formatRfc3339(recording.startUs),
    endAt: formatRfc3339(recording.endUs),
    durationSec: (recording.endUs - recording.startUs) / US_PER_SEC,
    mediaDurationSec: recording.mediaDurationUs === null ? null : recording.mediaDurationUs / US_PER_SEC,
    bytes: recording.bytes,
    format: recording.format,
    tracks: recording.tracks.map(trackView),
    partial: recording.partial,
    gapBeforeSec: recording.gapBeforeUs === null ? null : recording.gapBeforeUs / US_PER_SEC,
    missingBefore: recording.missingBefore,
    streamId: recording.position?.streamId ?? null,
    segmentNumber: recording.position?.segmentNumber ?? null,
    local: recording.local,
    archive: recording.archive,
    filePath: recording.filePath,
    objectKey: recording.objectKey,
    publicUrl: publicUrlOf(recording, publicUrl),
    sha256: recording.sha256,
    verifiedAt: recording.verifiedAtUs === null ? null : formatRfc3339(recording.verifiedAtUs),
    error: recording.error,
  };
}

/** Only of what is proven: until then nothing may be there, and after a conflict it is other footage. */
function publicUrlOf({ archive, objectKey }: ListedRecording, base: string | null): string | null {
  if (base === null || objectKey === null || archive !== "verified") return null;
  return `${base}/${objectKey.split("/").map(encodeURIComponent).join("/")}`;
}

function trackView(track: Track): RecordingView["tracks"][number] {
  switch (track.kind) {
    case "video":
      return {
        kind: "video",
        codec: track.codec,
        width: track.widthPx,
        height: track.heightPx,
        frameRate: track.frameRate,
      };
    case "audio":
      return { kind: "audio", codec: track.codec, sampleRate: track.sampleRateHz, channels: track.channels };
    case "other":
      return { kind: "other", codec: track.codec };
    default:
      return track satisfies never;
  }
}
