/** The list with its faces: loading, empty, none of this path, failed, and stale since when. */
import { Button } from "@mantine/core";

import { nowMs } from "./clock.js";
import { EmptyFace, FailedFace, NoneFace } from "./faces.js";
import { Mark } from "./mark.js";
import { useRecordings } from "./queries.js";
import { RecordingsTable, type RecordingsTableProps } from "./recordings-table.js";
import { strings } from "./strings.js";
import type { TimeView } from "./time-scale.js";
import { when } from "./words.js";

interface RecordingsViewProps extends Pick<RecordingsTableProps, "onSay"> {
  readonly paths: readonly string[];
  readonly range: TimeView | undefined;
  readonly onAll: () => void;
}

export function RecordingsView({ paths, range, onAll, onSay }: RecordingsViewProps) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage, dataUpdatedAt } = useRecordings(
    paths,
    range,
  );
  const recordings = data?.pages.flatMap(({ items }) => items) ?? [];
  if (data === undefined && error !== null) return <FailedFace why={error.message} onAgain={() => void refetch()} />;
  if (data !== undefined && recordings.length === 0) {
    return paths.length === 0 ? <EmptyFace /> : <NoneFace onAll={onAll} />;
  }
  const more = (): void => {
    void fetchNextPage().then(({ data: now }) => {
      const shown = now?.pages.reduce((sum, { items }) => sum + items.length, 0) ?? 0;
      onSay(strings.newRecordings(`${String(shown)} recordings`));
    });
  };
  return (
    <div data-view="list">
      {error !== null && (
        <div role="status" className="notice">
          <Mark id="stale" mark={{ kind: "warn", text: strings.stale(when(dataUpdatedAt, nowMs()), error.message) }} />
        </div>
      )}
      <RecordingsTable {...{ recordings, onSay }} isBusy={data === undefined} />
      {hasNextPage && (
        <Button id="older" variant="default" onClick={more} loading={isFetchingNextPage}>
          {strings.older}
        </Button>
      )}
    </div>
  );
}
