/** What has become of the copies of a recording, as one word for the timeline. */

/**
 * In the order of their codes in the index `recordings_copy_state`; of two recordings that begin at the same instant
 * the first in this order counts.
 *
 * open: MediaMTX may still write it · pending: closed, its length is not known yet · both, local, archived: where its
 * bytes are · expired, deleted: they are gone, and why · gone: they are gone, and nobody here knows why.
 */
export const COPY_STATES = ["open", "pending", "both", "local", "archived", "expired", "deleted", "gone"] as const;
export type CopyState = (typeof COPY_STATES)[number];

/** Where footage is. */
export type Whereabouts = "open" | "local" | "both" | "archived";
