/** MPEG-TS made in code, packet by packet. */
const PACKET_BYTES = 188;
export const VIDEO_PID = 256;
export const AUDIO_PID = 257;
const TABLE_PID = 4_096;

function packet(pid: number, { begins, field, payload }: { begins: boolean; field?: Buffer; payload: Buffer }): Buffer {
  const bytes = Buffer.alloc(PACKET_BYTES, 0xff);
  const fieldBytes = field ?? Buffer.alloc(0);
  bytes[0] = 0x47;
  bytes.writeUInt16BE((begins ? 0x4000 : 0) | pid, 1);
  // An adaptation field takes what the payload leaves.
  const stuffed = PACKET_BYTES - 5 - payload.length;
  bytes[3] = 0x30;
  bytes[4] = stuffed;
  if (stuffed > 0) bytes[5] = 0;
  fieldBytes.copy(bytes, 5);
  payload.copy(bytes, PACKET_BYTES - payload.length);
  return bytes;
}

/** The checksum is not looked at. */
function section(tableId: number, body: readonly number[]): Buffer {
  return Buffer.from([0, tableId, 0xb0, body.length + 9, 0, 1, 0xc1, 0, 0, ...body, 0, 0, 0, 0]);
}

const pidBytes = (pid: number): number[] => [0xe0 | (pid >> 8), pid & 0xff];

/** PAT and PMT of a picture and sound, or of sound alone. */
export function tables(tracks: readonly { readonly pid: number; readonly type: number }[]): Buffer {
  const pat = section(0, [0, 1, ...pidBytes(TABLE_PID)]);
  const each = tracks.flatMap(({ pid, type }) => [type, ...pidBytes(pid), 0xf0, 0]);
  const pmt = section(2, [...pidBytes(tracks[0]?.pid ?? 0), 0xf0, 0, ...each]);
  return Buffer.concat([packet(0, { begins: true, payload: pat }), packet(TABLE_PID, { begins: true, payload: pmt })]);
}

export const PICTURE_AND_SOUND = [
  { pid: VIDEO_PID, type: 0x1b },
  { pid: AUDIO_PID, type: 0x0f },
];
export const SOUND = [{ pid: AUDIO_PID, type: 0x0f }];

/** A later packet of a PES packet. */
export function rest(pid: number): Buffer {
  return packet(pid, { begins: false, payload: Buffer.alloc(100, 1) });
}

/** The first packet of a PES packet. */
export function pes(pid: number, ptsTicks: number, isRandomAccess = false): Buffer {
  const high = Math.floor(ptsTicks / 2 ** 30) & 7;
  const pts = [0x21 | (high << 1), (ptsTicks >> 22) & 0xff, ((ptsTicks >> 14) & 0xfe) | 1];
  const low = [(ptsTicks >> 7) & 0xff, ((ptsTicks << 1) & 0xfe) | 1];
  const payload = Buffer.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, ...pts, ...low, ...Buffer.alloc(40, 1)]);
  return packet(pid, { begins: true, field: Buffer.from([isRandomAccess ? 0x40 : 0]), payload });
}

const QUARTER_TICKS = 90_000 / 4;

/**
 * As MediaMTX writes it after an edit in the middle of a GOP: sound every quarter of a second, tables before every third
 * piece of it, and from the fourth on a picture behind each; every eighth one is a random access point.
 */
export function soundInFront(pieces: number, startTicks: number): Buffer {
  const packets = Array.from({ length: pieces }, (_, at) => {
    const ticks = (startTicks + at * QUARTER_TICKS) % 2 ** 33;
    const sound = pes(AUDIO_PID, ticks, true);
    return [
      ...(at % 3 === 0 ? [tables(PICTURE_AND_SOUND)] : []),
      sound,
      ...(at < 3 ? [] : [pes(VIDEO_PID, ticks, (at - 3) % 8 === 0)]),
    ];
  });
  return Buffer.concat(packets.flat());
}
