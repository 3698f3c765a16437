/** API tokens of everybody, for admins. */
import { useMe } from "../me.js";
import { texts } from "./strings.js";
import { TokensSection } from "./tokens-section.js";

export function TokensPage() {
  return <TokensSection title={texts.tokens.title} heading="h1" user={undefined} me={useMe()} />;
}
