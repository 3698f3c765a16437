/** A list of paths as CSV or YAML: what it would do, row by row, and only then what it does. */
import { Button, NativeSelect, Textarea } from "@mantine/core";
import { type ReactNode, useState } from "react";

import type { BatchReport } from "../../api-types.js";
import { Mark } from "../../mark.js";
import { pathStrings } from "../path-strings.js";
import { Reconnects, Warnings } from "./change-review.js";
import { DiffView } from "./diff-view.js";
import { FileButton } from "./file-button.js";
import { type ImportedList, importPaths, type ListFormat, useForgetPaths } from "./requests.js";
import { useReview } from "./use-review.js";

const { import: words } = pathStrings;

const NOTHING: ImportedList = { format: "csv", text: "", mode: "merge" };

export function ImportView({ onSaid }: { readonly onSaid: (text: string) => void }) {
  const { list, change, fileError, setFileError, check, apply, review } = useImport(onSaid);
  const { preview: report, refusal, isBusy } = review;
  return (
    <form
      className="import"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        check();
      }}
    >
      <p className="quiet">{words.what}</p>
      <Choices {...{ list, onChange: change, setFileError }} />
      <Textarea
        id="import-text"
        label={words.text}
        rows={12}
        value={list.text}
        error={fileError === "" ? (refusal?.fields["text"] ?? false) : fileError}
        onChange={({ currentTarget }) => change({ text: currentTarget.value })}
        spellCheck={false}
        autoComplete="off"
      />
      <div role="alert">{refusal !== undefined && <Mark mark={{ kind: "bad", text: refusal.message }} />}</div>
      <div className="acts">
        <Button type="submit" id="check" disabled={list.text.trim() === ""} loading={isBusy && report === undefined}>
          {words.check}
        </Button>
      </div>
      {report !== undefined && (
        <Report {...{ report }}>
          <Button id="apply-import" disabled={!canApply(report)} loading={isBusy} onClick={apply}>
            {words.apply}
          </Button>
        </Report>
      )}
    </form>
  );
}

/** The report is of the list as it is: with each change it goes. */
function useImport(onSaid: (text: string) => void) {
  const [list, setList] = useState(NOTHING);
  const [fileError, setFileError] = useState("");
  const review = useReview<BatchReport>();
  const forgetPaths = useForgetPaths();
  const change = (to: Partial<ImportedList>): void => {
    setList({ ...list, ...to });
    setFileError("");
    review.forget();
  };
  const carryOut = async (): Promise<void> => {
    await importPaths(list, { dryRun: false });
    await forgetPaths();
    setList(NOTHING);
    onSaid(words.done);
  };
  return {
    ...{ list, change, fileError, setFileError, review },
    check: () => review.ask(() => importPaths(list, { dryRun: true })),
    apply: () => review.apply(carryOut),
  };
}

const changesOf = ({ created, changed, removed }: BatchReport): number =>
  created.length + changed.length + removed.length;

const canApply = (report: BatchReport): boolean => report.errors.length === 0 && changesOf(report) > 0;

interface ChoicesProps {
  readonly list: ImportedList;
  readonly onChange: (to: Partial<ImportedList>) => void;
  readonly setFileError: (text: string) => void;
}

function Choices({ list, onChange, setFileError }: ChoicesProps) {
  return (
    <div className="import-choices">
      <FileButton
        id="import-file"
        label={words.file}
        accept=".csv,.yml,.yaml,text/csv,application/yaml"
        onText={(text, fileName) => onChange({ text, format: /\.ya?ml$/i.test(fileName) ? "yaml" : "csv" })}
        onTooLarge={() => setFileError(words.tooLarge)}
      />
      <NativeSelect
        id="import-format"
        label={words.format}
        value={list.format}
        onChange={({ currentTarget: { value } }) => onChange({ format: value as ListFormat })}
      >
        <option value="csv">CSV</option>
        <option value="yaml">YAML</option>
      </NativeSelect>
      <NativeSelect
        id="import-mode"
        label={words.mode}
        value={list.mode}
        onChange={({ currentTarget: { value } }) => onChange({ mode: value as ImportedList["mode"] })}
      >
        <option value="merge">{words.modes.merge}</option>
        <option value="replace">{words.modes.replace}</option>
      </NativeSelect>
    </div>
  );
}

interface ReportProps {
  readonly report: BatchReport;
  readonly children: ReactNode;
}

function Report({ report, children }: ReportProps) {
  const { errors, warnings, effects } = report;
  return (
    <section className="report" id="report" aria-label={words.report}>
      <h2>{words.report}</h2>
      <div role="status">
        {errors.length > 0 ? (
          <Mark mark={{ kind: "bad", text: words.errors(errors.length) }} />
        ) : (
          <Mark mark={{ kind: "good", text: changesOf(report) === 0 ? words.nothing : words.ready }} />
        )}
      </div>
      {errors.length > 0 && <Errors errors={errors} />}
      <dl className="counts">
        {(["created", "changed", "removed", "unchanged"] as const).map((what) => (
          <div key={what} data-what={what}>
            <dt>
              {words[what]} <strong>{report[what].length}</strong>
            </dt>
            <dd>{report[what].join(", ")}</dd>
          </div>
        ))}
      </dl>
      {effects !== null && changesOf(report) > 0 && (
        <>
          <Reconnects reconnects={effects.reconnects} />
          <Warnings warnings={warnings} />
          <h3>{pathStrings.review.diff}</h3>
          <DiffView diff={effects.diff} label={pathStrings.review.diff} none={pathStrings.review.noDiff} />
        </>
      )}
      <div className="acts">{children}</div>
    </section>
  );
}

function Errors({ errors }: Pick<BatchReport, "errors">) {
  return (
    <table role="table" className="row-errors" id="row-errors">
      <thead role="rowgroup">
        <tr role="row">
          {words.errorColumns.map((name) => (
            <th role="columnheader" key={name}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {errors.map(({ line, path, field, message }) => (
          <tr role="row" key={`${String(line)} ${field} ${message}`}>
            {[String(line), path, field, message].map((text, index) => (
              <td role="cell" key={words.errorColumns[index]}>
                {text}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
