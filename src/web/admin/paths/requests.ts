/** What the paths pages ask the API for, and what they send it. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";

import type {
  BatchReport,
  Config,
  ConfigAdopted,
  ConfigDrift,
  ConfigHistory,
  ConfigPreview,
  ConfigVersion,
  Path,
  ResolvedDrift,
  SettingList,
  TemplateList,
} from "../../api-types.js";
import { apiUrl, download, getJson, send } from "../../request.js";
import type { TakeOver } from "./drift-words.js";
import { type Draft, settingsOfNew } from "./fields.js";

const POLL_MS = 4_000;
const VERSIONS = 30;
const EXPORT_WITHIN_MS = 60_000;

/** What this MediaMTX takes; it changes when another one is started. */
export function useSettings() {
  return useQuery({
    queryKey: ["settings"],
    queryFn: ({ signal }) => getJson<SettingList>("api/v1/config/settings", signal),
    staleTime: 60_000,
  });
}

export function useTemplates() {
  return useQuery({
    queryKey: ["templates"],
    queryFn: ({ signal }) => getJson<TemplateList>("api/v1/config/templates", signal),
    staleTime: 60_000,
  });
}

/** Whether MediaMTX runs what stands here. */
export function useConfig() {
  return useQuery({
    queryKey: ["config"],
    queryFn: ({ signal }) => getJson<Config>("api/v1/config", signal),
    refetchInterval: POLL_MS,
  });
}

/** Asks MediaMTX itself, each time. */
export function useDrift() {
  return useQuery({
    queryKey: ["config-drift"],
    queryFn: ({ signal }) => getJson<ConfigDrift>("api/v1/config/drift", signal),
    refetchInterval: POLL_MS,
  });
}

/** With what it inherits. Undefined: one that is still to be added. */
export function usePath(name: string | undefined) {
  return useQuery({
    queryKey: ["path", name],
    queryFn: ({ signal }) => getJson<Path>(apiUrl("paths", { path: name ?? "" }), signal),
    enabled: name !== undefined,
  });
}

export function useHistory() {
  return useInfiniteQuery({
    queryKey: ["config-history"],
    queryFn: ({ signal, pageParam }): Promise<ConfigHistory> =>
      getJson<ConfigHistory>(
        apiUrl("config/history", { limit: VERSIONS, ...(pageParam === null ? {} : { cursor: pageParam }) }),
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page: ConfigHistory) => page.next,
  });
}

export function useVersion(version: number) {
  return useQuery({
    queryKey: ["config-version", version],
    queryFn: ({ signal }) => getJson<ConfigVersion>(`api/v1/config/history/${String(version)}`, signal),
  });
}

/** After a change: everything that tells of paths is asked for anew. */
export function useForgetPaths(): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    const keys = ["paths", "path", "config", "config-drift", "config-history", "config-version", "settings"];
    await Promise.all(keys.map((key) => queries.invalidateQueries({ queryKey: [key] })));
  };
}

type Change =
  | { readonly action: "create" | "update"; readonly name: string; readonly settings: Draft }
  | { readonly action: "delete"; readonly name: string };

/** Changes nothing. Throws what the change itself would throw. */
export function previewChanges(changes: readonly Change[]): Promise<ConfigPreview> {
  return send<ConfigPreview>("POST", "api/v1/config/preview", { changes });
}

export function previewRollback(version: number): Promise<ConfigPreview> {
  return send<ConfigPreview>("POST", "api/v1/config/preview", { rollbackTo: version });
}

export function addPath(name: string, draft: Draft): Promise<Path> {
  return send<Path>("POST", "api/v1/paths", { name, ...settingsOfNew(draft) });
}

export function changePath(name: string, draft: Draft): Promise<Path> {
  return send<Path>("PATCH", apiUrl("paths", { path: name }), draft);
}

export function removePath(name: string): Promise<unknown> {
  return send("DELETE", apiUrl("paths", { path: name }));
}

export function changePaths(of: {
  readonly names: readonly string[];
  readonly patch: Draft;
  readonly dryRun: boolean;
}): Promise<BatchReport> {
  return send<BatchReport>("POST", "api/v1/config/bulk", of);
}

export type ListFormat = "csv" | "yaml";

export interface ImportedList {
  readonly format: ListFormat;
  readonly text: string;
  readonly mode: "merge" | "replace";
}

export function importPaths(list: ImportedList, { dryRun }: { readonly dryRun: boolean }): Promise<BatchReport> {
  return send<BatchReport>("POST", "api/v1/config/paths", { ...list, dryRun });
}

/** As a file of the person's own. */
export function exportPaths(format: ListFormat): Promise<void> {
  return download(apiUrl("config/paths", { format }), AbortSignal.timeout(EXPORT_WITHIN_MS), () => undefined);
}

export function resolveDrift(
  takeOver: readonly TakeOver[],
  { dryRun }: { readonly dryRun: boolean },
): Promise<ResolvedDrift> {
  return send<ResolvedDrift>("POST", "api/v1/config/drift/resolve", { takeOver, dryRun });
}

export interface GivenConfig {
  readonly yaml: string;
  readonly leaveCommands: boolean;
}

export function adoptConfig(given: GivenConfig, { dryRun }: { readonly dryRun: boolean }): Promise<ConfigAdopted> {
  return send<ConfigAdopted>("POST", "api/v1/config/adopt", { ...given, dryRun });
}

export function rollBack(version: number): Promise<{ readonly version: number; readonly exact: boolean }> {
  return send("POST", "api/v1/config/rollback", { version });
}
