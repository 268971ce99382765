import { mkdirSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { build, type Plugin } from "esbuild";

export const REPOSITORY_ROOT = join(import.meta.dirname, "../..");

/** Where it is made when nobody says otherwise. */
const AGENT_BUNDLE = join(REPOSITORY_ROOT, "dist/holdfast-agent.mjs");
export const AGENT_ENTRY = join(REPOSITORY_ROOT, "agent/src/main.ts");
/** The one that stays has a file of its own, a third as large: what it does not need is never loaded. */
export const SESSION_ENTRY = join(REPOSITORY_ROOT, "agent/src/session-main.ts");

/**
 * One file with all that a program needs on a server: starts in a third of the time of the sources, and nothing is looked up in a node_modules
 * folder there. Packages that still speak CommonJS find `require` made for them. Answers with the files of npm packages that are in it.
 */
export async function bundleAgent(entry: string, outfile: string): Promise<readonly string[]> {
  mkdirSync(dirname(outfile), { recursive: true });
  const { metafile } = await build({
    entryPoints: [entry],
    outfile,
    // The paths in it are told from here, so that the same sources give the same bytes from any folder.
    absWorkingDir: REPOSITORY_ROOT,
    bundle: true,
    metafile: true,
    platform: "node",
    target: "node24",
    format: "esm",
    legalComments: "none",
    // Names and line structure stay, so that a stack trace from a server can be read.
    minifySyntax: true,
    logLevel: "warning",
    plugins: [REQUIRED_BUILTINS, ONE_LOCALE],
    banner: {
      js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
    },
  });
  return Object.keys(metafile.inputs).filter((input) => input.includes("node_modules/"));
}

/**
 * An `import` of one of Node's own modules reads each of its exports once to copy it, also those that are made when they are first asked for:
 * that of node:http loads undici, which an agent never uses. `require` reads what is asked for.
 */
const REQUIRED_BUILTINS: Plugin = {
  name: "required-builtins",
  setup(bundling) {
    bundling.onResolve({ filter: /./ }, ({ path, kind }) =>
      kind === "import-statement" && isBuiltin(path) ? { path, namespace: "builtin" } : undefined,
    );
    bundling.onLoad({ filter: /./, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

/** Zod's namespace holds its messages in all of its languages. An agent speaks one. */
const ONE_LOCALE: Plugin = {
  name: "one-locale",
  setup(bundling) {
    bundling.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, ({ path }) => ({
      contents: 'export { default as en } from "./en.js";',
      resolveDir: dirname(path),
    }));
  },
};

if (import.meta.main) {
  const [entry = AGENT_ENTRY, outfile = AGENT_BUNDLE] = process.argv.slice(2);
  await bundleAgent(entry, outfile);
}
