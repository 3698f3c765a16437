/** A plain MP4 that is laid out: its head, and how the media behind it is had. */
export interface PlainLayout {
  readonly head: readonly Uint8Array[];
  readonly bytes: number;
  readonly startUs: number;
  readonly endUs: number;
  /** What of the media is in bytes [start, end) of the file. */
  readonly open: (
    part: { readonly start: number; readonly end: number },
    signal: AbortSignal,
  ) => AsyncGenerator<Uint8Array>;
  /** What it takes in memory, about. */
  readonly heldBytes: number;
}
