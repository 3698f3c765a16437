/** Sizes as people write them in settings: bytes, or `512K`, `256M`, `4G` in powers of 1024. */
const UNIT_BYTES: Readonly<Record<string, number>> = { "": 1, K: 1_024, M: 1_048_576, G: 1_073_741_824 };

/** Undefined for what is no size that a number can hold. */
export function parseByteSize(text: string): number | undefined {
  const match = /^(\d{1,16})([KMG]?)$/.exec(text);
  if (match === null) return undefined;
  const bytes = Number(match[1]) * (UNIT_BYTES[match[2] ?? ""] ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
