/** The header walk over a file that lies elsewhere and is read by ranges. The walk itself stays synchronous. */
import { FragmentWalk } from "./fragment-walk.js";
import { readInit } from "./init.js";
import type { Inspection } from "./inspection.js";
import { type RemoteFile, WindowSource } from "./window-source.js";

/** A request costs more than these bytes; of a camera of 2 Mbit/s they hold one fragment of a second. */
const WINDOW_BYTES = 262_144;

/** Throws `data-loss` as `readInit` and `walkFragments` do, and what `readRange` throws. */
export async function inspectRemote(file: RemoteFile): Promise<Inspection> {
  const source = new WindowSource(file, WINDOW_BYTES);
  const init = await source.having(() => readInit(source));
  const walk = new FragmentWalk(source, init);
  let goesOn = true;
  while (goesOn) goesOn = await source.having(() => walk.step());
  return walk.finish();
}
