/**
 * "Cannot tell" is not "no": when many files vanish at once, the disk is more likely the wrong one than the files
 * gone (F45). Above these numbers nothing is marked as missing until a person looks.
 */
const FEW_FILES = 50;
const SMALL_SHARE = 0.05;
/** Below this count a share says nothing: one file of three is not a mass. */
const ALWAYS_BELIEVED = 5;

export function isMassMissing(missing: number, onDisk: number): boolean {
  if (missing <= ALWAYS_BELIEVED) return false;
  return missing > FEW_FILES || missing > onDisk * SMALL_SHARE;
}
