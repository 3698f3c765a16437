/** Weak comparison, as If-None-Match asks for (RFC 9110, section 13.1.2). */
export function isNamed(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((candidate) => ["*", etag, `W/${etag}`].includes(candidate.trim()));
}
