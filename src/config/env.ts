/** The only reader of process.env: text of each variable, `NAME_FILE` resolved, malformed values refused by name. */
import { readFileSync } from "node:fs";

import { AppError, describeError } from "../core/errors.js";
import { redactText } from "../core/redact.js";
import { VARIABLES, type VariableName } from "./variables.js";

export interface Env {
  /** Undefined when unset or empty. */
  text(name: VariableName): string | undefined;
  /** For what child processes inherit. */
  readonly all: Readonly<NodeJS.ProcessEnv>;
}

export function readEnv(source: Readonly<NodeJS.ProcessEnv> = process.env): Env {
  const fromFile = (name: VariableName, file: string): string => {
    try {
      return readFileSync(file, "utf8").replace(/\r?\n$/, "");
    } catch (error) {
      throw new AppError({
        kind: "invalid-argument",
        message: `${name}_FILE=${quote(file)} cannot be read (${describeError(error)}), expected a file that holds ${VARIABLES[name].accepts}`,
        cause: error,
      });
    }
  };
  return {
    all: source,
    text: (name) => {
      const direct = source[name];
      const file = isSecret(name) ? source[`${name}_FILE`] : undefined;
      if (file !== undefined && file !== "") {
        if (direct !== undefined && direct !== "") {
          throw new AppError({
            kind: "invalid-argument",
            message: `${name} and ${name}_FILE are both set, expected one of them`,
          });
        }
        const content = fromFile(name, file);
        if (content === "") throw refuse(name, "");
        return content;
      }
      return direct === "" ? undefined : direct;
    },
  };
}

export function isSecret(name: VariableName): boolean {
  return "secret" in VARIABLES[name];
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

/** One line: the variable, its value (masked when secret), what is accepted, and which part of a long value is not. */
export function refuse(name: VariableName, value: string, why = ""): AppError {
  const shown = isSecret(name) ? "***" : quote(redactText(value));
  return new AppError({
    kind: "invalid-argument",
    message: `${name}=${shown} is not accepted, expected ${VARIABLES[name].accepts}${why === "" ? "" : `: ${why}`}`,
    fields: [{ field: name, message: `expected ${VARIABLES[name].accepts}` }],
  });
}
