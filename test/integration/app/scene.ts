/** What the tests of the whole product begin with: an app, its store, and cameras, all ended with the test. */
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { onTestFinished } from "vitest";

import { type App, startApp } from "../../support/app.js";
import { type Camera, type CameraOptions, startCamera } from "../../support/camera.js";
import { type R2Proxy, startR2Proxy } from "../../support/r2-proxy.js";
import { mountDisk } from "../../support/tmpfs.js";
import { createTempDir, removeTempDir } from "../../support/temp-dir.js";
import type { TestedMediaMtxVersion } from "../../support/tools.js";
import { type S3Server, startS3Server } from "../../support/versitygw.js";
import { waitFor } from "../../support/wait-for.js";

export interface SceneOptions {
  readonly version?: TestedMediaMtxVersion;
  /** `{scene}` stands for the scene's directory. */
  readonly env?: Readonly<Record<string, string>>;
  /** Disks of their own, of that size, at these places below the scene's directory. */
  readonly disks?: Readonly<Record<string, string>>;
}

export interface Scene {
  /** Of the scene; the app's data lie in it. */
  readonly directory: string;
  readonly app: App;
  /** By the API; resolves when MediaMTX runs with it. */
  readonly addPath: (name: string, settings?: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly startCamera: (pathName: string, options?: Omit<CameraOptions, "url">) => Promise<Camera>;
  readonly close: () => Promise<void>;
}

export interface S3Scene extends Scene {
  readonly server: S3Server;
}

export interface ProxyScene extends S3Scene {
  readonly proxy: R2Proxy;
}

/** With the folder store. The caller closes it, by a hook. */
export function openFolderScene(options: SceneOptions = {}): Promise<Scene> {
  return open(async (directory, closers) => createScene({ ...options, directory }, closers));
}

/** With versitygw as the bucket. The caller closes it, by a hook. */
export function openS3Scene(options: SceneOptions = {}): Promise<S3Scene> {
  return open(async (directory, closers) => {
    const server = await startServer(directory, closers);
    const scene = await createScene({ ...options, directory, store: { server } }, closers);
    return { ...scene, server };
  });
}

/** Inside a test: with the folder store. */
export async function folderScene(options: SceneOptions = {}): Promise<Scene> {
  return ended(await openFolderScene(options));
}

/** Inside a test: with versitygw as the bucket. */
export async function s3Scene(options: SceneOptions = {}): Promise<S3Scene> {
  return ended(await openS3Scene(options));
}

/** Inside a test: with versitygw behind the R2 proxy, which can do harm. */
export async function proxyScene(options: SceneOptions = {}): Promise<ProxyScene> {
  const scene = await open(async (directory, closers): Promise<ProxyScene> => {
    const server = await startServer(directory, closers);
    const proxy = await startR2Proxy({ server });
    closers.push(() => proxy.stop());
    const store = { server, endpoint: proxy.endpoint };
    return { ...(await createScene({ ...options, directory, store }, closers)), server, proxy };
  });
  return ended(scene);
}

type Closer = () => Promise<unknown>;

/** What was opened is closed in reverse order, also when the next thing cannot be opened. */
async function open<T>(create: (directory: string, closers: Closer[]) => Promise<T>): Promise<T> {
  const directory = await createTempDir();
  const closers: Closer[] = [() => removeTempDir(directory)];
  try {
    return await create(directory, closers);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

async function closeAll(closers: Closer[]): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

async function startServer(directory: string, closers: Closer[]): Promise<S3Server> {
  const buckets = path.join(directory, "buckets");
  await mkdir(buckets);
  const server = await startS3Server({ directory: buckets });
  closers.push(() => server.stop());
  return server;
}

async function createScene(
  options: Parameters<typeof startApp>[0] & Pick<SceneOptions, "disks">,
  closers: Closer[],
): Promise<Scene> {
  for (const [place, size] of Object.entries(options.disks ?? {})) {
    closers.push(await mountDisk(path.join(options.directory, place), size));
  }
  const env = Object.entries(options.env ?? {}).map(([name, value]) => [
    name,
    value.replace("{scene}", options.directory),
  ]);
  const app = await startApp({ ...options, env: Object.fromEntries(env) as Record<string, string> });
  closers.push(() => app.close());
  return {
    directory: options.directory,
    app,
    addPath: async (name, settings = {}) => {
      await app.post("/api/v1/paths", { name, record: true, ...settings });
      await configured(app, name);
    },
    startCamera: async (pathName, cameraOptions = {}) => {
      const camera = await startCamera({ url: app.rtspUrl(pathName), ...cameraOptions });
      closers.push(() => camera.stop());
      return camera;
    },
    close: () => closeAll(closers),
  };
}

/** Resolves when MediaMTX runs what the path says. */
export async function configured(app: App, name: string): Promise<void> {
  await waitFor(`MediaMTX to run with ${name}`, async () => {
    const { config } = await app.get<{ config: { applied: boolean } }>(`/api/v1/paths/${name}`);
    return config.applied;
  });
}

/** A process that ended and that nobody has waited for yet does not run. */
export function isRunning(pid: number | undefined): boolean {
  try {
    return readFileSync(`/proc/${pid ?? "none"}/cmdline`, "utf8") !== "";
  } catch {
    return false;
  }
}

function ended<T extends Scene>(scene: T): T {
  onTestFinished(async ({ task }) => {
    if (task.result?.state === "fail") process.stderr.write(scene.app.dump());
    await scene.close();
  });
  return scene;
}
