/**
 * The log: one constant message per kind of line, variables as fields, one line per state change. Secrets never get
 * in: fields with secret names and the user info of every URL are masked here, whoever logs them.
 */
import winston from "winston";

import { describeError } from "../core/errors.js";
import { createFileLog, isFileDescriptor } from "./file-log.js";
import { redactFields, redactText } from "../core/redact.js";

export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  /** State changed. */
  info(message: string, fields?: LogFields): void;
  /** Will recover by itself. */
  warn(message: string, fields?: LogFields): void;
  /** A person must act. */
  error(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly format: "json" | "pretty";
  /** Exact texts that must never appear: the values of all secrets. */
  readonly secrets: readonly string[];
  readonly stream?: NodeJS.WritableStream;
}

export function createLogger(options: LoggerOptions): Logger {
  const redact = winston.format((info) => {
    for (const [key, value] of Object.entries(info)) {
      info[key] = redactFields(key, value instanceof Error ? describeError(value) : value, options.secrets);
    }
    return info;
  });
  const pretty = winston.format.printf(({ timestamp, level, message, ...fields }) => {
    const rest = Object.entries(fields).map(
      // A file name may hold a line break; it must not look like a line of the log.
      ([key, value]) => `${key}=${typeof value === "string" && /^[!-~]+$/.test(value) ? value : JSON.stringify(value)}`,
    );
    return [String(timestamp), level.padEnd(5), String(message), ...rest].join(" ");
  });
  const root = winston.createLogger({
    level: options.level,
    format: winston.format.combine(
      redact(),
      winston.format.timestamp(),
      options.format === "json" ? winston.format.json() : pretty,
    ),
    // winston declares its transports as interfaces with a construct signature, which the rule takes for plain values.
    /* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment */
    transports: [options.stream ? new winston.transports.Stream({ stream: options.stream }) : stderrTransport(options)],
    /* eslint-enable @typescript-eslint/no-unsafe-class-instance-assignment */
    exitOnError: false,
  });
  return wrap(root, (text) => redactText(text, options.secrets));
}

const STDERR = 2;

function stderrTransport({ format }: LoggerOptions) {
  if (!isFileDescriptor(STDERR)) {
    return new winston.transports.Console({ stderrLevels: ["error", "warn", "info", "debug"] });
  }
  const tellLost = (lines: number): string =>
    format === "json"
      ? JSON.stringify({ level: "warn", message: "log lines were lost; its disk was full", lines })
      : `warn  log lines were lost; its disk was full lines=${String(lines)}`;
  return new winston.transports.Stream({ stream: createFileLog(STDERR, tellLost) });
}

function wrap(inner: winston.Logger, clean: (text: string) => string): Logger {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      inner.log(level, clean(message), fields);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => wrap(inner.child(fields), clean),
  };
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
