/** One path: every setting with what it inherits, errors where they belong, and a preview before anything is applied. */
import { Button, TextInput } from "@mantine/core";
import { type RefObject, useEffect, useRef } from "react";

import type { Path } from "../../api-types.js";
import { nowMs } from "../../clock.js";
import { Mark } from "../../mark.js";
import { pathStateOf } from "../../words.js";
import { Listed } from "../admin-table.js";
import { pathStrings } from "../path-strings.js";
import { ChangeReview } from "./change-review.js";
import { ChangedFields } from "./changed-fields.js";
import { type Draft, type Field, fieldsOf } from "./fields.js";
import { usePath, useSettings, useTemplates } from "./requests.js";
import { SettingSections } from "./setting-sections.js";
import { type PathChange, usePathChange } from "./use-path-change.js";

const { form, review: reviewWords } = pathStrings;

interface PathFormProps {
  /** Undefined for a new one. */
  readonly name: string | undefined;
  readonly onSaid: (text: string) => void;
}

export function PathForm({ name, onSaid }: PathFormProps) {
  return <Listed asked={useFields(name)}>{({ path, fields }) => <Form {...{ path, fields, onSaid }} />}</Listed>;
}

/** What the form is made of, once all of it is there. */
function useFields(name: string | undefined) {
  const [path, settings, templates] = [usePath(name), useSettings(), useTemplates()];
  const all = [settings, templates, ...(name === undefined ? [] : [path])];
  const isThere = settings.data !== undefined && templates.data !== undefined;
  return {
    data:
      isThere && (name === undefined || path.data !== undefined)
        ? { path: path.data, fields: fieldsOf(path.data, settings.data.items, templates.data.items) }
        : undefined,
    error: all.map(({ error }) => error).find((error) => error !== null) ?? null,
    refetch: () => Promise.all(all.map(({ refetch }) => refetch())),
  };
}

interface FormProps extends Pick<PathFormProps, "onSaid"> {
  readonly path: Path | undefined;
  readonly fields: readonly Field[];
}

function Form({ path, fields, onSaid }: FormProps) {
  const change = usePathChange({ path, fields, onSaid });
  const { draft, errors, review, wanted, ask } = change;
  const place = useRef<HTMLFormElement>(null);
  useFocusOnError(place, review.refusal?.fields);
  return (
    <>
      <form
        ref={place}
        className="path-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          ask(path === undefined ? "add" : "change");
        }}
      >
        {path === undefined ? <NewName change={change} /> : <Heading path={path} onRemove={() => ask("remove")} />}
        <SettingSections {...{ fields, draft, errors }} warnings={warningsOf(path, draft)} onDraft={change.setDraft} />
        <ActBar change={change} isNew={path === undefined} />
      </form>
      {review.preview !== undefined && (
        <ChangeReview
          preview={review.preview}
          applyLabel={wanted === "remove" ? reviewWords.remove : reviewWords.apply}
          what={wanted === "remove" ? <p>{form.removing(change.name)}</p> : <ChangedFields {...{ fields, draft }} />}
          isBusy={review.isBusy}
          failure={review.refusal?.message}
          onApply={change.apply}
          onClose={review.close}
        />
      )}
    </>
  );
}

/** Of the path as it is, as far as it is not being changed. */
function warningsOf(path: Path | undefined, draft: Draft): Readonly<Record<string, string>> {
  const warnings = (path?.warnings ?? []).filter(({ field }) => !Object.hasOwn(draft, field));
  return Object.fromEntries(warnings.map(({ field, message }) => [field, message]));
}

function useFocusOnError(place: RefObject<HTMLElement | null>, refused: object | undefined): void {
  useEffect(() => {
    if (refused === undefined) return;
    place.current?.querySelector<HTMLElement>("[data-error-of] :is(input, select, textarea)")?.focus();
  }, [place, refused]);
}

function NewName({ change: { name, setName, errors } }: { readonly change: PathChange }) {
  const error = errors["name"];
  return (
    <div className="setting new-name" data-error-of={error === undefined ? undefined : "name"}>
      <TextInput
        label={form.name}
        description={form.nameHelp}
        error={error ?? false}
        name="name"
        value={name}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
        autoComplete="off"
        spellCheck={false}
      />
    </div>
  );
}

function Heading({ path, onRemove }: { readonly path: Path; readonly onRemove: () => void }) {
  return (
    <div className="path-heading">
      <Mark mark={pathStateOf({ ...path, config: { applied: true, error: null } }, nowMs())} />
      <a href={`./?path=${encodeURIComponent(path.name).replaceAll("%2F", "/")}`}>{form.recordings}</a>
      <button type="button" className="link danger" id="remove" onClick={onRemove}>
        {form.remove}
      </button>
    </div>
  );
}

/** Always in sight: how much is changed, and what to do with it. */
function ActBar({ change, isNew }: { readonly change: PathChange; readonly isNew: boolean }) {
  const { name, draft, review } = change;
  const count = Object.keys(draft).length;
  const failure = failureIn(change);
  return (
    <div className="act-bar">
      <div className="act-words" role="status">
        {failure !== undefined && <Mark mark={{ kind: "bad", text: failure }} />}
        {failure === undefined && (count === 0 ? form.noChanges : form.changes(count))}
      </div>
      <Button variant="default" disabled={count === 0} onClick={change.discard}>
        {form.discard}
      </Button>
      <Button
        type="submit"
        id="preview"
        disabled={isNew ? name === "" : count === 0}
        loading={review.isBusy && review.preview === undefined}
      >
        {form.preview}
      </Button>
    </div>
  );
}

/** While a preview is shown it stands there. */
function failureIn({ review: { refusal, preview }, errors }: PathChange): string | undefined {
  if (refusal === undefined || preview !== undefined) return undefined;
  if (Object.keys(refusal.fields).length === 0) return refusal.message;
  const wrong = Object.keys(errors).filter((name) => name !== "").length;
  const parts = [...(wrong === 0 ? [] : [form.refused(wrong)]), ...(errors[""] === undefined ? [] : [errors[""]])];
  return parts.length === 0 ? undefined : parts.join(" ");
}
