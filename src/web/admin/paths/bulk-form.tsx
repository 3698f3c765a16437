/** One change of many paths: only the fields that somebody adds here, previewed together, applied together or not at all. */
import { Button, CloseButton, NativeSelect } from "@mantine/core";
import { useState } from "react";

import type { BatchReport } from "../../api-types.js";
import { Mark } from "../../mark.js";
import { ModalDialogue } from "../../modal-dialogue.js";
import { pathStrings } from "../path-strings.js";
import { ChangedFields } from "./changed-fields.js";
import { ChangeReview } from "./change-review.js";
import { type Draft, errorsByField, type Field, fieldsOf } from "./fields.js";
import { changePaths, useForgetPaths, useSettings, useTemplates } from "./requests.js";
import { SECTIONS } from "./kinds.js";
import { SettingInput } from "./setting-input.js";
import { type Review, useReview } from "./use-review.js";

const { bulk, form, review: reviewWords, sections } = pathStrings;

interface BulkFormProps {
  readonly names: readonly string[];
  readonly onDone: (text: string) => void;
  readonly onClose: () => void;
}

const NO_EFFECTS = { diff: "", reconnects: [] } as const;

export function BulkForm({ names, onDone, onClose }: BulkFormProps) {
  const [settings, templates] = [useSettings(), useTemplates()];
  const [draft, setDraft] = useState<Draft>({});
  const review = useReview<BatchReport>();
  const forgetPaths = useForgetPaths();
  const fields = fieldsOf(undefined, settings.data?.items ?? [], templates.data?.items ?? []);
  const { preview } = review;
  const onDraft = (next: Draft): void => {
    review.cancel();
    setDraft(next);
  };
  const apply = async (): Promise<void> => {
    const { changed } = await changePaths({ names, patch: draft, dryRun: false });
    await forgetPaths();
    onDone(bulk.done(changed.length));
  };
  if (preview === undefined) {
    return (
      <ModalDialogue isOpen title={bulk.title(names.length)} onClose={onClose} size="40rem">
        <Chosen {...{ names, fields, draft, review, onClose, onDraft }} />
      </ModalDialogue>
    );
  }
  const { changed, unchanged, warnings, effects } = preview;
  return (
    <ChangeReview
      preview={{ warnings, ...(effects ?? NO_EFFECTS) }}
      what={
        <>
          <p id="bulk-report">{reviewWords.paths(changed.length, unchanged.length)}</p>
          <ChangedFields {...{ fields, draft }} />
        </>
      }
      isBusy={review.isBusy}
      failure={review.refusal?.message}
      onApply={() => review.apply(apply)}
      onClose={review.close}
    />
  );
}

interface DraftProps {
  readonly draft: Draft;
  readonly onDraft: (draft: Draft) => void;
}

interface ChosenProps extends DraftProps, Pick<BulkFormProps, "names" | "onClose"> {
  readonly fields: readonly Field[];
  readonly review: Review<BatchReport>;
}

function Chosen({ names, fields, draft, onDraft, review, onClose }: ChosenProps) {
  const errors = errorsByField(review.refusal?.fields ?? {}, new Set(Object.keys(draft)));
  const chosen = Object.keys(draft).flatMap((name) => fields.find((field) => field.name === name) ?? []);
  return (
    <form
      className="bulk"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        review.ask(() => changePaths({ names, patch: draft, dryRun: true }));
      }}
    >
      <p className="quiet">{bulk.what}</p>
      <p className="names">{names.join(", ")}</p>
      {chosen.map((field) => (
        <BulkField key={field.name} {...{ field, draft, onDraft }} error={errors[field.name]} />
      ))}
      <AddField fields={fields.filter((field) => !chosen.includes(field))} {...{ draft, onDraft }} />
      <div role="alert">
        {review.refusal !== undefined && <Mark mark={{ kind: "bad", text: review.refusal.message }} />}
      </div>
      <div className="acts">
        <Button variant="default" onClick={onClose}>
          {reviewWords.cancel}
        </Button>
        <Button type="submit" id="preview-bulk" disabled={chosen.length === 0} loading={review.isBusy}>
          {form.preview}
        </Button>
      </div>
    </form>
  );
}

function AddField({ fields, draft, onDraft }: DraftProps & { readonly fields: readonly Field[] }) {
  const add = (name: string): void => {
    const field = fields.find((one) => one.name === name);
    if (field !== undefined) onDraft({ ...draft, [name]: firstValue(field) });
  };
  return (
    <NativeSelect
      id="add-field"
      aria-label={bulk.addLabel}
      value=""
      onChange={({ currentTarget }) => add(currentTarget.value)}
    >
      <option value="">{bulk.add}</option>
      {SECTIONS.map((section) => (
        <optgroup key={section} label={sections[section]}>
          {fields
            .filter((field) => field.section === section && field.unsupported === undefined)
            .map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
        </optgroup>
      ))}
    </NativeSelect>
  );
}

/** A switch and a choice show one value or another; of all else the default, until somebody types. */
function firstValue({ kind, inherited, own, choices }: Field): unknown {
  if (kind === "boolean") return (own ?? inherited) === true;
  if (kind === "choice") return own ?? inherited ?? choices[0] ?? null;
  return own ?? null;
}

interface BulkFieldProps extends DraftProps {
  readonly field: Field;
  readonly error: string | undefined;
}

function BulkField({ field, draft, error, onDraft }: BulkFieldProps) {
  const { name } = field;
  const drop = (): void => onDraft(Object.fromEntries(Object.entries(draft).filter(([key]) => key !== name)));
  return (
    <div className="bulk-field">
      <SettingInput
        field={field}
        shown={{ own: draft[name] ?? undefined, isChanged: false }}
        error={error}
        onChange={(value) => onDraft({ ...draft, [name]: value ?? null })}
      />
      <CloseButton aria-label={bulk.drop(name)} onClick={drop} />
    </div>
  );
}
