/** The import rules of src/README.md. Folders not named here may import whatever the rules below do not forbid. */
const FEATURES = "ingest|probe|archive|playback|events|retention|streams|doctor|verify";

/** [library, owner folders, why] */
const OWNERS = [
  ["knex|pg|sqlite3", "catalog", "SQL lives in catalog/ only"],
  ["axios|diff", "mediamtx", "MediaMTX's dialect lives in mediamtx/ only"],
  [
    "yaml",
    "(mediamtx|platform|streams)",
    "MediaMTX's dialect lives in mediamtx/, plain YAML in platform/, lists of paths in streams/",
  ],
  ["openapi-fetch", "client", "the client for programs stands alone"],
  ["csv-parse", "streams", "lists of paths are read in streams/ only"],
  ["@aws-sdk|@smithy", "archive", "object stores live in archive/ only"],
  ["express|swagger-ui-dist|helmet|cors|express-rate-limit", "http", "HTTP lives in http/ only"],
  ["winston", "platform", "the log lives in platform/ only"],
  ["prom-client", "metrics", "metrics live in metrics/ only"],
  ["react|react-dom|@mantine|@tanstack|hls\\.js|vite", "web", "the page lives in web/ only"],
  ["jose|openid-client|@node-rs/argon2", "access", "passwords and tokens live in access/ only"],
  ["ffprobe-static", "media", "probing lives in media/ only"],
];

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    { name: "core-imports-nothing", severity: "error", from: { path: "^src/core/" }, to: { pathNot: "^src/core/" } },
    {
      name: "features-do-not-meet",
      comment: "features meet through catalog, core and contract files, never each other",
      severity: "error",
      from: { path: `^src/(${FEATURES})/` },
      to: { path: `^src/(${FEATURES}|backup)/`, pathNot: "^src/$1/" },
    },
    {
      name: "backup-is-a-client-of-the-archive",
      comment:
        "it stores and proves as the archive does; no other feature, and nobody but the wiring and what shows it",
      severity: "error",
      from: { path: "^src/backup/" },
      to: { path: `^src/(${FEATURES})/|^src/(http|mediamtx|pipeline|metrics|access)/`, pathNot: "^src/archive/" },
    },
    {
      name: "only-app-wires",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(app|main)\\.ts|^src/(cli|wiring)/" },
      to: { path: "^src/(app\\.ts|cli/|wiring/)" },
    },
    {
      name: "http-is-a-leaf",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(app\\.ts|http/|cli/|wiring/)" },
      to: { path: "^src/http/" },
    },
    {
      name: "contract-is-shared-with-the-web",
      severity: "error",
      from: { path: "^src/contract/" },
      to: { pathNot: "^src/(contract|core)/|node_modules/zod" },
    },
    {
      name: "the-page-knows-the-contract-alone",
      comment: "its types; the server's code does not go to browsers",
      severity: "error",
      from: { path: "^src/web/" },
      to: { path: "^src/", pathNot: "^src/(web|contract)/" },
    },
    {
      name: "the-page-takes-types-of-the-contract",
      severity: "error",
      from: { path: "^src/web/" },
      to: { path: "^src/contract/|node_modules/zod", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "the-client-stands-alone",
      comment: "other programs take it along, and nothing else",
      severity: "error",
      from: { path: "^src/client/" },
      to: { path: "^src/", pathNot: "^src/client/" },
    },
    {
      name: "the-page-is-a-program-of-its-own",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/web/" },
      to: { path: "^src/web/" },
    },
    {
      name: "catalog-knows-no-feature",
      severity: "error",
      from: { path: "^src/(catalog|media|mediamtx|platform|config|metrics)/" },
      to: { path: `^src/(${FEATURES}|backup|pipeline|http|access)/` },
    },
    {
      name: "child-processes-have-owners",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(mediamtx|media)/|^src/prepare\\.mjs$" },
      to: { path: "^(node:)?child_process$" },
    },
    ...OWNERS.map(([library, owner, comment]) => ({
      name: `${owner}-owns-${library.split("|")[0]}`,
      comment,
      severity: "error",
      from: { path: "^src/", pathNot: `^src/(${owner})/` },
      to: { path: `node_modules/(${library})(/|$)` },
    })),
    { name: "no-test-code", severity: "error", from: { path: "^src/" }, to: { path: "^test/" } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
