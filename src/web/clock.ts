/** The only reader of the browser's clock, so that everything else can be given another. */
export const nowMs = (): number => Date.now();
