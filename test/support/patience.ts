const IN_CI = /^(1|true)$/i.test(process.env["CI"] ?? "");

/**
 * How much longer than on an idle machine anything may take. What a machine with few processors does beside a test must
 * not decide it: a deadline is there to end what never ends. How fast things are is measured by `npm run bench`.
 */
export const PATIENCE = IN_CI ? 10 : 2;

/**
 * In CI a test of real parts that failed runs once more, and the end of `npm test` names it. Not what a random search
 * found: its next run would look elsewhere. Whatever states that nothing is lost is judged by its first run too.
 */
export const ONCE_MORE = IN_CI ? { count: 1, condition: /^(?![^]*\bseed\b)/i } : 0;

export const JUDGED_ONCE = { retry: 0 };
