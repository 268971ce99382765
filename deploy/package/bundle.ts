import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const REPOSITORY_ROOT = join(import.meta.dirname, "../..");

/** Where the package and the units expect the agent. */
const AGENT_BUNDLE = join(REPOSITORY_ROOT, "dist/holdfast-agent.mjs");

/**
 * One file with everything that runs on a server: starts in a third of the time of the sources, and nothing is looked up in a node_modules
 * folder there. Packages that still speak CommonJS find `require` made for them.
 */
async function bundleAgent(entry: string, outfile: string): Promise<void> {
  mkdirSync(dirname(outfile), { recursive: true });
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    legalComments: "none",
    // Names and line structure stay, so that a stack trace from a server can be read.
    minifySyntax: true,
    logLevel: "warning",
    banner: {
      js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
    },
  });
}

if (import.meta.main) {
  const [entry = join(REPOSITORY_ROOT, "agent/src/main.ts"), outfile = AGENT_BUNDLE] = process.argv.slice(2);
  await bundleAgent(entry, outfile);
}
