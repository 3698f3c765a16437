/** Masking of secrets in anything that leaves the process: logs, errors, API answers. */

const MASK = "***";
/** `scheme://user:password@host`: the password goes, the user stays (it helps, and is no secret). */
const URL_PASSWORD = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@?#]*):[^\s/?#]*@/gi;
/** Query parameters that carry credentials. */
const QUERY_SECRET = /([?&](?:token|jwt|pass|password|secret|X-Amz-Signature|X-Amz-Credential)=)[^&\s"']*/gi;
const SECRET_FIELD = /(pass|secret|token|authorization|cookie|accesskey)/i;

export function redactText(text: string, secrets: readonly string[] = []): string {
  let clean = text.replace(URL_PASSWORD, `$1:${MASK}@`).replace(QUERY_SECRET, `$1${MASK}`);
  for (const secret of secrets) if (secret.length >= 4) clean = clean.replaceAll(secret, MASK);
  return clean;
}

/** A field and all below it; Errors should be described before. */
export function redactFields(key: string, value: unknown, secrets: readonly string[] = []): unknown {
  if (typeof value === "string") return SECRET_FIELD.test(key) ? MASK : redactText(value, secrets);
  if (Array.isArray(value)) return value.map((item: unknown) => redactFields(key, item, secrets));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, redactFields(name, item, secrets)]));
  }
  return value;
}
