/** A TLS certificate that nobody vouches for, made on the spot. DER by hand: X.690 for the form, RFC 5280 for the fields. */
import { generateKeyPairSync, sign } from "node:crypto";

const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME = [0x55, 0x04, 0x03];

const LONG_VALID = ["200101000000Z", "491231235959Z"] as const;
const EXPIRED = ["200101000000Z", "200201000000Z"] as const;

export function createSelfSigned(
  commonName: string,
  options: { readonly expired?: boolean } = {},
): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(tagged(0x06, Buffer.from(ECDSA_WITH_SHA256)));
  const name = sequence(
    tagged(0x31, sequence(tagged(0x06, Buffer.from(COMMON_NAME)), tagged(0x0c, Buffer.from(commonName)))),
  );
  const times = options.expired === true ? EXPIRED : LONG_VALID;
  const validity = sequence(...times.map((time) => tagged(0x17, Buffer.from(time))));
  const serial = tagged(0x02, Buffer.from([1]));
  const spki = publicKey.export({ type: "spki", format: "der" });
  const toBeSigned = sequence(serial, algorithm, name, validity, name, spki);
  const signature = tagged(0x03, Buffer.concat([Buffer.from([0]), sign("sha256", toBeSigned, privateKey)]));
  const base64 = sequence(toBeSigned, algorithm, signature).toString("base64");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
  };
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length < 0x80 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
