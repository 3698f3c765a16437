/** The executable that a shell would start for a name, or undefined. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import path from "node:path";

export async function findOnPath(name: string, env: Readonly<NodeJS.ProcessEnv>): Promise<string | undefined> {
  const fileName = process.platform === "win32" ? `${name}.exe` : name;
  for (const directory of (env["PATH"] ?? "").split(path.delimiter)) {
    if (directory === "") continue;
    const candidate = path.resolve(directory, fileName);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(filePath: string): Promise<boolean> {
  try {
    await access(filePath, constants.X_OK);
    return (await stat(filePath)).isFile();
  } catch {
    // NOTE: a directory of PATH that we may not read is no place to start a program from either.
    return false;
  }
}
