/** A key of the tests, for catalogs that no command opens. */
import type { Sealing } from "../../src/catalog/sealing.js";
import { isSecretSetting, maskSetting } from "../../src/contract/secret-settings.js";
import { createSecretBox } from "../../src/platform/secret-box.js";

const SECRET_KEY = Buffer.alloc(32, 7);
/** What SECRET_KEY_FILE holds for an app that opens such a catalog after all. */
export const SECRET_KEY_LINE = `${SECRET_KEY.toString("base64url")}\n`;

export const SEALING: Sealing = { box: createSecretBox([SECRET_KEY]), isSecret: isSecretSetting, mask: maskSetting };
