/** argv → command; exit code. */
import { parseArgs } from "node:util";

import { printConfig } from "./cli/config.js";
import { rebuild } from "./cli/rebuild.js";
import { resumeDeletes } from "./cli/resume-deletes.js";
import { scan } from "./cli/scan.js";
import { FORCED, serve } from "./cli/serve.js";
import { describeError, toAppError } from "./core/errors.js";
import { redactText } from "./core/redact.js";
import { outliveStandardStreams } from "./platform/file-log.js";

const USAGE = `Usage: reelkeeper COMMAND

  serve [--demo]       run; --demo adds a test-pattern camera
  scan                 bring the catalog in line with the record directory, once
  rebuild              restore the catalog from bucket and record directory
  resume-deletes       release what stops deletions, after a look at it
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
}

function parse(argv: readonly string[]): Arguments | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { demo: { type: "boolean", default: false } },
    });
    return { command: positionals.length === 0 ? ["serve"] : positionals, demo: values.demo };
  } catch {
    return undefined;
  }
}

async function run({ command, demo }: Arguments): Promise<number> {
  switch (command.join(" ")) {
    case "serve":
      return serve({ demo });
    case "scan":
      return scan();
    case "rebuild":
      return rebuild();
    case "resume-deletes":
      return resumeDeletes();
    case "config render":
      return printConfig("render");
    case "config diff":
      return printConfig("diff");
    default:
      process.stderr.write(USAGE);
      return 2;
  }
}
