/** Which codecs this browser does not play, and the server's offer to convert them. */
import { Button } from "@mantine/core";

import type { Timeline, TimelinePath } from "./api-types.js";
import { strings } from "./strings.js";
import { codecName } from "./words.js";

interface UnplayableProps {
  readonly timeline: Timeline | undefined;
  /** Paths that are converted. */
  readonly converted: readonly string[];
  readonly onConvert: (paths: readonly string[]) => void;
}

export function Unplayable({ timeline, converted, onConvert }: UnplayableProps) {
  const paths = timeline?.paths.filter(({ codecs }) => codecs.some(isUnplayable)) ?? [];
  const codecs = [...new Set(paths.flatMap((path) => path.codecs.filter(isUnplayable)).map(codecName))].join(", ");
  if (codecs === "") return null;
  const names = paths.map(({ path }) => path);
  const isOn = names.every((name) => converted.includes(name));
  return (
    <div role="status" className="notice unplayable">
      <span>{isOn ? strings.player.converting(codecs) : strings.player.unplayable(codecs)}</span>
      {timeline?.transcoding.includes("h264") === true && (
        <Button variant="default" onClick={() => onConvert(isOn ? [] : names)}>
          {isOn ? strings.player.asRecorded : strings.player.convert}
        </Button>
      )}
    </div>
  );
}

const isUnplayable = (codec: TimelinePath["codecs"][number]): boolean =>
  !MediaSource.isTypeSupported(`video/mp4; codecs="${codec}"`);
