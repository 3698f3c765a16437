import { z } from "zod";

import { segmentHookSchema, sourceHookSchema } from "../../contract/hook.js";
import { toAppError } from "../../core/errors.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, json, type Reply, type Route } from "../route.js";

const accepted = z.object({ accepted: z.literal(true), id: z.string().optional() });

/** What MediaMTX's hook scripts call. Form or JSON; the secret as a field or as Bearer. */
export function hookRoutes(deps: HttpDeps): Route[] {
  const common = { method: "POST", access: "hook", scope: "none", tag: "hooks", form: true } as const;
  const responses = { 202: { description: "Heard", schema: accepted } };
  return [
    ...(["segment-create", "segment-complete"] as const).map((kind) =>
      defineRoute({
        ...common,
        path: `/hooks/${kind}`,
        summary: `MediaMTX ${kind === "segment-create" ? "opened" : "closed"} a segment`,
        description: "A hint: may come late, twice, in any order or never. What it misses, the scan finds.",
        body: segmentHookSchema,
        responses,
        handler: ({ body }) =>
          timed(deps, kind, async () => {
            return json({ accepted: true, id: await deps.hooks.noteSegment(kind, body) }, 202);
          }),
      }),
    ),
    ...(["ready", "not-ready"] as const).map((kind) =>
      defineRoute({
        ...common,
        path: `/hooks/${kind}`,
        summary: `A path became ${kind.replace("-", " ")}`,
        body: sourceHookSchema,
        responses,
        handler: ({ body }) =>
          timed(deps, kind, async () => {
            await deps.hooks.noteSource(kind, body);
            return json({ accepted: true }, 202);
          }),
      }),
    ),
  ];
}

async function timed(deps: HttpDeps, kind: string, work: () => Promise<Reply>): Promise<Reply> {
  const { clock } = deps.catalog;
  const startedMs = clock.monotonicMs();
  let result = "accepted";
  try {
    return await work();
  } catch (error) {
    result = toAppError(error).kind;
    throw error;
  } finally {
    deps.hooks.answered(kind, result, (clock.monotonicMs() - startedMs) / 1_000);
  }
}
