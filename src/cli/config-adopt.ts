/** `config adopt`: an existing mediamtx.yml becomes paths and base file. Works beside a running server, which follows. */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { REELKEEPER } from "../catalog/audit.js";
import { type Catalog, closeCatalog } from "../catalog/catalog.js";
import { AppError } from "../core/errors.js";
import { compareConfigs } from "../mediamtx/config-diff.js";
import { MediaMtx } from "../mediamtx/media-mtx.js";
import { createFindAddresses } from "../platform/find-addresses.js";
import { type AdoptReport, type ConfigAdopt, createConfigAdopt } from "../streams/config-adopt.js";
import { sealConfig } from "../streams/config-snapshot.js";
import { listConfiguredPaths } from "../streams/configured-paths.js";
import { mediaMtxOptions } from "../wiring/media-mtx-options.js";
import { createServerTokens, serverBearer } from "../wiring/server-tokens.js";
import { openConfiguredCatalog, type Setup, setUp } from "../wiring/setup.js";

const USAGE = `Usage: reelkeeper config adopt FILE [--apply] [--leave-commands]

  Tells what of an existing mediamtx.yml would become paths, what stays in the base file (MEDIAMTX_BASE_CONFIG) and what
  does not come along; --apply does it. Commands (runOn…) come along only as templates (MEDIAMTX_TEMPLATES);
  --leave-commands goes on without them.
`;
const WITHIN_MS = 120_000;

export async function configAdopt(argv: readonly string[]): Promise<number> {
  const order = parse(argv);
  if (order === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const { file, apply, leaveCommands } = order;
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new AppError({ kind: "failed-precondition", message: `read ${file}`, cause });
  });
  const setup = await setUp();
  const catalog = await openConfiguredCatalog(setup);
  try {
    const adopt = await createAdopt(setup, catalog);
    const report = await adopt.adopt(text, { dryRun: !apply, leaveCommands, mayNameFiles: true, actor: REELKEEPER });
    process.stdout.write(inWords(report));
    return 0;
  } finally {
    await closeCatalog(catalog);
  }
}

function parse(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { apply: { type: "boolean", default: false }, "leave-commands": { type: "boolean", default: false } },
    });
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) return undefined;
    return { file, apply: values.apply, leaveCommands: values["leave-commands"] };
  } catch {
    return undefined;
  }
}

async function createAdopt(setup: Setup, catalog: Catalog): Promise<ConfigAdopt> {
  const { clock, logger } = setup;
  const listPaths = () => listConfiguredPaths(catalog);
  const bearer = serverBearer(setup, await createServerTokens(setup));
  const mediamtx = new MediaMtx({ clock, logger, listPaths, bearer }, mediaMtxOptions(setup));
  const signal = AbortSignal.timeout(WITHIN_MS);
  await mediamtx.prepare(signal);
  const base = mediamtx.baseFile();
  // A base that is yet to be written says nothing.
  const render = async (paths: Parameters<typeof mediamtx.tryBase>[1]) => {
    const baseYaml = await base.read();
    return { yaml: await mediamtx.tryBase(baseYaml, paths, signal), baseYaml };
  };
  return createConfigAdopt({
    ...{ catalog, logger, base, compare: compareConfigs, findAddresses: createFindAddresses() },
    seal: (rows) => sealConfig({ box: catalog.sealing.box, render }, rows),
    takeApart: (text, of) => mediamtx.takeApart(text, of),
    tryBase: (baseYaml, paths) => mediamtx.tryBase(baseYaml, paths, signal),
    // The running server looks every half minute.
    requestApply: () => undefined,
  });
}

function inWords({ dryRun, create, unchanged, kept, left, templates, baseDiff, diff }: AdoptReport): string {
  const lines = (items: readonly string[]): string => items.map((item) => `  ${item}\n`).join("");
  const part = (title: string, items: readonly string[]): string =>
    items.length === 0 ? "" : `${title}\n${lines(items)}`;
  const at = ({ where, setting }: { readonly where: string; readonly setting: string }): string =>
    `${where} ${setting}`.trim();
  return [
    part(
      dryRun ? "Would become paths:" : "Became paths:",
      create.map(({ path, settings }) => `${path}  ${JSON.stringify(settings)}`),
    ),
    part("Are paths already:", unchanged),
    part("Stays in the base file:", kept.map(at)),
    part(
      "Does not come along:",
      left.map((note) => `${at(note)}: ${note.why}${note.kind === "told" ? "" : ` (${BLOCKS[note.kind]})`}`),
    ),
    templates === null ? "" : `To keep the commands, put into the file MEDIAMTX_TEMPLATES:\n${templates}`,
    baseDiff === "" ? "" : `The base file:\n${baseDiff}`,
    diff === "" ? "" : `From the given file to what MediaMTX gets:\n${diff}`,
    dryRun ? "Nothing was changed. --apply does it.\n" : "Done.\n",
  ].join("");
}

const BLOCKS = { command: "blocks, unless --leave-commands", blocks: "blocks" } as const;
