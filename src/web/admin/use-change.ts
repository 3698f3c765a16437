/** A request that changes something; what it touches is asked for anew. */
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { RequestError } from "../request.js";

export function useChange<I, O>(change: (input: I) => Promise<O>, touched: readonly string[]) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    networkMode: "always",
    onSuccess: () => Promise.all(touched.map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}

/** What the server says of a field of the form, as Mantine's inputs take it. */
export function fieldError(error: Error | null, field: string): string | undefined {
  if (!(error instanceof RequestError)) return undefined;
  const [, message] =
    Object.entries(error.fields).find(([name]) => name === field || name.startsWith(`${field}.`)) ?? [];
  return message;
}

/** What the server says of the whole; undefined when fields say it all. */
export function formError(error: Error | null): string | undefined {
  if (error === null || (error instanceof RequestError && Object.keys(error.fields).length > 0)) return undefined;
  return error.message;
}
