/** The colours of the style sheet for the canvas, anew when light and dark change places. */
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useState } from "react";

import type { Colours } from "./draw-timeline.js";

function read(): Colours {
  const probe = document.createElement("i");
  document.body.append(probe);
  const of = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    text: of("text"),
    quiet: of("quiet"),
    line: of("line"),
    page: of("page"),
    accent: of("accent"),
    bad: of("bad"),
    footage: of("accent"),
  };
  probe.remove();
  return colours;
}

export function useColours(): Colours {
  const scheme = useComputedColorScheme("light");
  const [colours, setColours] = useState(read);
  useEffect(() => setColours(read()), [scheme]);
  return colours;
}
