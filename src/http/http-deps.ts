/** Everything that routes need from the rest, and nothing more. */
import type { ObjectStore } from "../archive/object-store.js";
import type { PaceReport } from "../archive/upload-pace.js";
import type { BacklogPart } from "../catalog/archive-summary.js";
import type { AccessRules } from "../access/caller.js";
import type { Identity } from "../access/identity.js";
import type { LoginLimit } from "../access/login-limit.js";
import type { Oidc } from "../access/oidc.js";
import type { Passwords } from "../access/passwords.js";
import type { StreamAccess } from "../access/stream-access.js";
import type { BackupState } from "../backup/daily-backup.js";
import type { Catalog } from "../catalog/catalog.js";
import type { DeletionStop, Doubt } from "../core/deletion-doubt.js";
import type { GroupRole } from "../core/group-roles.js";
import type { PathName } from "../core/path-name.js";
import type { RecordingId } from "../core/recording.js";
import type { HealthCheck } from "../doctor/health.js";
import type { SegmentNote, SourceNote } from "../ingest/note-hook.js";
import type { ScanState } from "../ingest/scanner.js";
import type { Logger } from "../platform/logger.js";
import type { SpareBuffers } from "../platform/spare-buffers.js";
import type { Turns } from "../platform/turns.js";
import type { UrgentWork } from "../platform/urgent-work.js";
import type { Exports } from "../playback/exports.js";
import type { GrowingFiles } from "../playback/growing-files.js";
import type { PlaybackDeps } from "../playback/playback-deps.js";
import type { Sprites } from "../playback/sprites.js";
import type { Thumbnails } from "../playback/thumbnails.js";
import type { Transcoder } from "../playback/transcoder.js";
import type { WholeFiles } from "../playback/whole-files.js";
import type { ConfigAdopt } from "../streams/config-adopt.js";
import type { ConfigAdmin } from "../streams/config-admin.js";
import type { ConfigDrift } from "../streams/config-drift.js";
import type { ConfigState, PathAdmin } from "../streams/path-admin.js";
import type { PathBatches } from "../streams/path-batch.js";
import type { AuthenticateDeps } from "./authenticate.js";
import type { Hardening } from "./hardening.js";

export interface HttpDeps extends Pick<AuthenticateDeps, "identify" | "principals" | "signer"> {
  readonly catalog: Catalog;
  readonly logger: Logger;
  readonly urgent: UrgentWork;
  readonly turns: Turns;
  /** Of files on their way to viewers. */
  readonly blocks: SpareBuffers;
  readonly access: AccessRules;
  readonly login: {
    /** Null while LOGIN=off. */
    readonly identity: Identity | null;
    readonly passwords: Passwords;
    readonly limit: LoginLimit;
    /** Cookies go over HTTPS only. */
    readonly isSecure: boolean;
    /** Null: people log in by password alone. */
    readonly elsewhere: LoginElsewhere | null;
  };
  readonly hardening: Hardening;
  readonly streams: StreamAccess;
  /** Holds `dist/web`, `src/http/page` and `node_modules`. */
  readonly projectDir: string;
  readonly recordDir: string;
  readonly store: ObjectStore;
  readonly playback: PlaybackDeps;
  readonly exports: Pick<Exports, "submit" | "cancel">;
  readonly thumbnails: Pick<Thumbnails, "locate" | "read">;
  readonly sprites: Pick<Sprites, "locate" | "read">;
  readonly growing: GrowingFiles;
  readonly wholeFiles: WholeFiles;
  /** Null: switched off. */
  readonly transcoder: Pick<Transcoder, "read"> | null;
  /** Who sends a viewer what is only in the store: the store itself, or we. */
  readonly playbackArchive: "direct" | "proxy";
  /** Where players are sent for archived footage; null: to nobody else. */
  readonly bucketOrigin: string | null;
  /** Public address of the bucket; null when it has none. */
  readonly publicUrl: string | null;
  readonly paths: PathAdmin;
  readonly pathBatches: PathBatches;
  /** What the base configuration says of a path. */
  readonly inheritedSettings: () => Promise<(path: string) => Readonly<Record<string, unknown>>>;
  readonly templates: () => Promise<readonly { readonly id: string; readonly description: string }[]>;
  /** Of the MediaMTX that runs. */
  readonly mediamtxVersion: () => string;
  readonly config: ConfigAdmin;
  readonly drift: ConfigDrift;
  readonly adopt: ConfigAdopt;
  readonly hooks: {
    readonly noteSegment: (kind: "segment-create" | "segment-complete", note: SegmentNote) => Promise<RecordingId>;
    readonly noteSource: (kind: "ready" | "not-ready", note: SourceNote) => Promise<void>;
    readonly answered: (kind: string, result: string, seconds: number) => void;
  };
  readonly scanner: { readonly state: () => ScanState; readonly request: () => void };
  readonly pace: { report(): PaceReport };
  readonly backlog: () => Promise<readonly BacklogPart[]>;
  /** Rows may be due now. */
  readonly wake: () => void;
  readonly deletions: {
    readonly list: () => Promise<readonly DeletionStop[]>;
    /** Those that were released. */
    readonly release: (doubts: readonly Doubt[]) => Promise<readonly DeletionStop[]>;
  };
  readonly health: () => Promise<readonly HealthCheck[]>;
  /** Of the database; null where Reelkeeper makes none. */
  readonly backup: () => BackupState | null;
  readonly metrics: () => Promise<string>;
  readonly configState: () => ConfigState & { readonly drift: boolean };
  /** Which paths are live now, by MediaMTX itself. Throws `unavailable`. */
  readonly livePaths: () => Promise<ReadonlyMap<PathName, LivePath>>;
  /** Where cameras publish to, for people. */
  readonly publishUrls: () => readonly string[];
}

export interface LoginElsewhere {
  readonly provider: Pick<Oidc, "begin" | "finish">;
  readonly groupRoles: readonly GroupRole[];
  /** Of our own page, without a slash at its end. */
  readonly publicUrl: string;
}

export interface LivePath {
  readonly online: boolean;
  readonly source: string | null;
}
