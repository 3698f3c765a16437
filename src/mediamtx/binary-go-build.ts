/**
 * MediaMTX built from its published Go module, for machines that reach a module proxy but no release. The module
 * lacks two files that its release process generates: its own version, and hls.js, which comes from npm.
 */
import { chmod, copyFile, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { AppError } from "../core/errors.js";
import type { Logger } from "../platform/logger.js";
import { findOnPath } from "./find-on-path.js";
import { runTool } from "./run-command.js";

const MODULE = "github.com/bluenviron/mediamtx";
const STEP_TIMEOUT_MS = 20 * 60_000;

export interface GoBuildRequest {
  readonly version: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly directory: string;
  /** Name of the executable, in `directory`. */
  readonly executable: string;
}

interface Context {
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The built executable. Throws `failed-precondition` when `go` is missing or a step fails. */
export async function buildWithGo(context: Context, request: GoBuildRequest): Promise<string> {
  const { version, directory } = request;
  const go = await findOnPath("go", request.env);
  if (go === undefined) throw new AppError({ kind: "failed-precondition", message: "go is not on PATH" });
  const options = {
    cwd: directory,
    env: { ...request.env, GOWORK: "off", CGO_ENABLED: "0" },
    timeoutMs: STEP_TIMEOUT_MS,
    signal: context.signal,
  };
  const step = (progress: string, args: readonly string[]): Promise<string> => {
    context.log.info("building MediaMTX with Go", { version, step: progress });
    return runTool(go, args, options);
  };
  await writeFile(path.join(directory, "go.mod"), "module build\n\ngo 1.25\n");
  await step("1 of 3: fetching the sources", ["get", "-tool", `${MODULE}@v${version}`]);
  const listed = await runTool(go, ["list", "-m", "-f", "{{.Dir}}", MODULE], options);
  await step("2 of 3: collecting the dependencies", ["mod", "vendor", "-e"]);
  await addGeneratedFiles({ ...request, ...options, sourceDir: lastLine(listed) });
  const built = path.join(directory, request.executable);
  await step("3 of 3: compiling, this takes minutes", ["build", "-mod=vendor", "-buildvcs=false", "-o", built, MODULE]);
  await chmod(built, 0o755);
  return built;
}

interface Generation {
  readonly version: string;
  readonly directory: string;
  readonly sourceDir: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

async function addGeneratedFiles(generation: Generation): Promise<void> {
  const { directory, sourceDir } = generation;
  const internal = path.join(directory, "vendor", ...MODULE.split("/"), "internal");
  await writeFile(path.join(internal, "core", "VERSION"), `v${generation.version}`);
  const wanted = await readFile(path.join(sourceDir, "internal/servers/hls/hlsjsdownloader/VERSION"), "utf8");
  const hlsVersion = wanted.trim().replace(/^v/, "");
  if (!/^\d+\.\d+\.\d+$/.test(hlsVersion)) {
    throw new AppError({ kind: "failed-precondition", message: `hls.js version "${hlsVersion}", expected x.y.z` });
  }
  const options = { ...generation, cwd: directory };
  await runTool("npm", ["pack", "--silent", `hls.js@${hlsVersion}`], options);
  await runTool("tar", ["-xzf", `hls.js-${hlsVersion}.tgz`, "package/dist/hls.min.js"], options);
  await copyFile(
    path.join(directory, "package", "dist", "hls.min.js"),
    path.join(internal, "servers", "hls", "hls.min.js"),
  );
}

function lastLine(output: string): string {
  return output.trim().split("\n").at(-1) ?? "";
}
