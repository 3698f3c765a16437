/** The fault points as the sources name them, so that a new one is swept by itself. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { STEPS } from "../../../src/core/recording.js";

const SOURCE_DIR = path.resolve(import.meta.dirname, "../../../src");
const CALL = /faultPoint\((?:"([^"]+)"|`\$\{step\}([^`]+)`|[^)]*)\)/g;

/** Throws for a point whose name cannot be read. */
export async function faultPointsInSource(): Promise<string[]> {
  const points = new Set<string>();
  for (const file of await readdir(SOURCE_DIR, { recursive: true })) {
    if (!file.endsWith(".ts")) continue;
    for (const [call, name, ofStep] of (await readFile(path.join(SOURCE_DIR, file), "utf8")).matchAll(CALL)) {
      if (name !== undefined) points.add(name);
      else if (ofStep !== undefined) for (const step of STEPS) points.add(step + ofStep);
      else throw new Error(`${file}: which point is ${call}?`);
    }
  }
  return [...points].sort();
}

/** Swept in tests of their own: sealed-secrets.test.ts and config-apply.test.ts. */
export function isSweptElsewhere(point: string): boolean {
  return ["seal.", "rotate.", "edit.", "adopt."].some((start) => point.startsWith(start));
}

/** Reached with a bucket behind S3, and not with a folder. */
export function isOfS3(point: string): boolean {
  return point.startsWith("s3.") || point.startsWith("multipart.");
}

/** Reached with a folder, and not with a bucket behind S3. */
export function isOfFolder(point: string): boolean {
  return point.startsWith("folder.");
}
