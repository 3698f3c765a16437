/** Which files should be on disk, by the rows: what scan and verify compare the disk with. */
import type { PathName } from "../core/path-name.js";
import type { Recording, RecordingId } from "../core/recording.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { recordingFromRow } from "./recording-row.js";

/**
 * States in which the file of the row is on disk under its own name: word for word the condition of the index
 * `recordings_live_file`. With bound values in place of the words SQLite would read the whole table.
 */
export const ON_DISK = "local in ('open', 'present', 'quarantined')";
const ON_DISK_PAGE = 1_000;

/** What a look at the file needs; of a directory with 100,000 files whole rows would be 200 MB. */
export type KnownFile = Pick<Recording, "path" | "filePath" | "fileIdentity" | "local" | "archive" | "step">;

interface KnownFileRow {
  readonly path: PathName;
  readonly file_path: string;
  readonly file_identity: string | null;
  readonly local: Recording["local"];
  readonly archive: Recording["archive"];
  readonly step: Recording["step"];
}

/** Every row of this machine whose file should be on disk, in order of file path, a thousand at a time. */
export function listOnDisk(catalog: Catalog): AsyncGenerator<Recording> {
  return pagesOnDisk(catalog, ["*"], recordingFromRow);
}

/** The same, and of each no more than a look at its file needs: of a million rows, reading them whole is what costs. */
export function listFilesOnDisk(catalog: Catalog): AsyncGenerator<Pick<Recording, "id" | "filePath">> {
  return pagesOnDisk(catalog, ["id", "file_path"], (raw) => {
    const row = raw as { readonly id: RecordingId; readonly file_path: string };
    return { id: row.id, filePath: row.file_path };
  });
}

async function* pagesOnDisk<T extends { readonly filePath: string }>(
  catalog: Catalog,
  columns: readonly string[],
  fromRow: (raw: unknown) => T,
): AsyncGenerator<T> {
  let after = "";
  for (;;) {
    const last = after;
    const page = await translating("list recordings on disk", async () => {
      const rows: unknown[] = await catalog
        .db("recordings")
        .where({ node_id: catalog.nodeId })
        .whereRaw(ON_DISK)
        .andWhere("file_path", ">", last)
        .orderBy("file_path")
        .limit(ON_DISK_PAGE)
        .select(columns);
      return rows.map(fromRow);
    });
    yield* page;
    const end = page.at(-1);
    if (end === undefined || page.length < ON_DISK_PAGE) return;
    after = end.filePath;
  }
}

/** Rows on disk whose file lies directly in `directory` (relative, no trailing slash), by file path. */
export function findFilesInDirectory(catalog: Catalog, directory: string): Promise<Map<string, KnownFile>> {
  return translating("find the recordings of a directory", async () => {
    const below = `${directory}/`;
    const rows = (await catalog
      .db("recordings")
      .where({ node_id: catalog.nodeId })
      .whereRaw(ON_DISK)
      // "0" is the character after "/".
      .andWhere("file_path", ">=", below)
      .andWhere("file_path", "<", `${directory}0`)
      // A directory of sites may have a million rows in those below it.
      .andWhereRaw("substr(file_path, length(cast(? as text)) + 1) not like '%/%'", [below])
      .select(["path", "file_path", "file_identity", "local", "archive", "step"])) as KnownFileRow[];
    return new Map(
      rows.map(({ path, file_path: filePath, file_identity: fileIdentity, local, archive, step }) => {
        return [filePath, { path, filePath, fileIdentity, local, archive, step }];
      }),
    );
  });
}
