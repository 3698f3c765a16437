/**
 * MediaMTX's `mtxi` box (moov/udta/mtxi, since 1.15.2): FullBox, stream id (16 bytes), segment number (u64), then times
 * that are of no use here.
 */
import { type FileHandle, open } from "node:fs/promises";

const BOX_HEADER_BYTES = 8;
const MOST_MOOV_BYTES = 16_777_216;

/** Undefined: no such file, no readable header, or no such box. */
export async function readMtxi(file: string): Promise<{ streamId: string; number: number } | undefined> {
  const handle = await open(file, "r").catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const moov = await readTopLevelBox(handle, "moov");
    const udta = moov === undefined ? undefined : childBox(moov, "udta");
    const mtxi = udta === undefined ? undefined : childBox(udta, "mtxi");
    if (mtxi === undefined || mtxi.length < 28) return undefined;
    const hex = mtxi.subarray(4, 20).toString("hex");
    const streamId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    return { streamId, number: Number(mtxi.readBigUInt64BE(20)) };
  } finally {
    await handle.close();
  }
}

async function readTopLevelBox(handle: FileHandle, wanted: string): Promise<Buffer | undefined> {
  for (let offset = 0; ;) {
    const header = Buffer.alloc(BOX_HEADER_BYTES);
    const { bytesRead } = await handle.read(header, 0, BOX_HEADER_BYTES, offset);
    const size = header.readUInt32BE(0);
    if (bytesRead < BOX_HEADER_BYTES || size < BOX_HEADER_BYTES) return undefined;
    if (header.toString("latin1", 4) === wanted) {
      if (size > MOST_MOOV_BYTES) return undefined;
      const body = Buffer.alloc(size - BOX_HEADER_BYTES);
      const read = await handle.read(body, 0, body.length, offset + BOX_HEADER_BYTES);
      return body.subarray(0, read.bytesRead);
    }
    offset += size;
  }
}

function childBox(parent: Buffer, wanted: string): Buffer | undefined {
  for (let offset = 0; offset + BOX_HEADER_BYTES <= parent.length;) {
    const size = parent.readUInt32BE(offset);
    if (size < BOX_HEADER_BYTES || offset + size > parent.length) return undefined;
    const type = parent.toString("latin1", offset + 4, offset + BOX_HEADER_BYTES);
    if (type === wanted) return parent.subarray(offset + BOX_HEADER_BYTES, offset + size);
    offset += size;
  }
  return undefined;
}
