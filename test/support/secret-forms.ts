/** A secret in the forms in which it might get out. */
const OFFSETS = [0, 1, 2];

/** As it is, in a URL, and in base64 wherever it may stand in what was encoded. */
export function formsOf(secret: string): string[] {
  const base64 = OFFSETS.map((offset) => {
    const encoded = Buffer.from(`${"\0".repeat(offset)}${secret}`).toString("base64");
    // Letters at the edges hold bits of the neighbours.
    return encoded.slice(offset === 0 ? 0 : 4, -4).replace(/=+$/, "");
  });
  const encoded = [encodeURIComponent(secret), encodeURI(secret), percentEncoded(secret)];
  const urlSafe = base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
  return [...new Set([secret, ...encoded, ...base64, ...urlSafe, Buffer.from(secret).toString("hex")])];
}

function percentEncoded(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}

/** What stands around each find, by place; empty when nothing is found anywhere. */
export function findSecrets(
  places: Readonly<Record<string, string | Buffer>>,
  secrets: Readonly<Record<string, string>>,
): string[] {
  const found: string[] = [];
  for (const [place, content] of Object.entries(places)) {
    const text = typeof content === "string" ? content : content.toString("latin1");
    for (const [name, secret] of Object.entries(secrets)) {
      for (const form of formsOf(secret)) {
        const at = text.indexOf(form);
        if (at >= 0) found.push(`${name} in ${place}: …${text.slice(Math.max(0, at - 100), at + form.length)}…`);
      }
    }
  }
  return found;
}
