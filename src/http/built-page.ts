/** What Vite built: dist/web with its manifest. Only files that the manifest names are served. */
import { readFile } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

import { AppError } from "../core/errors.js";

const manifestSchema = z.record(
  z.string(),
  z.object({ file: z.string(), css: z.array(z.string()).optional(), assets: z.array(z.string()).optional() }),
);

function builtPageDir(projectDir: string): string {
  return path.join(projectDir, "dist", "web");
}

/** A file of the page below `assets/`; `not-found` for anything else, whatever lies in the folder. */
export async function readPageAsset(projectDir: string, name: string): Promise<Buffer> {
  const place = `assets/${name}`;
  const named = await namedFiles(projectDir);
  if (!named.has(place)) throw new AppError({ kind: "not-found", message: `no file of the page is called ${name}` });
  return readFile(path.join(builtPageDir(projectDir), place));
}

export async function readBuiltPage(projectDir: string, name: "index.html" | "share/index.html"): Promise<string> {
  return readFile(path.join(builtPageDir(projectDir), name), "utf8").catch((cause: unknown) => {
    throw notBuilt(cause);
  });
}

/** Read anew each time: it is small, and `npm run dev:web` writes another one. */
async function namedFiles(projectDir: string): Promise<ReadonlySet<string>> {
  const text = await readFile(path.join(builtPageDir(projectDir), "manifest.json"), "utf8").catch((cause: unknown) => {
    throw notBuilt(cause);
  });
  const entries = Object.values(manifestSchema.parse(JSON.parse(text)));
  return new Set(entries.flatMap(({ file, css = [], assets = [] }) => [file, ...css, ...assets]));
}

function notBuilt(cause: unknown): AppError {
  const hint = "run npm run build:web, or npm start, which does";
  return new AppError({ kind: "unavailable", message: "read the built page: it is not there", hint, cause });
}
