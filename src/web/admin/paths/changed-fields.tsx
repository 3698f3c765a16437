/** The fields that a change changes, from what to what. */
import { pathStrings } from "../path-strings.js";
import { type Draft, type Field } from "./fields.js";
import { inWords } from "./setting-input.js";

const { review } = pathStrings;

export function ChangedFields({ fields, draft }: { readonly fields: readonly Field[]; readonly draft: Draft }) {
  const changed = fields.filter(({ name }) => Object.hasOwn(draft, name));
  if (changed.length === 0) return null;
  return (
    <>
      <h3>{review.fields}</h3>
      <dl className="changed-fields">
        {changed.map((field) => (
          <div key={field.name}>
            <dt>{field.name}</dt>
            <dd>{newValue(field, draft[field.name])}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** What may hold a password is not repeated. */
function newValue(field: Field, value: unknown): string {
  if (value === null) return `${review.reset} (${inWords(field, field.inherited)})`;
  if (field.name === "source") return review.newValue;
  return inWords(field, value);
}
