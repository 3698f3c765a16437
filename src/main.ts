/** argv → command; exit code. */
import { parseArgs } from "node:util";

import { FORCED } from "./cli/forced.js";
import type { RestoreOptions } from "./cli/restore.js";
import { describeError, toAppError } from "./core/errors.js";
import { redactText } from "./core/redact.js";
import { outliveStandardStreams } from "./platform/file-log.js";

const USAGE = `Usage: reelkeeper COMMAND

  serve [--demo]       run; --demo adds a test-pattern camera
  scan                 bring the catalog in line with the record directory, once
  verify [--full] [--repair] [--json]
                       compare rows, files and objects; --full reads all bytes
  rebuild              restore the catalog from bucket and record directory
  resume-deletes       release what stops deletions, after a look at it
  backup               back up the database to the store, now
  restore [--list] [--at KEY|latest] [--to FILE]
                       put a backup in the place of the database, which is kept
  user list|add|set-password|disable|enable
                       who may log in, for an admin who cannot
  rotate-secrets       a new key for the passwords in the database
  config render [--with-secrets]
                       print the mediamtx.yml that would be written, passwords masked
  config adopt FILE [--apply] [--leave-commands]
                       make paths and base file of an existing mediamtx.yml
  config diff          print where MediaMTX runs something else

Configuration is by environment variables; see README.md.
`;

/** Returns the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function main(argv: readonly string[]): Promise<number> {
  outliveStandardStreams();
  try {
    const exitCode = await obey(argv);
    if (exitCode === FORCED) process.exit(exitCode);
    return exitCode;
  } catch (error) {
    const { hint, message } = toAppError(error);
    const text = message === "" ? describeError(error) : describeError(toAppError(error));
    process.stderr.write(`reelkeeper: ${redactText(text)}${hint === undefined ? "" : ` (${hint})`}\n`);
    return 1;
  }
}

/** Some commands have words and options of their own. */
async function obey([first, ...rest]: readonly string[]): Promise<number> {
  await loadContract();
  if (first === "config" && rest[0] === "adopt") {
    return (await import("./cli/config-adopt.js")).configAdopt(rest.slice(1));
  }
  if (first === "user") return (await import("./cli/user.js")).user(rest);
  const arguments_ = parse(first === undefined ? [] : [first, ...rest]);
  if (arguments_ !== undefined) return run(arguments_);
  process.stderr.write(USAGE);
  return 2;
}

interface Arguments {
  readonly command: readonly string[];
  readonly demo: boolean;
  readonly withSecrets: boolean;
  readonly restore: RestoreOptions;
  readonly verify: { readonly full: boolean; readonly repair: boolean; readonly json: boolean };
}

function parse(argv: readonly string[]): Arguments | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        demo: { type: "boolean", default: false },
        full: { type: "boolean", default: false },
        repair: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        list: { type: "boolean", default: false },
        at: { type: "string" },
        to: { type: "string" },
        "with-secrets": { type: "boolean", default: false },
      },
    });
    const command = positionals.length === 0 ? ["serve"] : positionals;
    const { demo, list, at, to, full, repair, json } = values;
    const isForRestore = list || at !== undefined || to !== undefined;
    if (isForRestore && command.join(" ") !== "restore") return undefined;
    if ((full || repair || json) && command.join(" ") !== "verify") return undefined;
    const withSecrets = values["with-secrets"];
    if (withSecrets && command.join(" ") !== "config render") return undefined;
    return {
      command,
      demo,
      withSecrets,
      verify: { full, repair, json },
      restore: { list, at: at ?? "latest", to: to ?? null },
    };
  } catch {
    return undefined;
  }
}

/**
 * All modules that one import leads to are opened at once. So each command loads what it needs and no more, and zod with
 * its hundred small modules comes before the rest: 112 descriptors are enough (F52).
 */
async function loadContract(): Promise<void> {
  await import("./contract/scalars.js");
}

async function run({ command, demo, withSecrets, restore, verify }: Arguments): Promise<number> {
  switch (command.join(" ")) {
    case "serve":
      return (await import("./cli/serve.js")).serve({ demo });
    case "scan":
      return (await import("./cli/scan.js")).scan();
    case "verify":
      return (await import("./cli/verify.js")).verify(verify);
    case "rebuild":
      return (await import("./cli/rebuild.js")).rebuild();
    case "resume-deletes":
      return (await import("./cli/resume-deletes.js")).resumeDeletes();
    case "backup":
      return (await import("./cli/backup.js")).backup();
    case "restore":
      return (await import("./cli/restore.js")).restore(restore);
    case "rotate-secrets":
      return (await import("./cli/rotate-secrets.js")).rotateSecrets();
    case "config render":
      return (await import("./cli/config.js")).renderConfig({ withSecrets });
    case "config diff":
      return (await import("./cli/config.js")).diffConfig();
    default:
      process.stderr.write(USAGE);
      return 2;
  }
}
