/**
 * The MediaMTX that records for us: an embedded one that we start and supervise, or an external one whose configuration
 * we write. Owns nothing but the order in which its parts begin and end.
 */
import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { AppError, describeError } from "../core/errors.js";
import type { Clock } from "../platform/clock.js";
import { ensureDirectory } from "../platform/files.js";
import type { Logger } from "../platform/logger.js";
import type { ServerAuth } from "./auth-settings.js";
import { type InheritedSettings, readInherited } from "./base-document.js";
import { findOrGetMediaMtx, type MediaMtxBinary } from "./binary.js";
import { type ConfiguredPath, renderConfig } from "./config-document.js";
import { type Adoption, takeApart } from "./adopt-document.js";
import { BaseFile } from "./base-file.js";
import { compareConfigs, type Reconnect } from "./config-diff.js";
import { compareThree, type ConfigDifference, judgeFile } from "./config-differences.js";
import { type Drift, findDrift } from "./config-drift.js";
import { ConfigPublisher, type ConfigPublisherState } from "./config-publisher.js";
import { type ControlApi, createControlApi, type ServerPath, type ServerSession } from "./control-api.js";
import { hookCommandOf, installHook } from "./install-hook.js";
import { type PublishAddresses, publishAddresses } from "./publish-addresses.js";
import { type MediaMtxStart, MediaMtxSupervisor } from "./supervisor.js";
import { runningReconnects } from "./running-reconnects.js";
import { readTemplates, type Template } from "./templates.js";
import { validateConfig } from "./validate-config.js";

export interface MediaMtxOptions {
  readonly mode: "embedded" | "external";
  readonly bin: string | null;
  readonly version: string;
  readonly downloadUrl: string;
  readonly cacheDir: string;
  readonly listen: "loopback" | "all";
  readonly apiUrl: string;
  readonly apiUser: string;
  readonly apiPassword: string;
  readonly baseConfigFile: string;
  readonly configDir: string;
  /** In MediaMTX's mount namespace. */
  readonly recordDir: string;
  /** Null: the hook in `configDir`; "none": no hooks. */
  readonly hookCommand: string | null;
  /** Of commands that a path may name; null: none. */
  readonly templatesFile: string | null;
  readonly hookSecret: string;
  readonly auth: ServerAuth;
  readonly projectDir: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

export interface MediaMtxDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly listPaths: () => Promise<readonly ConfiguredPath[]>;
  /** Where the server takes tokens only. */
  readonly bearer: (() => Promise<string>) | undefined;
  /** Of an embedded server. */
  readonly onStart?: (start: MediaMtxStart) => void;
  /** It ended, by itself or because it was asked to. */
  readonly onEnd?: () => void;
}

export interface MediaMtxState {
  readonly mode: "embedded" | "external";
  readonly version: string;
  /** Null while the Control API answers. */
  readonly error: string | null;
  readonly restarts: number;
  readonly config: ConfigPublisherState;
}

interface ConfigComparison {
  /** What paths and base make, and what lies on the disk; null: nothing. */
  readonly table: string;
  readonly file: string | null;
  readonly differences: readonly ConfigDifference[];
  /** Why the server cannot be asked. */
  readonly serverError: string | null;
  /** Whom another file would cut off; where the server cannot be asked, as if it ran the file. */
  readonly reconnectsTo: (after: string) => readonly Reconnect[];
}

const READY_WITHIN_MS = 15_000;
const ASK_WITHIN_MS = 5_000;

export class MediaMtx {
  readonly #deps: MediaMtxDeps;
  readonly #options: MediaMtxOptions;
  readonly #configFile: string;
  readonly #api: ControlApi;
  readonly #publisher: ConfigPublisher;
  #binary: MediaMtxBinary | undefined;
  #supervisor: MediaMtxSupervisor | undefined;
  #version: string;
  #error: string | null = null;
  #addresses: PublishAddresses = { rtspPort: 8_554, urls: [] };

