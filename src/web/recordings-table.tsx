/** The list of segments. Whatever the API says is data: it becomes text, never markup. */
import type { MouseEvent } from "react";

import { writeAddress } from "./address.js";
import type { Recording } from "./api-types.js";
import { Mark } from "./mark.js";
import { SaveLink } from "./save-link.js";
import { strings } from "./strings.js";
import { useAddress } from "./use-address.js";
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
  const { id, path, startAt, local, archive } = recording;
  const isThere = local === "present" || archive === "verified";
  const whose = `${path}, ${when(new Date(startAt), nowMs())}`;
  if (!isThere) return null;
  return (
    <>
      <PlayLink {...{ path, startAt, whose }} />
      <SaveLink {...{ href: `api/v1/recordings/${id}/file`, label: strings.table.download, whose, onSay }} />
    </>
  );
}

/** To the day view at this segment; in a tab of its own when it is opened as links can be. */
function PlayLink({ path, startAt, whose }: Pick<Recording, "path" | "startAt"> & { readonly whose: string }) {
  const { address, go } = useAddress();
  const place = { paths: [path], atMs: Date.parse(startAt), zoomMs: address.zoomMs };
  const open = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(place);
    scrollTo({ top: 0 });
  };
  return (
    <a className="play" href={writeAddress(place)} aria-label={`${strings.table.play} ${whose}`} onClick={open}>
      {strings.table.play}
    </a>
  );
}
