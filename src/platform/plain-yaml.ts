/**
 * YAML that every reader understands alike: one document, no tags, no anchors, no merge keys, no key twice. Anchors hide
 * what an entry gets, tags make readers differ, and either can blow up a small file.
 */
import { Document, isScalar, LineCounter, parseAllDocuments, visit } from "yaml";

import { AppError } from "../core/errors.js";

export interface PlainYaml {
  readonly document: Document;
  /** Of a node of the document, from 1. */
  readonly lineOf: (node: unknown) => number;
}

/** Throws `invalid-argument`. `subject` is what the message begins with. */
export function parsePlainYaml(text: string, subject: string): PlainYaml {
  const lines = new LineCounter();
  const document = parseOneDocument(text, subject, lines);
  refuseIndirection(document, subject);
  return { document, lineOf: (node) => lines.linePos(startOf(node)).line };
}

export function refusePlainYaml(subject: string, what: string, hint?: string): AppError {
  return new AppError({
    kind: "invalid-argument",
    message: `${subject} ${what}`,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Text is always quoted: plain it may be read as something else. */
export function writePlainYaml(value: unknown): string {
  return new Document(value, { aliasDuplicateObjects: false }).toString({
    lineWidth: 0,
    defaultStringType: "QUOTE_DOUBLE",
    defaultKeyType: "PLAIN",
  });
}

function startOf(node: unknown): number {
  const range = typeof node === "object" && node !== null && "range" in node ? node.range : undefined;
  const start: unknown = Array.isArray(range) ? range[0] : undefined;
  return typeof start === "number" ? start : 0;
}

function parseOneDocument(text: string, subject: string, lines: LineCounter): Document {
  const parsed = parseAllDocuments(text, { version: "1.2", uniqueKeys: true, lineCounter: lines });
  // An empty text is answered with a stream object that holds no document.
  if ("empty" in parsed) return new Document({});
  const [document, ...others] = parsed;
  if (document === undefined) return new Document({});
  if (others.length > 0) throw refusePlainYaml(subject, "holds more than one document");
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) {
    const line = problem.linePos?.[0].line ?? lines.linePos(problem.pos[0]).line;
    throw refusePlainYaml(subject, `line ${String(line)}: ${problem.code}`, problem.message.split("\n")[0]);
  }
  if (document.directives.yaml.explicit === true) throw refusePlainYaml(subject, "holds a %YAML directive");
  return document;
}

function refuseIndirection(document: Document, subject: string): void {
  const refuse = (what: string, hint?: string): AppError => refusePlainYaml(subject, what, hint);
  visit(document, {
    Alias: (_, node) => {
      throw refuse(`holds the alias *${node.source}`, "write the settings out, or put them in pathDefaults");
    },
    Value: (_, node) => {
      if (node.anchor !== undefined) throw refuse(`holds the anchor &${node.anchor}`);
      if (node.tag !== undefined) throw refuse(`holds the tag ${node.tag}`);
    },
    Pair: (_, pair) => {
      if (!isScalar(pair.key) || typeof pair.key.value !== "string") {
        throw refuse(`holds a key that is no text: ${String(pair.key)}`, "quote it");
      }
      if (pair.key.value === "<<") throw refuse("holds a merge key <<", "write the settings out");
    },
  });
}
