/** Where the paths here, mediamtx.yml and the running MediaMTX say different things, and which of them shall count. */
import { Button } from "@mantine/core";
import { useState } from "react";

import type { ConfigDrift, ResolvedDrift } from "../../api-types.js";
import { Mark } from "../../mark.js";
import type { Marked } from "../../words.js";
import { Listed } from "../admin-table.js";
import { configStrings } from "../config-strings.js";
import { ChangeReview } from "./change-review.js";
import { DriftPlace } from "./drift-place.js";
import { byPlace, chooseAll, type Choices, keyOf, outcomeOf, SIDES, takeOversOf } from "./drift-words.js";
import { resolveDrift, useDrift, useForgetPaths } from "./requests.js";
import { type Review, useReview } from "./use-review.js";

const { drift: words } = configStrings;

interface DriftViewProps {
  readonly onSaid: (text: string) => void;
}

export function DriftView({ onSaid }: DriftViewProps) {
  return (
    <div className="drift" id="drift">
      <p className="quiet">{words.what}</p>
      <Listed asked={useDrift()}>{(drift) => <Drift {...{ drift, onSaid }} />}</Listed>
    </div>
  );
}

interface DriftProps extends DriftViewProps {
  readonly drift: ConfigDrift;
}

function Drift({ drift, onSaid }: DriftProps) {
  const { items, serverError, fileDiffers } = drift;
  const [choices, setChoices] = useState<Choices>({});
  const review = useReview<ResolvedDrift>();
  const forgetPaths = useForgetPaths();
  const choose = (next: Choices): void => {
    review.forget();
    setChoices(next);
  };
  const takeOver = takeOversOf(items, choices);
  const apply = async (): Promise<void> => {
    await resolveDrift(takeOver, { dryRun: false });
    await forgetPaths();
    setChoices({});
    onSaid(words.done);
  };
  return (
    <>
      <Verdict drift={drift} />
      {items.length > 0 && (
        <div className="line" role="group" aria-label={words.chooseAll} id="choose-all">
          <span>{words.chooseAll}</span>
          {SIDES.map((side) => (
            <Button key={side} variant="default" onClick={() => choose(chooseAll(items, side))}>
              {words.all[side]}
            </Button>
          ))}
        </div>
      )}
      {byPlace(items).map((place) => (
        <DriftPlace
          key={place.name}
          {...{ place, choices }}
          canAsk={serverError === null}
          onChoose={(item, side) =>
            choose(side === "table" ? without(choices, keyOf(item)) : { ...choices, [keyOf(item)]: side })
          }
        />
      ))}
      <div role="alert">
        {review.refusal !== undefined && review.preview === undefined && (
          <Mark id="drift-refused" mark={{ kind: "bad", text: review.refusal.message }} />
        )}
      </div>
      {(items.length > 0 || fileDiffers) && (
        <div className="acts">
          <Button
            id="preview-drift"
            variant={items.length > 0 ? "filled" : "default"}
            loading={review.isBusy && review.preview === undefined}
            onClick={() => review.ask(() => resolveDrift(takeOver, { dryRun: true }))}
          >
            {items.length > 0 ? words.preview : words.writeAnew}
          </Button>
        </div>
      )}
      <DriftReview {...{ drift, choices, review }} onApply={() => review.apply(apply)} />
    </>
  );
}

function without(choices: Choices, key: string): Choices {
  return Object.fromEntries(Object.entries(choices).filter(([each]) => each !== key));
}

function Verdict({ drift: { items, serverError, fileDiffers } }: Pick<DriftProps, "drift">) {
  return (
    <div role="status" id="verdict">
      {serverError !== null && <Mark mark={{ kind: "warn", text: words.serverError(serverError) }} />}
      <Mark mark={verdictOf(items.length, { fileDiffers, canAsk: serverError === null })} />
      {items.length > 0 && fileDiffers && <p className="quiet">{words.held}</p>}
    </div>
  );
}

function verdictOf(count: number, of: { readonly fileDiffers: boolean; readonly canAsk: boolean }): Marked {
  if (count > 0) return { kind: "bad", text: words.differ(count) };
  if (of.fileDiffers) return { kind: "good", text: words.onlyWords };
  return { kind: "good", text: of.canAsk ? words.agree : words.agreeTwo };
}

interface DriftReviewProps extends Pick<DriftProps, "drift"> {
  readonly choices: Choices;
  readonly review: Review<ResolvedDrift>;
  readonly onApply: () => void;
}

function DriftReview({ drift: { items, serverError, fileDiffers }, choices, review, onApply }: DriftReviewProps) {
  const { preview, isBusy, refusal, close } = review;
  if (preview === undefined) return null;
  const { warnings, effects } = preview;
  return (
    <ChangeReview
      title={words.reviewTitle}
      applyLabel={words.apply}
      preview={{ warnings, diff: effects?.diff ?? "", reconnects: effects?.reconnects ?? [] }}
      what={
        <>
          <h3>{words.outcomes}</h3>
          <ul className="notes outcomes" id="outcomes">
            {items.map((item) => (
              <li key={keyOf(item)}>{outcomeOf(item, choices)}</li>
            ))}
            {items.length === 0 && <li>{words.outcome.rewritten}</li>}
          </ul>
          {fileDiffers && <p className="quiet">{words.kept}</p>}
          {serverError !== null && <Mark mark={{ kind: "warn", text: words.supposed }} />}
        </>
      }
      isBusy={isBusy}
      failure={refusal?.message}
      onApply={onApply}
      onClose={close}
    />
  );
}
