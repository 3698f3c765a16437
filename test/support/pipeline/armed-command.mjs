/** A command of the program in PROGRAM that dies at the point in POINT; without one it comes to its end. */
const { arm } = await import(`${process.env.PROGRAM}/dist/platform/fault-point.js`);
const { main } = await import(`${process.env.PROGRAM}/dist/main.js`);

if (process.env.POINT) arm({ point: process.env.POINT, mode: "kill" });
process.exitCode = await main(process.argv.slice(2));
