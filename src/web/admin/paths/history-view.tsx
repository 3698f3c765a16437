/** Every version of the configuration: who made it and when, what it changed, what is different now, and the way back. */
import { Button } from "@mantine/core";
import { useState } from "react";

import type { ConfigHistory, ConfigVersion } from "../../api-types.js";
import { placeHref } from "../../place.js";
import { Mark } from "../../mark.js";
import { Instant, Listed } from "../admin-table.js";
import { configStrings } from "../config-strings.js";
import { pathStrings } from "../path-strings.js";
import { ChangeReview } from "./change-review.js";
import { DiffView } from "./diff-view.js";
import { previewRollback, rollBack, useForgetPaths, useHistory, useVersion } from "./requests.js";
import { useReview } from "./use-review.js";

type Version = ConfigHistory["items"][number];

const { history } = pathStrings;
const { otherBase } = configStrings;

interface HistoryViewProps {
  /** Of the address; undefined: none is chosen. */
  readonly chosen: number | undefined;
  readonly onSaid: (text: string) => void;
}

export function HistoryView({ chosen, onSaid }: HistoryViewProps) {
  const asked = useHistory();
  return (
    <Listed asked={asked}>
      {({ pages }) => <History versions={pages.flatMap(({ items }) => items)} {...{ asked, chosen, onSaid }} />}
    </Listed>
  );
}

interface HistoryProps extends HistoryViewProps {
  readonly versions: readonly Version[];
  readonly asked: Pick<ReturnType<typeof useHistory>, "hasNextPage" | "fetchNextPage" | "isFetchingNextPage">;
}

function History({ versions, asked, chosen, onSaid }: HistoryProps) {
  const { hasNextPage, fetchNextPage, isFetchingNextPage } = asked;
  if (versions.length === 0) return <p className="quiet">{history.none}</p>;
  const newest = versions[0]?.version;
  return (
    <div className="history">
      <div>
        <ol className="versions" aria-label={history.label}>
          {versions.map((version) => (
            <VersionItem key={version.version} {...{ version, newest, chosen }} />
          ))}
        </ol>
        {hasNextPage && (
          <Button variant="default" onClick={() => void fetchNextPage()} loading={isFetchingNextPage}>
            {history.older}
          </Button>
        )}
      </div>
      {chosen === undefined ? (
        <p className="quiet">{history.choose}</p>
      ) : (
        <ChosenVersion version={chosen} isNewest={chosen === newest} onSaid={onSaid} />
      )}
    </div>
  );
}

interface VersionItemProps extends Pick<HistoryViewProps, "chosen"> {
  readonly version: Version;
  readonly newest: number | undefined;
}

function VersionItem({ version: { version, at, author, summary, reason }, newest, chosen }: VersionItemProps) {
  return (
    <li data-version={version}>
      <a
        className="version"
        href={placeHref("paths", { view: "history", version: String(version) })}
        aria-current={version === chosen ? "true" : undefined}
      >
        <span className="version-head">
          <strong>{history.version(version)}</strong>
          {version === newest && <span className="badge">{history.now}</span>}
          {reason !== "edit" && <span className="badge">{history.reasons[reason]}</span>}
        </span>
        <span>{summary}</span>
        <span className="quiet">
          {author} · <Instant at={at} />
        </span>
      </a>
    </li>
  );
}

interface VersionDetailProps extends Pick<HistoryViewProps, "onSaid"> {
  readonly version: number;
  readonly isNewest: boolean;
}

function ChosenVersion(props: VersionDetailProps) {
  const asked = useVersion(props.version);
  return <Listed asked={asked}>{(data) => <VersionDetail key={props.version} diffs={data} {...props} />}</Listed>;
}

function VersionDetail({ version, diffs, isNewest, onSaid }: VersionDetailProps & { readonly diffs: ConfigVersion }) {
  const [isToNow, setToNow] = useState(false);
  const review = useReview();
  const forgetPaths = useForgetPaths();
  const apply = async (): Promise<void> => {
    const made = await rollBack(version);
    await forgetPaths();
    onSaid([history.done(version, made.version), ...(made.exact ? [] : [history.notExact])].join(" "));
  };
  const [diff, none] = isToNow ? [diffs.diffToNow, history.sameNow] : [diffs.diff, history.samePrevious];
  return (
    <section className="version-detail" aria-label={history.version(version)}>
      <div className="version-acts">
        <div className="switches" role="group" aria-label={history.comparison}>
          <Button variant={isToNow ? "default" : "filled"} aria-pressed={!isToNow} onClick={() => setToNow(false)}>
            {history.toPrevious}
          </Button>
          <Button variant={isToNow ? "filled" : "default"} aria-pressed={isToNow} onClick={() => setToNow(true)}>
            {history.toNow}
          </Button>
        </div>
        {!isNewest && diffs.sameBase && (
          <Button
            id="rollback"
            variant="default"
            loading={review.isBusy && review.preview === undefined}
            onClick={() => review.ask(() => previewRollback(version))}
          >
            {history.rollback}
          </Button>
        )}
      </div>
      <div role="alert">
        {review.refusal !== undefined && review.preview === undefined && (
          <pre className="refusal">{review.refusal.message}</pre>
        )}
      </div>
      {!diffs.sameBase && <OtherBase baseDiff={diffs.baseDiff} />}
      <DiffView diff={diff} label={isToNow ? history.toNow : history.toPrevious} none={none} />
      {review.preview !== undefined && (
        <ChangeReview
          title={history.rollbackTitle(version)}
          preview={review.preview}
          applyLabel={history.rollbackApply}
          isBusy={review.isBusy}
          failure={review.refusal?.message}
          onApply={() => review.apply(apply)}
          onClose={review.close}
        />
      )}
    </section>
  );
}

/** Said before somebody tries. */
function OtherBase({ baseDiff }: Pick<ConfigVersion, "baseDiff">) {
  return (
    <section className="report" id="other-base" aria-label={otherBase.title}>
      <Mark mark={{ kind: "warn", text: otherBase.title }} />
      <p>{otherBase.what}</p>
      <DiffView diff={baseDiff} label={otherBase.label} none={otherBase.none} />
    </section>
  );
}
