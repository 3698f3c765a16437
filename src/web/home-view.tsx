/** The list of recordings of all paths, below what is wrong with the whole. */
import { useState } from "react";

import { nowMs } from "./clock.js";
import { HealthNotice } from "./health-notice.js";
import { RecordingsView } from "./recordings-view.js";
import { strings } from "./strings.js";
import { useAddress } from "./use-address.js";
import { zone } from "./words.js";

export function HomeView() {
  const { address, go } = useAddress();
  const [said, setSaid] = useState("");
  return (
    <>
      <HealthNotice />
      <div className="bar">
        <h1>{strings.recordings}</h1>
        <p className="quiet" id="zone">
          {strings.zoneLine(zone(nowMs()))}
        </p>
      </div>
      <RecordingsView
        paths={address.paths}
        range={undefined}
        onAll={() => go({ paths: [], atMs: undefined })}
        onSay={setSaid}
      />
      <p className="unseen" role="status" id="said">
        {said}
      </p>
    </>
  );
}
