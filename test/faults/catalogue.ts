/**
 * The faults that a recording companion meets, and what must happen. A test that covers one has its id in its name; the
 * table in README.md beside is made from that. `notYet` says why a fault has no test so far, `partly` what of it no test
 * watches.
 */
export interface Fault {
  readonly id: `F${number}`;
  readonly fault: string;
  readonly mustHappen: string;
  readonly notYet?: string;
  readonly partly?: string;
}

/** What the tests that a fault has leave open. */
const PARTLY: Readonly<Record<string, string>> = {
  F34: "a MediaMTX whose own clock steps",
  F41: "a damaged file of the same size and time is told and kept, and never read again by itself",
  F64: "a black hole of IPv6",
};

const f = (id: number, fault: string, mustHappen: string, notYet?: string): Fault => ({
  id: `F${id}`,
  fault,
  mustHappen,
  ...(notYet === undefined ? {} : { notYet }),
  ...(PARTLY[`F${id}`] === undefined ? {} : { partly: PARTLY[`F${id}`]! }),
});

export const FAULTS: readonly Fault[] = [
  f(1, "companion down while MediaMTX records", "the scan indexes all, nothing lost"),
  f(2, "hook cannot connect, gets 500, hangs", "gives up within 5 s, exit 0, MediaMTX's stop is not delayed"),
  f(3, "hook delivered ten times, at once", "one row, one upload"),
  f(4, "hooks out of order or hours late", "same end state as in order"),
  f(5, "hook for a file that is not there", "accepted, `missing`, told once"),
  f(
    6,
    "hook before the file is visible, or with a relative path",
    "resolved by mapping, never by the working directory",
  ),
  f(7, "kill -9 of MediaMTX mid-segment", "indexed as partial with the length of its whole fragments"),
  f(8, "file still being written when scanned", "not hashed, uploaded or removed until it is closed"),
  f(9, "file grows after it was hashed", "looked at again; no stale proof"),
  f(10, "file truncated or removed during upload", "upload ends at once, row comes back or is missing"),
  f(11, "name created again between proof and unlink", "the new content survives"),
  f(12, "empty, garbage, torn and hostile files", "quarantined with a reason, bounded time and memory"),
  f(13, "ffprobe hangs, floods, crashes, is missing", "killed at 10 s, output capped, nothing lost"),
  f(14, "kill -9 of Reelkeeper at any moment", "the invariants hold after the restart"),
  f(15, "SIGTERM during uploads", "finishes or gives back within 10 s, nothing half removed"),
  f(16, "SIGSTOP and SIGCONT", "consistent afterwards"),
  f(17, "event loop blocked for 30 s", "health red, leases safe"),
  f(18, "out of memory", "restart without loss"),
  f(19, "store refuses connections for a day", "backlog grows, nothing removed, drains after"),
  f(20, "store hangs", "every call ends by its deadline, sockets are freed"),
  f(21, "storms of 500, 503, 429 with Retry-After", "slows down, at most one try per second and object"),
  f(22, "connection reset after the whole body", "HEAD decides; no duplicate, no overwrite"),
  f(23, "200 with an error body", "counts as failure"),
  f(24, "store flips a bit and says 200", "found by HEAD or read-back, local copy kept"),
  f(25, "store says 200 and has nothing", "HEAD says 404, uploaded again"),
  f(26, "HEAD with another size or SHA-256", "not proven"),
  f(27, "key holds other content", "both kept, told"),
  f(28, "credentials revoked or rotated", "goes on with the new ones without a restart"),
  f(29, "bucket gone, wrong bucket, read-only token", "told at start, nothing removed"),
  f(30, "crash between multipart parts or after the last", "resumed or reconciled"),
  f(31, "unequal parts, chunked bodies, no length", "never sent"),
  f(32, "NFC and NFD twins", "keys are ASCII: two names, two objects"),
  f(33, "TLS expired, wrong host, self-signed", "refused, no insecure way round"),
  f(34, "clock jumps, summer time, other zones", "names unique, lengths right"),
  f(35, "two segments of one name after a backward clock", "both kept"),
  f(36, "database locked for a minute", "hook answered 503 within 5 s, found later"),
  f(37, "database disk full", "recordings untouched, recovers by itself"),
  f(38, "database damaged", "says so, removes nothing; rebuild brings it back"),
  f(39, "database restored from yesterday", "adopts what is newer, removes nothing unknown"),
  f(40, "PostgreSQL restarts, half-open connections", "retries, no double removal"),
  f(41, "power loss after the hook: a shorter file", "hash differs, seen, local copy kept"),
  f(42, "EIO on read or fsync", "not proven, told, never removed"),
  f(43, "recordings disk full", "oldest proven copies go first, unproven never"),
  f(44, "log disk full", "lines are lost and counted, service goes on"),
  f(45, "disk not mounted, empty or another one", "nothing is marked missing or removed"),
  f(46, "read-only record directory", "state kept, back-off, no loop"),
  f(47, "symbolic links out of the record directory", "never followed"),
  f(48, "FIFO, socket, device, directory named x.mp4", "refused without blocking"),
  f(49, "odd names: spaces, %, quotes, newlines, unicode, 255 bytes", "handled exactly or refused with a reason"),
  f(50, "name that is not UTF-8", "seen and told"),
  f(51, "backlog of 10,000 files", "bounded memory, hooks still answered"),
  f(52, "too many open files", "back-off, no crash"),
  f(53, "two companions on one folder", "the second one refuses"),
  f(54, "old owner wakes after a takeover", "cannot commit"),
  f(55, "path removed while its segments wait", "still archived"),
  f(
    56,
    "crash while mediamtx.yml is written; invalid configuration",
    "old or new file whole; refused before it is written",
  ),
  f(57, "Control API away, old version, unknown fields", "degraded, nothing removed"),
  f(58, "MediaMTX or a person deletes files", "seen as missing, told"),
  f(59, "removal during upload or download", "waits, or the reader finishes"),
  f(60, "viewers that drop, crawl or send odd ranges", "descriptors come back; 416 or ignored"),
  f(61, "store read fails during a download", "from disk if it is there, else a quick error"),
  f(62, "kill -9 in a migration", "whole before or whole after"),
  f(63, "webhook receiver down or redirecting", "queued, capped, not followed", "there are no outgoing webhooks yet"),
  f(64, "DNS failure, IPv6 black hole", "retried, ends by its deadline"),
  f(65, "recorder restarts", "shown as a gap with its length, not as a lost segment"),
  f(66, "MPEG-TS recordings", "same guarantees by hook, quiet time and size"),
];
