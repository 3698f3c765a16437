/** What is wrong with the whole, above whatever is shown; nothing when all is well. */
import { Mark } from "./mark.js";
import { useHealth } from "./queries.js";
import { healthOf } from "./words.js";

export function HealthNotice() {
  const { data } = useHealth();
  const worst = data === undefined ? undefined : healthOf(data);
  return (
    <div role="status">
      {worst !== undefined && (
        <div className="notice">
          <Mark id="health" mark={worst} />
        </div>
      )}
    </div>
  );
}
