/** Masking of secrets in anything that leaves the process: logs, errors, API answers. */

const MASK = "***";
/**
 * `scheme://user:password@host`: the password goes, the user stays (it helps, and is no secret). People type passwords
 * with / ? # @ as they are, so everything up to the last @ goes, unless it began like a port. The bounds keep a hostile
 * text from costing more than its length.
 */
const URL_PASSWORD = /\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/@?#]{0,256}):(?!\d{1,5}[/?#])[^\s"<>]{0,1000}@/gi;
/** Query parameters that carry credentials. */
const QUERY_SECRET = /([?&][^\s=&?]{0,40}(?:token|jwt|pass|pwd|secret|signature|credential)[^\s=&?]{0,20}=)[^&\s"]*/gi;
/** Cameras that want theirs in the path: `/user=admin_password=secret_channel=1.sdp`. */
const PATH_SECRET = /([/;_](?:password|passwd|pass|pwd)=)[^&\s"/;]*?(?=_[a-z]{1,20}=|[&\s"/;]|$)/gi;
/** The page of a share link: whoever has its URL may look; and where MediaMTX asks us who may. */
const SECRET_URL = /(\/(?:share|mediamtx\/auth)\/)[\w-]{20,}/g;
const SECRET_FIELD = /(pass|secret|token|authorization|cookie|accesskey)/i;
/** What is logged is shallow; deeper is a mistake, perhaps a cycle. */
const DEEPEST = 8;

export function redactText(text: string, secrets: readonly string[] = []): string {
  let clean = text
    .replace(URL_PASSWORD, `$1:${MASK}@`)
    .replace(QUERY_SECRET, `$1${MASK}`)
    .replace(PATH_SECRET, `$1${MASK}`)
    .replace(SECRET_URL, `$1${MASK}`);
  for (const secret of secrets) if (secret.length >= 4) clean = clean.replaceAll(secret, MASK);
  return clean;
}

/** A field and all below it; Errors should be described before. */
export function redactFields(key: string, value: unknown, secrets: readonly string[] = []): unknown {
  const redact = (name: string, inner: unknown, depth: number): unknown => {
    if (inner === null || inner === undefined || typeof inner === "boolean") return inner;
    if (SECRET_FIELD.test(name)) return MASK;
    if (typeof inner === "string") return redactText(inner, secrets);
    if (typeof inner !== "object") return inner;
    if (depth >= DEEPEST) return "…";
    if (Array.isArray(inner)) return inner.map((item: unknown) => redact(name, item, depth + 1));
    return Object.fromEntries(Object.entries(inner).map(([field, item]) => [field, redact(field, item, depth + 1)]));
  };
  return redact(key, value, 0);
}
