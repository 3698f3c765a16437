/** WebVTT (W3C), as far as a track of thumbnails needs it: cues whose text is a URL. */

export interface VttCue {
  readonly fromUs: number;
  readonly toUs: number;
  /** One line without `-->`. */
  readonly text: string;
}

/** Times count from 0; a cue that would have no length in milliseconds is left out. */
export function formatVtt(cues: readonly VttCue[]): string {
  const blocks = cues.flatMap(({ fromUs, toUs, text }) => {
    const [from, to] = [formatTime(fromUs), formatTime(toUs)];
    return from === to ? [] : [`${from} --> ${to}\n${text}\n`];
  });
  return ["WEBVTT\n", ...blocks].join("\n");
}

/** `hh:mm:ss.ttt`; hours have two digits or more. */
function formatTime(us: number): string {
  const ms = Math.floor(us / 1_000);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const rest = `${two((ms / 60_000) % 60)}:${two((ms / 1_000) % 60)}.${String(ms % 1_000).padStart(3, "0")}`;
  return `${two(ms / 3_600_000)}:${rest}`;
}
