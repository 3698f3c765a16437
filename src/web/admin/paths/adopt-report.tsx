/** What an adoption would do, part by part: the paths, what stays, what does not come along and why. */
import { Checkbox } from "@mantine/core";
import type { ReactNode } from "react";

import type { ConfigAdopted } from "../../api-types.js";
import { Mark } from "../../mark.js";
import type { Marked, MarkKind } from "../../words.js";
import { configStrings } from "../config-strings.js";
import { pathStrings } from "../path-strings.js";
import { Reconnects } from "./change-review.js";
import { DiffView } from "./diff-view.js";

type Note = ConfigAdopted["left"][number];

const { adopt: words, places } = configStrings;

const KINDS: Readonly<Record<Note["kind"], MarkKind>> = { blocks: "bad", command: "warn", told: "gone" };

export const blockingIn = ({ left }: ConfigAdopted): readonly Note[] => left.filter(({ kind }) => kind === "blocks");
export const commandsIn = ({ left }: ConfigAdopted): readonly Note[] => left.filter(({ kind }) => kind === "command");
export const changesBase = ({ baseDiff }: ConfigAdopted): boolean => baseDiff !== "";
export const changesNothing = (report: ConfigAdopted): boolean => report.create.length === 0 && !changesBase(report);

interface AdoptReportProps {
  readonly report: ConfigAdopted;
  /** Commands. */
  readonly leaves: boolean;
  readonly onLeave: (leaves: boolean) => void;
  /** What one can do with it. */
  readonly children: ReactNode;
}

export function AdoptReport({ report, leaves, onLeave, children }: AdoptReportProps) {
  const { create, unchanged, reconnects, baseDiff, diff } = report;
  return (
    <section className="report" id="adopt-report" aria-label={words.report}>
      <h2>{words.report}</h2>
      <div role="status" id="adopt-verdict">
        <Mark mark={verdictOf(report, leaves)} />
      </div>
      <Left {...{ report, leaves, onLeave }} />
      {create.length > 0 && (
        <>
          <h3>{words.create(create.length)}</h3>
          <dl className="changed-fields" id="adopt-create">
            {create.map(({ path, settings }) => (
              <div key={path}>
                <dt>{path}</dt>
                <dd>{settingsInWords(settings)}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {unchanged.length > 0 && (
        <>
          <h3>{words.unchanged(unchanged.length)}</h3>
          <p className="names">{unchanged.join(", ")}</p>
        </>
      )}
      <Kept {...{ report }} />
      {blockingIn(report).length === 0 && (
        <>
          <Reconnects reconnects={reconnects} />
          <Unfolding title={words.baseDiff}>
            <DiffView diff={baseDiff} label={words.baseDiff} none={words.sameBase} />
          </Unfolding>
          <Unfolding title={words.diff}>
            <DiffView diff={diff} label={words.diff} none={words.sameText} />
          </Unfolding>
        </>
      )}
      <div className="acts">{children}</div>
    </section>
  );
}

function verdictOf(report: ConfigAdopted, leaves: boolean): Marked {
  const [blocking, commands] = [blockingIn(report).length, commandsIn(report).length];
  if (blocking > 0) return { kind: "bad", text: words.blocked(blocking) };
  if (commands > 0 && !leaves) return { kind: "warn", text: words.commands(commands) };
  if (changesNothing(report)) return { kind: "good", text: words.nothing };
  return { kind: "good", text: words.ready };
}

function Left({ report, leaves, onLeave }: Omit<AdoptReportProps, "children">) {
  const { left, templates } = report;
  if (left.length === 0) return null;
  const worst = ["blocks", "command", "told"];
  const sorted = [...left].sort((a, b) => worst.indexOf(a.kind) - worst.indexOf(b.kind));
  return (
    <>
      <h3>{words.left(left.length)}</h3>
      <ul className="notes" id="adopt-left">
        {sorted.map(({ where, setting, why, kind }) => (
          <li key={`${where} ${setting} ${why}`} data-left={kind}>
            <Mark
              mark={{ kind: KINDS[kind], text: `${nameOf(where)}${setting === "" ? "" : `, ${setting}`}: ${why}` }}
            />
          </li>
        ))}
      </ul>
      {templates !== null && (
        <Unfolding title={words.templates}>
          <p className="quiet">{words.aboutTemplates}</p>
          <pre className="text" id="adopt-templates" role="region" aria-label={words.templates} tabIndex={0}>
            {templates}
          </pre>
        </Unfolding>
      )}
      {commandsIn(report).length > 0 && (
        <Checkbox
          id="leave-commands"
          label={words.leaveCommands}
          checked={leaves}
          onChange={({ currentTarget }) => onLeave(currentTarget.checked)}
        />
      )}
    </>
  );
}

function Kept({ report: { kept } }: Pick<AdoptReportProps, "report">) {
  if (kept.length === 0) return null;
  const byPlace = new Map<string, string[]>();
  for (const { where, setting } of kept) {
    byPlace.set(where, [...(byPlace.get(where) ?? []), ...(setting === "" ? [] : [setting])]);
  }
  return (
    <Unfolding title={words.kept(kept.length)} id="adopt-kept">
      <dl className="changed-fields">
        {[...byPlace].map(([where, settings]) => (
          <div key={where}>
            <dt>{nameOf(where)}</dt>
            <dd>{settings.length === 0 ? words.entry : settings.join(", ")}</dd>
          </div>
        ))}
      </dl>
    </Unfolding>
  );
}

interface UnfoldingProps {
  readonly title: string;
  readonly id?: string;
  readonly children: ReactNode;
}

function Unfolding({ title, id, children }: UnfoldingProps) {
  return (
    <details className="unfolding" id={id}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}

function nameOf(where: string): string {
  if (Object.hasOwn(places, where)) return places[where as keyof typeof places];
  return where.replace(/^paths\//, "");
}

function settingsInWords(settings: Readonly<Record<string, unknown>>): string {
  const { form } = pathStrings;
  const valueIn = (value: unknown): string => {
    if (typeof value === "boolean") return value ? form.yes : form.no;
    return typeof value === "string" ? value : JSON.stringify(value);
  };
  const parts = Object.entries(settings).map(([name, value]) => `${name} ${valueIn(value)}`);
  return parts.length === 0 ? words.noSettings : parts.join(" · ");
}
