/**
 * A worker thread needs JavaScript: this compiles the sources that the inspection worker imports, file by file and
 * without checking types (`npm run check` does), into a directory of the test.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";

import ts from "typescript";

const FOLDERS = ["core", "media", "platform"];
const SOURCE_DIR = path.resolve(import.meta.dirname, "../../src");

/** The URL for `InspectorDeps.workerUrl`. */
export async function compileInspectionWorker(directory: string): Promise<URL> {
  await writeFile(path.join(directory, "package.json"), '{"type":"module"}');
  for (const folder of FOLDERS) {
    await mkdir(path.join(directory, folder), { recursive: true });
    for (const name of await readdir(path.join(SOURCE_DIR, folder))) {
      if (name.endsWith(".ts")) await compile(path.join(folder, name), directory);
    }
  }
  return pathToFileURL(path.join(directory, "media", "inspection-worker.js"));
}

async function compile(file: string, directory: string): Promise<void> {
  const { outputText } = ts.transpileModule(await readFile(path.join(SOURCE_DIR, file), "utf8"), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
  });
  await writeFile(path.join(directory, file.replace(/\.ts$/, ".js")), outputText);
}
