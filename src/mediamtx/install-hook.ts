/**
 * Puts the hook where MediaMTX finds it and says which command runs it. The command is a constant: a changed hook
 * string reconnects every camera, so what varies (address, secret) lies in `hook.env` beside the script.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";

import { writeFileAtomically } from "../platform/files.js";
import { findOnPath } from "./find-on-path.js";

export interface HookInstall {
  /** Holds `mediamtx/hook.sh` and `mediamtx/hook.mjs`. */
  readonly projectDir: string;
  readonly configDir: string;
  /** Null: MediaMTX's own environment says it (it may see us under another address). */
  readonly url: string | null;
  readonly secret: string;
}

/** Writes script, address and secret; `hookCommandOf` runs them. */
export async function installHook(install: HookInstall): Promise<void> {
  const { projectDir, configDir } = install;
  for (const name of ["hook.sh", "hook.mjs"]) {
    await writeFileAtomically(
      path.join(configDir, name),
      await readFile(path.join(projectDir, "mediamtx", name)),
      0o755,
    );
  }
  const secretFile = path.join(configDir, "hook-secret");
  await writeFileAtomically(secretFile, `${install.secret}\n`, 0o600);
  const settings = [
    ...(install.url === null ? [] : [`REELKEEPER_URL=${install.url}`]),
    `REELKEEPER_HOOK_SECRET_FILE=${secretFile}`,
  ];
  await writeFileAtomically(path.join(configDir, "hook.env"), `${settings.join("\n")}\n`, 0o644);
}

/**
 * The command to which the configuration appends the event's name. `env` is what the MediaMTX that runs it inherits;
 * null when it runs in a container or on another machine.
 */
export async function hookCommandOf(configDir: string, env: Readonly<NodeJS.ProcessEnv> | null): Promise<string> {
  return (await canRunShellHook(env))
    ? `sh "${path.join(configDir, "hook.sh")}"`
    : `"${process.execPath}" "${path.join(configDir, "hook.mjs")}"`;
}

/** MediaMTX's -ffmpeg image has busybox; on our own machine we can look. */
async function canRunShellHook(env: Readonly<NodeJS.ProcessEnv> | null): Promise<boolean> {
  if (env === null) return true;
  const has = async (name: string): Promise<boolean> => (await findOnPath(name, env)) !== undefined;
  return (await has("sh")) && ((await has("curl")) || (await has("wget")) || (await has("busybox")));
}
