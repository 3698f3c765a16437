/** `verify`: where rows, files and objects disagree, for people or as JSON lines. Works beside a running server. */
import { closeCatalog } from "../catalog/catalog.js";
import type { Difference, Unchecked, VerifyCounts } from "../verify/difference.js";
import { exitCodeOf, runVerify } from "../verify/run-verify.js";
import type { VerifyOptions } from "../verify/verify-deps.js";
import { createVerify } from "../wiring/create-verify.js";
import { openConfiguredCatalog, openConfiguredStore, setUp } from "../wiring/setup.js";

export async function verify(options: VerifyOptions & { readonly json: boolean }): Promise<number> {
  const setup = await setUp();
  const catalog = await openConfiguredCatalog(setup);
  const store = openConfiguredStore(setup);
  try {
    const tell = options.json ? asJson() : asText();
    const deps = { ...createVerify(setup, { catalog, store }), options };
    const counts = await runVerify(deps, tell, new AbortController().signal);
    tell.summary(counts);
    return exitCodeOf(counts);
  } finally {
    store.close();
    await closeCatalog(catalog);
  }
}

function asJson() {
  const line = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  return {
    difference: (difference: Difference) => line({ difference }),
    unchecked: (unchecked: Unchecked) => line({ unchecked }),
    summary: (summary: VerifyCounts) => line({ summary }),
  };
}

function asText() {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  return {
    difference: ({ kind, filePath, objectKey, meaning, advice, repaired }: Difference) => {
      const what = kind.startsWith("object") ? objectKey : filePath;
      // A file name may hold a line break; it must not look like a line of ours.
      print(`${kind} ${JSON.stringify(what ?? "")}: ${meaning}`);
      print(`  ${repaired === null ? advice : `repaired: ${repaired}`}`);
    },
    unchecked: ({ what, why }: Unchecked) => print(`cannot tell of ${what}: ${why}`),
    summary: (counts: VerifyCounts) => {
      const { archivedRows, objects, rowsOnDisk, files, filesRead, objectsRead, otherVersions } = counts;
      print(
        `compared ${String(rowsOnDisk)} rows with ${String(files)} files, ${String(archivedRows)} rows with ${String(objects)} objects` +
          (filesRead + objectsRead > 0
            ? `; read ${String(filesRead)} files and ${String(objectsRead)} objects whole`
            : "") +
          (otherVersions > 0 ? `; ${String(otherVersions)} objects are older versions of a recording` : ""),
      );
      print(
        `${String(counts.differences)} differences, ${String(counts.repaired)} repaired, ${String(counts.unchecked)} not checked`,
      );
    },
  };
}
