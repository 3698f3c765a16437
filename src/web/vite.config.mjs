/** The page: hashed files and a manifest that the server reads; nothing inline, which its content policy refuses. */
import { fileURLToPath } from "node:url";

import { defineConfig } from "vite";

const at = (place) => fileURLToPath(new URL(place, import.meta.url));

export default defineConfig({
  root: at("."),
  // Below which path of its host the page lives is known to the browser alone.
  base: "./",
  cacheDir: at("../../node_modules/.cache/vite"),
  esbuild: { jsx: "automatic" },
  build: {
    outDir: at("../../dist/web"),
    emptyOutDir: true,
    manifest: "manifest.json",
    assetsInlineLimit: 0,
    target: "es2022",
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1_000,
    rollupOptions: {
      input: [at("./index.html"), at("./share/index.html")],
      // Mantine marks every module for servers that render; there is none here.
      onwarn: (warning, warn) => {
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
});
