import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/**
 * Looks of the component library that the console never puts on. They are two thirds of its variables, and each is read, kept and
 * looked through by the browser before the first page can be painted.
 */
const LOOKS_NEVER_WORN = /\.pf-v6-theme-(?:high-contrast|felt|glass)\b/;

/** A PostCSS plugin, by its shape: the few fields of a rule that are needed. */
const wornLooksOnly = {
  postcssPlugin: "worn-looks-only",
  Rule(rule: { selectors: string[]; remove(): void }) {
    const worn = rule.selectors.filter((selector) => !LOOKS_NEVER_WORN.test(selector));
    if (worn.length === 0) rule.remove();
    else if (worn.length < rule.selectors.length) rule.selectors = worn;
  },
};

const COMPRESSED = new Set([".js", ".css", ".svg"]);
/** Smaller files fit into a packet as they are. */
const COMPRESSED_FROM_BYTES = 1400;
/** Of 11: the last two steps take ten times as long for two in a hundred. */
const BROTLI_QUALITY = 9;

/** Each file beside itself as it travels, so that the control plane compresses nothing while somebody waits. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    writeBundle({ dir }) {
      const assets = join(dir ?? "dist", "assets");
      for (const name of readdirSync(assets).filter((file) => COMPRESSED.has(extname(file)))) {
        const bytes = readFileSync(join(assets, name));
        if (bytes.length < COMPRESSED_FROM_BYTES) continue;
        const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY };
        writeFileSync(join(assets, `${name}.br`), brotliCompressSync(bytes, { params }));
        writeFileSync(join(assets, `${name}.gz`), gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), compressed()],
  css: { postcss: { plugins: [wornLooksOnly] } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // The content security policy allows files of our own host only: nothing may become a data: URL.
    assetsInlineLimit: 0,
    // A failure in an operator's browser can be read by line.
    sourcemap: true,
    // The style sheet of the component library is one file by nature.
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      output: {
        // A browser asks for six files at a time: what the first page is made of is one file, not fifty crumbs.
        codeSplitting: { groups: [{ name: "first", tags: ["$initial"] }] },
      },
    },
  },
  server: {
    host: "127.0.0.1",
    port: 7088,
    proxy: { "/api": { target: process.env["HOLDFAST_URL"] ?? "http://127.0.0.1:7080" } },
  },
});
