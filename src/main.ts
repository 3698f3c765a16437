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
  config render        print the mediamtx.yml that would be written
  config diff          print where MediaMTX runs something else

Configuration is by environment variables; see README.md.
`;

/** Returns the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function main(argv: readonly string[]): Promise<number> {
  outliveStandardStreams();
  const arguments_ = parse(argv);
  if (arguments_ === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  try {
    const exitCode = await run(arguments_);
    if (exitCode === FORCED) process.exit(exitCode);
    return exitCode;
  } catch (error) {
    const { hint, message } = toAppError(error);
    const text = message === "" ? describeError(error) : describeError(toAppError(error));
    process.stderr.write(`reelkeeper: ${redactText(text)}${hint === undefined ? "" : ` (${hint})`}\n`);
    return 1;
  }
}

interface Arguments {
  readonly command: readonly string[];
  readonly demo: boolean;
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
      },
    });
    const command = positionals.length === 0 ? ["serve"] : positionals;
    const { demo, list, at, to, full, repair, json } = values;
    const isForRestore = list || at !== undefined || to !== undefined;
    if (isForRestore && command.join(" ") !== "restore") return undefined;
    if ((full || repair || json) && command.join(" ") !== "verify") return undefined;
    return { command, demo, verify: { full, repair, json }, restore: { list, at: at ?? "latest", to: to ?? null } };
  } catch {
    return undefined;
  }
}

/**
 * All modules that one import leads to are opened at once. So each command loads what it needs and no more, and zod with
 * its hundred small modules comes before the rest: 112 descriptors are enough (F52).
 */
async function run({ command, demo, restore, verify }: Arguments): Promise<number> {
  await import("./contract/scalars.js");
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
    case "config render":
      return (await import("./cli/config.js")).printConfig("render");
    case "config diff":
      return (await import("./cli/config.js")).printConfig("diff");
    default:
      process.stderr.write(USAGE);
      return 2;
  }
}
