/** The speeds a viewer may choose. Browsers play none above 16. */
export const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const;

/** One step faster or slower; the ends stay. */
export function nextSpeed(speed: number, step: 1 | -1): number {
  const index = SPEEDS.findIndex((known) => known === speed);
  return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, index + step))] ?? 1;
}
