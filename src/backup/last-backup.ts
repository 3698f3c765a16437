/** The last proven backup, as the database itself remembers it: a restart makes none due, a restored database does. */
import { z } from "zod";

import type { Catalog } from "../catalog/catalog.js";
import { recall, remember } from "../catalog/remembered.js";
import type { Backup } from "../core/backup.js";

const schema = z.object({ key: z.string(), takenAtUs: z.number(), bytes: z.number() });

export type LastBackup = Pick<Backup, "key" | "takenAtUs" | "bytes">;

export async function recallLastBackup(catalog: Catalog): Promise<LastBackup | null> {
  const { lastBackup } = await recall(catalog);
  return lastBackup === undefined ? null : schema.parse(JSON.parse(lastBackup));
}

export async function noteLastBackup(catalog: Catalog, { key, takenAtUs, bytes }: Backup): Promise<void> {
  await remember(catalog, { lastBackup: JSON.stringify({ key, takenAtUs, bytes }) });
}
