/** Where a tool of ffmpeg's family is, and what of our environment it may know: enough to be found and linked, no secret. */
import { access, constants, stat } from "node:fs/promises";
import path from "node:path";

const PASSED_ON = ["PATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR", "SystemRoot"];

/** The first of this name in the PATH; undefined when there is none. Relative directories do not count. */
export async function findInPath(name: string, env: Readonly<NodeJS.ProcessEnv>): Promise<string | undefined> {
  const fileName = process.platform === "win32" ? `${name}.exe` : name;
  for (const directory of (env["PATH"] ?? "").split(path.delimiter)) {
    const candidate = path.join(directory, fileName);
    if (path.isAbsolute(directory) && (await isExecutable(candidate))) return candidate;
  }
  return undefined;
}

export async function isExecutable(filePath: string): Promise<boolean> {
  try {
    await access(filePath, constants.X_OK);
    return (await stat(filePath)).isFile();
  } catch {
    return false;
  }
}

export function toolEnvironment(env: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv {
  return Object.fromEntries(PASSED_ON.map((name) => [name, env[name]]));
}
