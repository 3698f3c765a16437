/** The change of one path while somebody makes it: what is typed, what of it is refused, its preview, and its end. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import type { Path } from "../../api-types.js";
import { placeHref } from "../../place.js";
import { goTo } from "../../use-place.js";
import { pathStrings } from "../path-strings.js";
import { type Draft, errorsByField, type Field, settingsOfNew } from "./fields.js";
import { addPath, changePath, previewChanges, removePath, useForgetPaths } from "./requests.js";
import { type Review, useReview } from "./use-review.js";

const { form } = pathStrings;

/** What the preview that is shown is of. */
type Wanted = "add" | "change" | "remove";

export interface PathChange {
  readonly name: string;
  readonly setName: (name: string) => void;
  readonly draft: Draft;
  readonly setDraft: (draft: Draft) => void;
  readonly errors: Readonly<Record<string, string>>;
  readonly review: Review;
  readonly wanted: Wanted;
  readonly ask: (wanted: Wanted) => void;
  readonly apply: () => void;
  readonly discard: () => void;
}

interface ChangedPath {
  /** Undefined: one that is added. */
  readonly path: Path | undefined;
  readonly fields: readonly Field[];
  readonly onSaid: (text: string) => void;
}

export function usePathChange({ path, fields, onSaid }: ChangedPath): PathChange {
  const [newName, setName] = useState("");
  const [draft, setDraft] = useDraft(path?.name ?? "");
  const [asked, setAsked] = useState<Draft>({});
  const [wanted, setWanted] = useState<Wanted>("change");
  const review = useReview();
  const forgetPaths = useForgetPaths();
  const name = path?.name ?? newName.trim();
  const carryOut = async (): Promise<void> => {
    await ACTS[wanted](name, draft);
    onSaid(SAID[wanted](name));
    if (wanted === "remove") goTo(placeHref("paths"));
    else await forgetPaths();
    setDraft({});
    if (wanted === "add") goTo(placeHref("paths", { view: "path", name }));
    if (wanted === "remove") await forgetPaths();
  };
  return {
    ...{ name, setName, draft, review, wanted },
    setDraft: (next) => {
      review.cancel();
      setDraft(next);
    },
    errors: stillWrong(review, fields, { now: { ...draft, name }, asked }),
    ask: (what) => {
      setWanted(what);
      setAsked({ ...draft, name });
      review.ask(() => previewChanges([CHANGES[what](name, draft)]));
    },
    apply: () => review.apply(carryOut),
    discard: () => {
      setDraft({});
      review.forget();
    },
  };
}

/** Outlives a look at another view; whoever logs out takes it along. */
function useDraft(key: string): readonly [Draft, (draft: Draft) => void] {
  const queries = useQueryClient();
  const [draft, setDraft] = useState(() => queries.getQueryData<Draft>(["path-draft", key]) ?? {});
  const keep = (next: Draft): void => {
    queries.setQueryData(["path-draft", key], next);
    setDraft(next);
  };
  return [draft, keep];
}

const CHANGES = {
  add: (name: string, draft: Draft) => ({ action: "create", name, settings: settingsOfNew(draft) }) as const,
  change: (name: string, draft: Draft) => ({ action: "update", name, settings: draft }) as const,
  remove: (name: string) => ({ action: "delete", name }) as const,
} as const;
const ACTS = { add: addPath, change: changePath, remove: removePath } as const;
const SAID = { add: form.added, change: form.saved, remove: form.removed } as const;

interface Compared {
  readonly now: Draft;
  /** What the server was asked about. */
  readonly asked: Draft;
}

/** By field; what was changed since may be right now. */
function stillWrong({ refusal }: Review, fields: readonly Field[], { now, asked }: Compared) {
  const names = new Set(["name", ...fields.map((field) => field.name)]);
  const errors = errorsByField(refusal?.fields ?? {}, names);
  return Object.fromEntries(Object.entries(errors).filter(([name]) => now[name] === asked[name]));
}
