/** The paths: their table, the form of one, the history of the whole, lists to import, drift, and files to adopt. */
import "@mantine/core/styles/InlineInput.css";
import "@mantine/core/styles/Checkbox.css";
import "@mantine/core/styles/Switch.css";
import "@mantine/core/styles/ScrollArea.css";
import "@mantine/core/styles/Popover.css";
import "@mantine/core/styles/Combobox.css";
import "@mantine/core/styles/Pill.css";
import "@mantine/core/styles/PillsInput.css";
import "./admin.css";
import "./paths/paths.css";
import "./paths/drift.css";

import { useEffect, useState } from "react";

import { Mark } from "../mark.js";
import { type PageProps, placeHref } from "../place.js";
import { pathStrings } from "./path-strings.js";
import { AdoptView } from "./paths/adopt-view.js";
import { DriftView } from "./paths/drift-view.js";
import { HistoryView } from "./paths/history-view.js";
import { ImportView } from "./paths/import-view.js";
import { PathForm } from "./paths/path-form.js";
import { PathList } from "./paths/path-list.js";
import { useConfig } from "./paths/requests.js";

const { tabs, headings, form, title } = pathStrings;
const TABS = [
  ["", tabs.list],
  ["history", tabs.history],
  ["import", tabs.import],
  ["adopt", tabs.adopt],
  ["drift", tabs.drift],
] as const;

const SAID_FOR_MS = 30_000;

export function PathsPage({ query }: PageProps) {
  const view = query["view"] ?? "";
  const { name } = query;
  // Said by one view and read in the next: a path that was removed is told of above the table.
  const [said, setSaid] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSaid(""), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <div className="paths-page">
      <div className="bar">
        <h1>{headingOf(view, name)}</h1>
        <nav className="tabs" aria-label={tabs.label}>
          {TABS.map(([id, label]) => (
            <a key={id} href={placeHref("paths", { view: id })} aria-current={id === view ? "page" : undefined}>
              {label}
            </a>
          ))}
        </nav>
      </div>
      <ConfigNotice isAtDrift={view === "drift"} />
      <p role="status" id="path-said" className={said === "" ? "unseen" : "notice"}>
        {said}
      </p>
      <View view={view} query={query} onSaid={setSaid} />
    </div>
  );
}

function headingOf(view: string, name: string | undefined): string {
  if (view === "path" && name !== undefined) return name;
  if (view === "new") return form.newTitle;
  if (view === "adopt" || view === "drift") return headings[view];
  return view === "history" ? tabs.history : view === "import" ? tabs.import : title;
}

interface ViewProps extends PageProps {
  readonly view: string;
  readonly onSaid: (text: string) => void;
}

function View({ view, query: { name, version }, onSaid }: ViewProps) {
  switch (view) {
    case "path":
      return <PathForm key={name} name={name ?? ""} onSaid={onSaid} />;
    case "new":
      return <PathForm name={undefined} onSaid={onSaid} />;
    case "history":
      return <HistoryView chosen={/^\d+$/.test(version ?? "") ? Number(version) : undefined} onSaid={onSaid} />;
    case "import":
      return <ImportView onSaid={onSaid} />;
    case "adopt":
      return <AdoptView />;
    case "drift":
      return <DriftView onSaid={onSaid} />;
    default:
      return <PathList onSaid={onSaid} />;
  }
}

/** Whether MediaMTX runs what stands here; nothing when it does. Drift is told by its own view, where that is shown. */
function ConfigNotice({ isAtDrift }: { readonly isAtDrift: boolean }) {
  const { data } = useConfig();
  const error = data?.error ?? null;
  const isDrift = data?.drift === true && error === null && !isAtDrift;
  return (
    <div role="status">
      {error !== null && (
        <div className="notice">
          <Mark id="config" mark={{ kind: "bad", text: pathStrings.notApplied(error) }} />
        </div>
      )}
      {isDrift && (
        <div className="notice line">
          <Mark id="config" mark={{ kind: "bad", text: pathStrings.drift }} />
          <a id="to-drift" href={placeHref("paths", { view: "drift" })}>
            {pathStrings.toDrift}
          </a>
        </div>
      )}
    </div>
  );
}