  constructor(deps: MediaMtxDeps, options: MediaMtxOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#version = options.version;
    this.#configFile = path.join(options.configDir, "mediamtx.yml");
    const { apiUrl: baseUrl, apiUser: user, apiPassword: password } = options;
    this.#api = createControlApi({ baseUrl, user, password, bearer: deps.bearer });
    this.#publisher = new ConfigPublisher({
      clock: deps.clock,
      log: deps.logger,
      configFile: this.#configFile,
      // A MediaMTX that somebody else starts may run as another user of our group.
      fileMode: options.mode === "embedded" ? 0o600 : 0o640,
      render: () => this.render(),
      validate: (file, signal) => this.#validateFile(file, signal),
      judgeFile,
      readServer: (signal) => this.#readServer(signal),
    });
  }

  /** Finds, downloads or builds the executable of an embedded server; nothing to do for an external one. */
  async prepare(signal: AbortSignal): Promise<void> {
    await ensureDirectory(this.#options.configDir);
    if (this.#options.mode === "external") {
      await this.askVersion(signal);
      return;
    }
    this.#binary = await findOrGetMediaMtx({ log: this.#deps.logger, signal, clock: this.#deps.clock }, this.#options);
    this.#version = this.#binary.version;
  }

  /** Of an external server; one that asks us first does not answer before we do. */
  async askVersion(signal: AbortSignal): Promise<void> {
    if (this.#options.mode !== "external") return;
    const within = AbortSignal.any([signal, AbortSignal.timeout(ASK_WITHIN_MS)]);
    const info = await this.#api.info(within).catch(() => undefined);
    if (info !== undefined) this.#version = info.version.replace(/^v/, "");
  }

  /** `hookUrl`: where MediaMTX reaches us; null leaves that to the environment of an external server. */
  async start(hookUrl: string | null): Promise<void> {
    const { hookSecret, configDir, projectDir } = this.#options;
    await installHook({ projectDir, configDir, url: hookUrl, secret: hookSecret });
    await this.#publisher.writeNow();
    this.#addresses = publishAddresses(await this.render(), this.#hostName());
    if (this.#binary !== undefined) await this.#startEmbedded(this.#binary);
    this.#publisher.start();
    this.#publisher.requestApply();
  }

  /** Ends an embedded server first, so that its last hooks still find us. */
  async stop(): Promise<void> {
    await this.#publisher.stop();
    if (this.#supervisor === undefined) return;
    await this.#supervisor.stop();
    this.#deps.onEnd?.();
  }

  requestApply(): void {
    this.#publisher.requestApply();
  }

  /** Throws `failed-precondition` with MediaMTX's own reason when it would refuse these paths. */
  async validatePaths(paths: readonly ConfiguredPath[], signal: AbortSignal): Promise<void> {
    await this.#validateText((await this.renderPaths(paths)).yaml, signal);
  }

  async #validateText(text: string, signal: AbortSignal): Promise<void> {
    if (this.#binary === undefined) return;
    const candidate = path.join(this.#options.configDir, `.candidate-${randomUUID()}.yml`);
    try {
      await writeFile(candidate, text, { mode: 0o600 });
      await this.#validateFile(candidate, signal);
    } finally {
      await rm(candidate, { force: true });
    }
  }

  /** The text of mediamtx.yml as paths and base say now. */
  async render(): Promise<string> {
    return (await this.renderPaths(await this.#deps.listPaths())).yaml;
  }

  /** The text that these paths would make, and the base that was read for it. */
  async renderPaths(paths: readonly ConfiguredPath[]): Promise<{ readonly yaml: string; readonly baseYaml: string }> {
    const baseYaml = await readFile(this.#options.baseConfigFile, "utf8");
    return { yaml: await this.#render(paths, baseYaml), baseYaml };
  }

  /** The text that these paths would make over another base. Throws when MediaMTX would refuse it. */
  async tryBase(baseYaml: string, paths: readonly ConfiguredPath[], signal: AbortSignal): Promise<string> {
    const text = await this.#render(paths, baseYaml);
    await this.#validateText(text, signal);
    return text;
  }

  takeApart(text: string, of: { readonly mayNameFiles: boolean }): Promise<Adoption> {
    return this.templates().then((templates) => takeApart(text, { ...of, templates, version: this.#version }));
  }

  /** The admin's base file. */
  baseFile(): BaseFile {
    const { baseConfigFile, projectDir } = this.#options;
    return new BaseFile(baseConfigFile, path.join(projectDir, "mediamtx", "base.yml"));
  }

  /** Where the server runs something else than `render` says. Throws `unavailable` when it cannot be asked. */
  async findDrift(signal: AbortSignal): Promise<readonly Drift[]> {
    return findDrift(await this.render(), await this.#readServer(signal));
  }

  /** Where paths and base, the file, and the server say different things. */
  async compare(signal: AbortSignal): Promise<ConfigComparison> {
    const [table, file] = [await this.render(), await readFile(this.#configFile, "utf8").catch(() => null)];
    try {
      const server = await this.#readServer(signal);
      const reconnectsTo = (after: string) => runningReconnects({ server, file, after });
      return { table, file, differences: compareThree({ table, file, server }), serverError: null, reconnectsTo };
    } catch (error) {
      const reconnectsTo = (after: string) => compareConfigs(file ?? after, after).reconnects;
      const differences = compareThree({ table, file, server: null });
      return { table, file, differences, serverError: describeError(error), reconnectsTo };
    }
  }

  templates(): Promise<readonly Template[]> {
    return readTemplates(this.#options.templatesFile);
  }

  /** What a path gets where its row says nothing. */
  async inherited(): Promise<InheritedSettings> {
    return readInherited(await readFile(this.#options.baseConfigFile, "utf8"));
  }

  state(): MediaMtxState {
    return {
      mode: this.#options.mode,
      version: this.#version,
      error: this.#error,
      restarts: this.#supervisor?.status().restarts ?? 0,
      config: this.#publisher.state(),
    };
  }

  /** When the embedded server was started: files last written before are closed. Null: unknown. */
  startedAtUs(): number | null {
    return this.#supervisor?.status().process?.startedAtUs ?? null;
  }

  publishUrls(): readonly string[] {
    return this.#addresses.urls;
  }

  rtspPort(): number {
    return this.#addresses.rtspPort;
  }

  listPaths(): Promise<readonly ServerPath[]> {
    return this.#api.listPaths(AbortSignal.timeout(ASK_WITHIN_MS));
  }

  listSessions(signal: AbortSignal): Promise<readonly ServerSession[]> {
    return this.#api.listSessions(signal);
  }

  kickSession(session: Pick<ServerSession, "kind" | "id">, signal: AbortSignal): Promise<void> {
    return this.#api.kickSession(session, signal);
  }

  #hostName(): string {
    const { mode, listen, apiUrl } = this.#options;
    if (mode === "external") return new URL(apiUrl).hostname;
    return listen === "all" ? os.hostname() : "127.0.0.1";
  }

  async #startEmbedded(binary: MediaMtxBinary): Promise<void> {
    const { configDir, env } = this.#options;
    this.#supervisor = new MediaMtxSupervisor(
      {
        log: this.#deps.logger,
        clock: this.#deps.clock,
        probe: (signal) => this.#api.info(signal),
        onStart: (start) => this.#deps.onStart?.(start),
        onExit: () => this.#deps.onEnd?.(),
      },
      {
        bin: binary.path,
        configFile: this.#configFile,
        logFile: path.join(configDir, "mediamtx.log"),
        pidFile: path.join(configDir, "mediamtx.pid"),
        env,
        extraEnv: {},
      },
    );
    await this.#supervisor.start();
    await this.#supervisor.waitUntilReady(AbortSignal.timeout(READY_WITHIN_MS));
  }

  async #render(paths: readonly ConfiguredPath[], baseYaml: string): Promise<string> {
    const { mode, listen, apiUrl, apiUser, apiPassword, recordDir, auth } = this.#options;
    return renderConfig({
      baseYaml,
      paths,
      recordDir,
      hookCommand: await this.#hookCommand(),
      api: { address: mode === "embedded" ? new URL(apiUrl).host : null, user: apiUser, password: apiPassword },
      mode,
      listen,
      version: this.#version,
      auth,
      templates: await this.templates(),
    });
  }

  async #hookCommand(): Promise<string | null> {
    const { mode, hookCommand, configDir, env } = this.#options;
    if (hookCommand !== null) return hookCommand === "none" ? null : hookCommand;
    return hookCommandOf(configDir, mode === "embedded" ? env : null);
  }

  async #validateFile(configFile: string, signal: AbortSignal): Promise<void> {
    if (this.#binary === undefined) return;
    const { path: bin, version } = this.#binary;
    const verdict = await validateConfig({ bin, version, configFile, env: this.#options.env, signal });
    if (verdict.kind !== "invalid") return;
    throw new AppError({
      kind: "failed-precondition",
      message: `MediaMTX refuses the configuration: ${verdict.reason}`,
      hint: "the last good configuration stays in force",
    });
  }

  async #readServer(signal: AbortSignal) {
    try {
      const [global, pathDefaults, paths] = await Promise.all([
        this.#api.globalConfig(signal),
        this.#api.pathDefaults(signal),
        this.#api.listPathConfigs(signal),
      ]);
      this.#error = null;
      return { global, pathDefaults, paths };
    } catch (error) {
      this.#error = describeError(error);
      throw error;
    }
  }
}
