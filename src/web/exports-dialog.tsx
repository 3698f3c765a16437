/** Clips that are made in the background: how far each is, what has become of it, and until when it is kept. */
import { useMutation } from "@tanstack/react-query";

import type { Export } from "./api-types.js";
import { nowMs } from "./clock.js";
import { Mark } from "./mark.js";
import { hasRole, useMe } from "./me.js";
import { ModalDialogue } from "./modal-dialogue.js";
import { useExports } from "./queries.js";
import { send } from "./request.js";
import { SaveLink } from "./save-link.js";
import { strings } from "./strings.js";
import { clock, exportStateOf, length, size, when } from "./words.js";

interface ExportsDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onSay: (text: string) => void;
}

export function ExportsDialog({ isOpen, onClose, onSay }: ExportsDialogProps) {
  return (
    <ModalDialogue {...{ isOpen, title: strings.exports.title, onClose }}>
      <ExportList onSay={onSay} />
    </ModalDialogue>
  );
}

/** Asked for only while it is seen. */
function ExportList({ onSay }: Pick<ExportsDialogProps, "onSay">) {
  const { data, error } = useExports();
  if (data === undefined)
    return <p role="status">{error === null ? strings.player.loading : strings.exports.failed}</p>;
  if (data.items.length === 0) return <p>{strings.exports.none}</p>;
  return (
    <ul className="exports" aria-label={strings.exports.title}>
      {data.items.map((one) => (
        <ExportRow key={one.id} {...{ one, onSay }} />
      ))}
    </ul>
  );
}

interface ExportRowProps extends Pick<ExportsDialogProps, "onSay"> {
  readonly one: Export;
}

function ExportRow({ one, onSay }: ExportRowProps) {
  const { id, path, from, to, state, progress, bytes, error, expiresAt } = one;
  const words = strings.exports;
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  const whose = `${path}, ${when(fromMs, nowMs())}`;
  const mayEnd = hasRole(useMe(), "operator");
  const isWaiting = state === "queued" || state === "running";
  return (
    <li data-state={state}>
      <div className="what">
        <strong>{path}</strong>
        <span>{`${when(fromMs, nowMs())} – ${clock(toMs)}, ${length((toMs - fromMs) / 1_000)}`}</span>
      </div>
      <Mark mark={exportStateOf(one)} />
      {isWaiting && <progress value={progress} aria-label={words.progress(Math.floor(100 * progress))} />}
      {error !== null && <p className="quiet">{error}</p>}
      {state === "done" && (
        <p className="quiet">
          {[
            bytes === null ? "" : size(bytes),
            expiresAt === null ? "" : words.until(when(Date.parse(expiresAt), nowMs())),
          ]
            .filter((text) => text !== "")
            .join(" · ")}
        </p>
      )}
      <div className="line">
        {state === "done" && (
          <SaveLink {...{ href: `api/v1/exports/${id}/file`, label: words.download, whose, onSay }} />
        )}
        {mayEnd && (isWaiting || state === "done") && <EndButton {...{ one, whose, onSay }} />}
      </div>
    </li>
  );
}

function EndButton({ one, whose, onSay }: ExportRowProps & { readonly whose: string }) {
  const { refetch } = useExports();
  const label = one.state === "done" ? strings.exports.remove : strings.exports.cancel;
  const end = useMutation({
    mutationFn: () => send<Export>("DELETE", `api/v1/exports/${one.id}`),
    onError: (error) => onSay(error.message),
    onSettled: () => void refetch(),
  });
  return (
    <button className="chip" aria-label={`${label} ${whose}`} disabled={end.isPending} onClick={() => end.mutate()}>
      {label}
    </button>
  );
}
