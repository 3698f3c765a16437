/**
 * Holes that others had, and what must hold here. A test that holds one has its id in its name; LESSONS.md beside is made
 * from that. `notYet` says why a lesson has no test so far.
 */
interface Lesson {
  readonly id: string;
  readonly whose: string;
  readonly hole: string;
  readonly mustHold: string;
  readonly notYet?: string;
}

type Row = readonly [id: string, whose: string, hole: string, mustHold: string, notYet?: string];

const ROWS: readonly Row[] = [
  ["CVE-2023-45672", "Frigate", "YAML that builds objects", "tags, anchor bombs and double keys are refused"],
  ["CVE-2023-45670", "Frigate", "CSRF on saving the configuration", "another origin changes nothing"],
  ["CVE-2026-25643", "Frigate", "a camera's setting becomes a command", "no value of any field runs anything"],
  ["CVE-2025-62382", "Frigate", "a client names the file of a picture", "no API takes a file of the server"],
  [
    "CVE-2026-33470",
    "Frigate",
    "timeline and snapshot do not ask for the camera",
    "every route × role × grant is asked",
  ],
  ["b3ce4486b", "Frigate", "traversal at the edge of a prefix", "names are refused before any file is opened"],
  ["e064024a3", "Frigate", "another name of a stream opens it", "every spelling of a name is the same grant"],
  ["CVE-2023-26035", "ZoneMinder", "an id may be an object", "ids and names of a wrong type are refused everywhere"],
  ["CVE-2024-51482", "ZoneMinder", "SQL in an id", "SQL in any parameter is text"],
  ["CVE-2026-54258", "ZoneMinder", "media asks for the area and not the camera", "a signed URL of A never opens B"],
  ["CVE-2021-27228", "Shinobi", "the key `constructor` of an object", "such names are no token, user, path or id"],
  ["CVE-2026-55488", "motionEye", "joined with an absolute path", "absolute, UNC and encoded names open nothing"],
  ["CVE-2026-55863", "motionEye", "a handler without its guard", "a route without a row of the matrix fails"],
  ["CVE-2025-60787", "motionEye", "a file name's template becomes a shell's", "templates hold no command"],
  ["CVE-2024-29191", "go2rtc", "names as HTML, and CSRF", "stored names are shown as text"],
  ["CVE-2026-34908", "UniFi", "`..%2f` past the guard", "what is routed is what is guarded"],
  ["CVE-2026-22031", "homebridge-camera-ffmpeg", "`/%61dmin` past the guard", "what is routed is what is guarded"],
  ["Node-Media-Server#689", "Node-Media-Server", "`../` as the name of a stream", "a forged hook writes nothing"],
  ["d15c14ec", "MediaMTX", "secrets are compared in their time", "secrets are compared in constant time"],
  ["9b453136", "MediaMTX", "an open redirect", "no answer leads elsewhere"],
  ["aade2eed", "MediaMTX", "a URL as HTML", "errors are never HTML"],
  ["caeccdce", "MediaMTX", "bodies without an end", "bodies have a bound"],
];

export const LESSONS: readonly Lesson[] = ROWS.map(([id, whose, hole, mustHold, notYet]) => ({
  ...{ id, whose, hole, mustHold },
  ...(notYet === undefined ? {} : { notYet: `with the ${notYet}` }),
}));
