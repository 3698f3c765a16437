/** A stand-in for the release host: one archive and its checksums, with the faults that a test asks for. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { promisify } from "node:util";

import { onTestFinished } from "vitest";

export const MACHINE = { platform: "linux", arch: "x64", armVersion: undefined };
export const ARCHIVE = "mediamtx_v1.21.0_linux_amd64.tar.gz";

export type Fault = "wrong checksum" | "no checksums" | "other checksums" | "truncated" | "hang" | "404";

export interface ReleaseServer {
  readonly url: string;
  /** Names of the files asked for, in order. */
  readonly requested: string[];
}

/** Serves `/v1.21.0/…`, where the archive holds a program that says `version`. */
export async function startReleaseServer(directory: string, version: string, fault?: Fault): Promise<ReleaseServer> {
  const archive = await buildArchive(directory, version);
  const sum = createHash("sha256")
    .update(fault === "wrong checksum" ? "something else" : archive)
    .digest("hex");
  const requested: string[] = [];
  const server = createServer((request, response) => {
    const name = path.basename(request.url ?? "");
    requested.push(name);
    if (fault === "404" || !(request.url ?? "").startsWith("/v1.21.0/")) response.writeHead(404).end();
    else if (name === "checksums.sha256") answerChecksums(response, { sum, fault });
    else answerArchive(response, { archive, fault });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requested };
}

function answerChecksums(response: ServerResponse, { sum, fault }: { sum: string; fault: Fault | undefined }): void {
  if (fault === "no checksums") response.writeHead(404).end("not found");
  else response.end(`${sum} *${fault === "other checksums" ? "something_else.tar.gz" : ARCHIVE}\n`);
}

function answerArchive(
  response: ServerResponse,
  { archive, fault }: { archive: Buffer; fault: Fault | undefined },
): void {
  response.writeHead(200, { "content-length": archive.length });
  const half = archive.subarray(0, Math.floor(archive.length / 2));
  if (fault === "truncated") response.write(half, () => response.destroy());
  else if (fault === "hang") response.write(half);
  else response.end(archive);
}

async function buildArchive(directory: string, version: string): Promise<Buffer> {
  const content = path.join(directory, "release");
  await mkdir(content);
  await writeProgram(path.join(content, "mediamtx"), fakeMediaMtx(version));
  await writeFile(path.join(content, "mediamtx.yml"), "paths: {}\n");
  const archive = path.join(directory, "release.tar.gz");
  await promisify(execFile)("tar", ["-C", content, "-czf", archive, "mediamtx", "mediamtx.yml"]);
  return readFile(archive);
}

export function fakeMediaMtx(version: string): string {
  return `#!/bin/sh\n[ "$1" = --version ] && echo v${version}\n`;
}

export async function writeProgram(file: string, script: string): Promise<void> {
  await writeFile(file, script);
  await chmod(file, 0o755);
}

/** A PATH with tar and a shell and nothing else, so that what is installed on the machine plays no part. */
export async function minimalPath(directory: string): Promise<string> {
  const bin = path.join(directory, "bin");
  await mkdir(bin);
  for (const program of ["tar", "gzip", "sh", "mkdir", "cp", "cat", "chmod", "touch"]) {
    const { stdout } = await promisify(execFile)("sh", ["-c", `command -v ${program}`]);
    await symlink(stdout.trim(), path.join(bin, program));
  }
  return bin;
}
