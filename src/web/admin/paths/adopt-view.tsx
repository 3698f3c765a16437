/** An existing mediamtx.yml: what would become of each part of it, and only then the adoption. */
import { Button, Textarea } from "@mantine/core";
import { useState } from "react";

import type { ConfigAdopted } from "../../api-types.js";
import { Mark } from "../../mark.js";
import { ModalDialogue } from "../../modal-dialogue.js";
import { placeHref } from "../../place.js";
import { configStrings } from "../config-strings.js";
import { AdoptReport, blockingIn, changesBase, changesNothing, commandsIn } from "./adopt-report.js";
import { FileButton } from "./file-button.js";
import { adoptConfig, type GivenConfig, useForgetPaths } from "./requests.js";
import { type Review, useReview } from "./use-review.js";

const { adopt: words } = configStrings;

const NOTHING: GivenConfig = { yaml: "", leaveCommands: false };

export function AdoptView() {
  const { given, change, setFileError, fileError, review, apply, done, again } = useAdoption();
  const { preview: report, refusal, isBusy } = review;
  if (done !== undefined) return <Done report={done} onAgain={again} />;
  return (
    <form
      className="import"
      id="adopt"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        review.ask(() => adoptConfig(given, { dryRun: true }));
      }}
    >
      <p className="quiet">{words.what}</p>
      <div>
        <FileButton
          id="adopt-file"
          label={words.file}
          accept=".yml,.yaml,application/yaml"
          onText={(yaml) => change({ yaml })}
          onTooLarge={() => setFileError(words.tooLarge)}
        />
      </div>
      <Textarea
        id="adopt-text"
        label={words.text}
        rows={14}
        value={given.yaml}
        error={fileError === "" ? (refusal?.fields["yaml"] ?? false) : fileError}
        onChange={({ currentTarget }) => change({ yaml: currentTarget.value })}
        spellCheck={false}
        autoComplete="off"
      />
      <div role="alert">
        {refusal !== undefined && refusal.fields["yaml"] === undefined && (
          <Mark mark={{ kind: "bad", text: refusal.message }} />
        )}
      </div>
      <div className="acts">
        <Button
          type="submit"
          id="check-adopt"
          disabled={given.yaml.trim() === ""}
          loading={isBusy && report === undefined}
        >
          {words.check}
        </Button>
      </div>
      {report !== undefined && <Checked {...{ report, review, apply }} />}
    </form>
  );
}

/** The report is of the text as it is: with each change it goes. */
function useAdoption() {
  const [given, setGiven] = useState(NOTHING);
  const [fileError, setFileError] = useState("");
  const [done, setDone] = useState<ConfigAdopted>();
  const review = useReview<ConfigAdopted>();
  const forgetPaths = useForgetPaths();
  const carryOut = async (leaveCommands: boolean): Promise<void> => {
    const report = await adoptConfig({ ...given, leaveCommands }, { dryRun: false });
    await forgetPaths();
    setGiven(NOTHING);
    setDone(report);
  };
  return {
    ...{ given, fileError, setFileError, review, done },
    change: (to: Partial<GivenConfig>) => {
      setGiven({ ...given, ...to });
      setFileError("");
      review.forget();
    },
    apply: (leaveCommands: boolean) => review.apply(() => carryOut(leaveCommands)),
    again: () => {
      review.forget();
      setDone(undefined);
    },
  };
}

interface CheckedProps {
  readonly report: ConfigAdopted;
  readonly review: Review<ConfigAdopted>;
  readonly apply: (leaveCommands: boolean) => void;
}

function Checked({ report, review, apply }: CheckedProps) {
  const [leaves, setLeaves] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const commands = commandsIn(report);
  const isReady = blockingIn(report).length === 0 && (commands.length === 0 || leaves);
  return (
    <>
      <AdoptReport {...{ report, leaves }} onLeave={setLeaves}>
        <Button id="adopt-ask" disabled={!isReady || changesNothing(report)} onClick={() => setAsking(true)}>
          {words.apply}
        </Button>
      </AdoptReport>
      <ModalDialogue isOpen={isAsking} title={words.title} onClose={() => setAsking(false)}>
        <div className="review" id="adopt-question">
          <ul className="outcomes">
            {willBe(report, leaves).map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
          <div role="alert">
            {review.refusal !== undefined && <Mark mark={{ kind: "bad", text: review.refusal.message }} />}
          </div>
          <div className="acts">
            <Button variant="default" onClick={() => setAsking(false)}>
              {words.back}
            </Button>
            <Button id="adopt-apply" loading={review.isBusy} onClick={() => apply(leaves)}>
              {words.apply}
            </Button>
          </div>
        </div>
      </ModalDialogue>
    </>
  );
}

function willBe(report: ConfigAdopted, leaves: boolean): readonly string[] {
  const { add, base, history, commands } = words.will;
  return [
    ...(report.create.length > 0 ? [add(report.create.length)] : []),
    ...(changesBase(report) ? [base, history] : []),
    ...(leaves ? [commands] : []),
  ];
}

function Done({ report, onAgain }: { readonly report: ConfigAdopted; readonly onAgain: () => void }) {
  return (
    <section className="face" id="adopted" aria-live="polite">
      <Mark mark={{ kind: "good", text: words.done(report.create.length) }} />
      {changesBase(report) && <p>{words.baseDone}</p>}
      <div className="line">
        <Button component="a" id="to-history" href={placeHref("paths", { view: "history" })}>
          {words.toHistory}
        </Button>
        <Button component="a" variant="default" href={placeHref("paths")}>
          {words.toList}
        </Button>
        <Button variant="default" onClick={onAgain}>
          {words.another}
        </Button>
      </div>
    </section>
  );
}
