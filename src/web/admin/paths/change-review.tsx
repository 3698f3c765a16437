/** What a change would do, before it is applied: whom it disconnects and why, what is worth knowing, the text's difference. */
import { Button } from "@mantine/core";
import type { ReactNode } from "react";

import type { ConfigPreview } from "../../api-types.js";
import { Mark } from "../../mark.js";
import { ModalDialogue } from "../../modal-dialogue.js";
import { pathStrings } from "../path-strings.js";
import { DiffView } from "./diff-view.js";

interface Effects {
  readonly diff: string;
  readonly reconnects: readonly ConfigPreview["reconnects"][number][];
  readonly warnings: readonly ConfigPreview["warnings"][number][];
}

interface ReviewProps {
  readonly title?: string;
  readonly preview: Effects;
  /** What is changed, in words. */
  readonly what?: ReactNode;
  readonly applyLabel?: string;
  readonly isBusy: boolean;
  /** Why it could not be applied. */
  readonly failure: string | undefined;
  readonly onApply: () => void;
  readonly onClose: () => void;
}

export function ChangeReview(props: ReviewProps) {
  const { review } = pathStrings;
  const { title = review.title, applyLabel = review.apply, preview, isBusy, failure, onClose } = props;
  return (
    <ModalDialogue isOpen title={title} onClose={onClose} size="52rem">
      <div className="review">
        {props.what}
        <Reconnects reconnects={preview.reconnects} />
        <Warnings warnings={preview.warnings} />
        <h3>{review.diff}</h3>
        <DiffView diff={preview.diff} label={review.diff} none={review.noDiff} />
        <div role="alert">{failure !== undefined && <Mark mark={{ kind: "bad", text: failure }} />}</div>
        <div className="acts">
          <Button variant="default" onClick={onClose}>
            {review.cancel}
          </Button>
          <Button id="apply" loading={isBusy} onClick={props.onApply}>
            {applyLabel}
          </Button>
        </div>
      </div>
    </ModalDialogue>
  );
}

export function Reconnects({ reconnects }: Pick<Effects, "reconnects">) {
  const { review } = pathStrings;
  if (reconnects.length === 0) return <Mark id="reconnects" mark={{ kind: "good", text: review.nobody }} />;
  return (
    <>
      <h3>{review.reconnects}</h3>
      <ul className="notes" id="reconnects">
        {reconnects.map(({ path, reason }) => (
          <li key={path}>
            <Mark mark={{ kind: "warn", text: `${path}: ${reason}` }} />
          </li>
        ))}
      </ul>
    </>
  );
}

export function Warnings({ warnings }: Pick<Effects, "warnings">) {
  if (warnings.length === 0) return null;
  return (
    <>
      <h3>{pathStrings.review.warnings}</h3>
      <ul className="notes" id="warnings">
        {warnings.map(({ path, field, message }) => (
          <li key={`${path} ${field} ${message}`}>
            <Mark mark={{ kind: "warn", text: `${path}, ${field}: ${message}` }} />
          </li>
        ))}
      </ul>
    </>
  );
}
