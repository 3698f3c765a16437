/** Exit code of a stop that was not waited for; main ends the process at once. */
export const FORCED = 130;
