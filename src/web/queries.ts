/**
 * What the page asks the API for, and how often. Nothing is asked while the page is hidden, and what tells of the whole
 * only for those who see every path.
 */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";

import type { ArchiveStatus, Days, ExportList, Health, PathList, RecordingPage, Timeline } from "./api-types.js";
import { seesAll, useMe } from "./me.js";
import { apiUrl, getJson, isoOf } from "./request.js";
import type { TimeView } from "./time-scale.js";

const POLL_MS = 2_000;
const PAGE_ROWS = 50;

export function usePaths() {
  return useQuery({
    queryKey: ["paths"],
    queryFn: ({ signal }) => getJson<PathList>("api/v1/paths", signal),
    refetchInterval: POLL_MS * 2,
  });
}

export function useArchive() {
  return useQuery({
    queryKey: ["archive"],
    queryFn: ({ signal }) => getJson<ArchiveStatus>("api/v1/archive", signal),
    enabled: seesAll(useMe()),
    refetchInterval: POLL_MS,
  });
}

export function useHealth() {
  return useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => getJson<Health>("api/v1/health/details", signal),
    enabled: seesAll(useMe()),
    refetchInterval: POLL_MS,
  });
}

/** Newest first; of all paths when none is named; of a range when one is. */
export function useRecordings(paths: readonly string[], range: TimeView | undefined) {
  const query = {
    ...(paths.length === 0 ? {} : { path: paths }),
    ...(range === undefined ? {} : { from: isoOf(range.fromMs), to: isoOf(range.toMs) }),
    limit: PAGE_ROWS,
  };
  return useInfiniteQuery({
    queryKey: ["recordings", query],
    queryFn: ({ signal, pageParam }): Promise<RecordingPage> =>
      getJson<RecordingPage>(
        apiUrl("recordings", { ...query, ...(pageParam === null ? {} : { cursor: pageParam }) }),
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page: RecordingPage) => page.nextCursor,
    // Each page that is shown is asked for again, so that more of them are asked for less often.
    refetchInterval: ({ state }) => POLL_MS * Math.max(1, state.data?.pages.length ?? 1),
    ...(range === undefined ? {} : { placeholderData: keepPreviousData }),
  });
}

/** The newest recording of a path; null when it has none. */
export function useNewest(path: string | undefined) {
  return useQuery({
    queryKey: ["newest", path],
    queryFn: ({ signal }) => getJson<RecordingPage>(apiUrl("recordings", { path: path ?? "", limit: 1 }), signal),
    select: ({ items }) => items[0] ?? null,
    enabled: path !== undefined,
    refetchInterval: POLL_MS * 2,
  });
}

export function useTimeline(paths: readonly string[], range: TimeView, isLive: boolean) {
  const query = { path: paths, from: isoOf(range.fromMs), to: isoOf(range.toMs) };
  return useQuery({
    queryKey: ["timeline", query],
    queryFn: ({ signal }) => getJson<Timeline>(apiUrl("timeline", query), signal),
    refetchInterval: isLive ? POLL_MS * 2 : false,
    placeholderData: keepPreviousData,
    enabled: paths.length > 0,
  });
}

/** Often while one is being made. */
export function useExports() {
  return useQuery({
    queryKey: ["exports"],
    queryFn: ({ signal }) => getJson<ExportList>("api/v1/exports", signal),
    refetchInterval: ({ state }) =>
      state.data?.items.some((one) => one.state === "queued" || one.state === "running") === true
        ? POLL_MS / 2
        : POLL_MS * 2,
  });
}

export function useDays(path: string, month: string, zone: string) {
  return useQuery({
    queryKey: ["days", path, month, zone],
    queryFn: ({ signal }) => getJson<Days>(apiUrl("days", { path, month, zone }), signal),
    staleTime: 30_000,
    placeholderData: keepPreviousData,
  });
}
