import tseslint from "typescript-eslint";

const OWNED_GLOBALS = [
  [
    "Date.now",
    "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    "take a Clock (platform/clock.ts), so that tests can move time",
  ],
  [
    "new Date()",
    "NewExpression[callee.name='Date'][arguments.length=0]",
    "take a Clock (platform/clock.ts), so that tests can move time",
  ],
  [
    "process.env",
    "MemberExpression[object.name='process'][property.name='env']",
    "config/env.ts is the only reader of the environment",
  ],
  [
    "process.exit",
    "CallExpression[callee.object.name='process'][callee.property.name='exit']",
    "only main.ts ends the process; throw an AppError instead",
  ],
].map(([, selector, message]) => ({ selector, message }));

/** Below a path of a host (PUBLIC_URL) the host's root is a neighbour. */
const FROM_THE_PAGE = [
  "Literal[value=/^\\u002f(api|assets|share|[?#])/]",
  "TemplateElement[value.raw=/^\\u002f(api|assets|share|[?#])/]",
].map((selector) => ({ selector, message: "the page may live below a path: leave the first slash out" }));

export default tseslint.config(
  { ignores: ["dist", "node_modules", "data", "test/fixtures", "test-output", "src/client/openapi.ts", "**/*.cjs"] },
  {
    files: ["src/**/*.{ts,tsx}", "test/**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ["tsconfig.json", "test/tsconfig.json", "src/web/tsconfig.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true } }],
    },
  },
  {
    files: ["src/**/*.{ts,tsx}"],
    rules: {
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
      "max-params": ["error", 3],
      "max-depth": ["error", 3],
      "no-restricted-syntax": ["error", ...OWNED_GLOBALS],
    },
  },
  {
    files: ["src/web/**/*.{ts,tsx}"],
    rules: { "no-restricted-syntax": ["error", ...OWNED_GLOBALS, ...FROM_THE_PAGE] },
  },
  {
    files: ["src/platform/clock.ts", "src/config/env.ts", "src/main.ts", "src/web/clock.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
  {
    // knex answers `any[]`; naming the row's shape where the query stands is the point of the assertion.
    files: ["src/catalog/**/*.ts"],
    rules: { "@typescript-eslint/no-unnecessary-type-assertion": "off" },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "no-restricted-exports": "off",
    },
  },
);
