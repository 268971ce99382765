import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

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

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
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
