/**
 * The files that were recorded last as closed. The watch sees each file that a hook has told of a moment later; what is
 * still the same needs no second look into it, and no transaction that changes nothing. Forgetting costs just that.
 */
import type { FoundFile } from "../core/found-file.js";

/** More than hooks tell of while the watch lets files fall quiet. */
const MOST_KEPT = 2_048;

export class LatelyClosed {
  /** By file path, the oldest first. */
  readonly #identities = new Map<string, string>();

  note({ filePath, fileIdentity, closed }: Pick<FoundFile, "filePath" | "fileIdentity" | "closed">): void {
    this.#identities.delete(filePath);
    if (closed) this.#identities.set(filePath, fileIdentity);
    const [oldest] = this.#identities.keys();
    if (this.#identities.size > MOST_KEPT && oldest !== undefined) this.#identities.delete(oldest);
  }

  has(filePath: string, fileIdentity: string): boolean {
    return this.#identities.get(filePath) === fileIdentity;
  }
}
