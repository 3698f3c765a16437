/** The list of segments. Whatever the API says is data: it becomes text, never markup. */
import { useRef, useState, type MouseEvent } from "react";

import type { Recording } from "./api-types.js";
import { Mark } from "./mark.js";
import { download, token } from "./request.js";
import { strings } from "./strings.js";
import { bothClocks, clock, day, length, media, notesOf, size, stateOf, when } from "./words.js";
import { nowMs } from "./clock.js";

export interface RecordingsTableProps {
  readonly recordings: readonly Recording[];
  readonly isBusy: boolean;
  readonly onSay: (text: string) => void;
}

export function RecordingsTable({ recordings, isBusy, onSay }: RecordingsTableProps) {
  const rows = recordings.map((recording, index) => {
    const before = recordings[index - 1];
    const isNewDay = before === undefined || day(new Date(before.startAt)) !== day(new Date(recording.startAt));
    return <Row key={recording.id} {...{ recording, isNewDay, onSay }} />;
  });
  return (
    <table role="table" className="segments" aria-label={strings.table.label}>
      <thead role="rowgroup">
        <tr role="row">
          {strings.table.columns.map((name) => (
            <th role="columnheader" key={name} className={name === "Day" || name === "Notes" ? "unseen" : ""}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup" id="rows" aria-busy={isBusy}>
        {rows}
      </tbody>
    </table>
  );
}

interface RowProps extends Pick<RecordingsTableProps, "onSay"> {
  readonly recording: Recording;
  readonly isNewDay: boolean;
}

function Row({ recording, isNewDay, onSay }: RowProps) {
  const { path, startAt, tracks, bytes, durationSec, local } = recording;
  const start = new Date(startAt);
  return (
    <tr role="row">
      <td role="cell" className={isNewDay ? "day" : "day unseen"}>
        {day(start)}
      </td>
      <td role="cell" className="start">
        <time dateTime={startAt} title={bothClocks(startAt)}>
          {clock(start)}
        </time>
      </td>
      <td role="cell" className="path">
        {path}
      </td>
      <td role="cell" className="state">
        <Mark mark={stateOf(recording)} />
      </td>
      <td role="cell" className="length">
        {durationSec > 0 ? length(durationSec) : ""}
      </td>
      <td role="cell" className="media">
        {media(tracks)}
      </td>
      <td role="cell" className="size">
        {local === "open" ? "" : size(bytes)}
      </td>
      <td role="cell" className="file">
        <FileLinks {...{ recording, onSay }} />
      </td>
      <td role="cell" className="notes">
        {notesOf(recording).map((note) => (
          <Mark key={note.kind} mark={note} />
        ))}
      </td>
    </tr>
  );
}

function FileLinks({ recording, onSay }: Omit<RowProps, "isNewDay">) {
  const { id, path, startAt, local, archive, format } = recording;
  const isThere = local === "present" || archive === "verified";
  const [percent, setPercent] = useState<number>();
  const running = useRef<AbortController>(undefined);
  const whose = `${path}, ${when(new Date(startAt), nowMs())}`;
  /** Shows how far it is; a second click stops it. A link cannot send the token. */
  const save = (event: MouseEvent): void => {
    if (token() === null) return;
    event.preventDefault();
    if (running.current !== undefined) {
      running.current.abort();
      return;
    }
    const stop = (running.current = new AbortController());
    void download(`/api/v1/recordings/${id}/file`, stop.signal, setPercent)
      .catch((error: unknown) => {
        if (!stop.signal.aborted) onSay(strings.table.downloadFailed(error instanceof Error ? error.message : ""));
      })
      .finally(() => {
        running.current = undefined;
        setPercent(undefined);
      });
  };
  if (!isThere) return null;
  const label = percent === undefined ? strings.table.download : strings.table.stop(percent);
  return (
    <>
      {/* Browsers play no MPEG-TS; and a new tab cannot send the token, so that with one only the download is left. */}
      {format === "fmp4" && token() === null && (
        <a
          className="play"
          target="_blank"
          rel="noreferrer"
          href={`/api/v1/recordings/${id}/file`}
          aria-label={`${strings.table.play} ${whose}`}
        >
          {strings.table.play}
        </a>
      )}
      <a
        className="save"
        download
        href={`/api/v1/recordings/${id}/file`}
        aria-label={percent === undefined ? `${label} ${whose}` : label}
        onClick={save}
      >
        {label}
      </a>
    </>
  );
}
