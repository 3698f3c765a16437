/** What the bars of the timeline mean: only those that are there. */
import type { TimelinePath } from "./api-types.js";
import { CAUSE_COLOURS } from "./draw-timeline.js";
import { strings } from "./strings.js";

export function Legend({ paths }: { readonly paths: readonly TimelinePath[] }) {
  const spans = paths.flatMap((path) => path.spans);
  const wheres = new Set(spans.flatMap((span) => (span.kind === "footage" ? [span.where] : [])));
  const causes = new Set(spans.flatMap((span) => (span.kind === "gap" ? [span.cause] : [])));
  const kinds = new Set(paths.flatMap(({ events }) => events.map(({ kind }) => kind)));
  return (
    <ul className="legend" aria-label={strings.timeline.legend}>
      {[...wheres].map((where) => (
        <li key={where}>
          <i className="swatch" data-where={where} />
          {strings.where[where]}
        </li>
      ))}
      {[...causes].map((cause) => (
        <li key={cause}>
          <i className="swatch gap" style={{ color: CAUSE_COLOURS[cause] }} />
          {strings.causes[cause]}
        </li>
      ))}
      {[...kinds].map((kind) => (
        <li key={kind}>
          <i className="swatch flag" data-kind={kind} />
          {strings.events[kind]}
        </li>
      ))}
    </ul>
  );
}
