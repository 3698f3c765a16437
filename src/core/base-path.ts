/** The path below which browsers find us, such as `/reelkeeper`; empty at the root of a host. */
export function basePathOf(publicUrl: string | null): string {
  return publicUrl === null ? "" : new URL(publicUrl).pathname.replace(/\/+$/, "");
}
