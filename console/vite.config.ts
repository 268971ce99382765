import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
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
  },
  server: {
    host: "127.0.0.1",
    port: 7088,
    proxy: { "/api": { target: process.env["HOLDFAST_URL"] ?? "http://127.0.0.1:7080" } },
  },
});
