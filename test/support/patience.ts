/**
 * How much longer than on an idle machine anything may take. What a machine with few processors does beside a test must
 * not decide it: a deadline is there to end what never ends. How fast things are is measured by `npm run bench`.
 */
export const PATIENCE = /^(1|true)$/i.test(process.env["CI"] ?? "") ? 10 : 2;
