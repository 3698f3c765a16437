/**
 * Which bytes were looked at: `dev:ino:size:mtimeNs` of the file. A proof holds for that identity only; a file that
 * was appended to, truncated, replaced or created again under the same name has another one.
 */
export interface FileStat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

export function fileIdentity(stat: FileStat): string {
  return [stat.dev, stat.ino, stat.size, stat.mtimeNs].join(":");
}

/**
 * Size and mtime agree. Enough to skip a known file in a scan (device and inode numbers change when a disk is
 * mounted elsewhere or a folder is restored); never enough to delete one.
 */
export function looksUnchanged(identity: string | null, stat: FileStat): boolean {
  if (identity === null) return false;
  const [, , size, mtimeNs] = identity.split(":");
  return size === String(stat.size) && mtimeNs === String(stat.mtimeNs);
}
