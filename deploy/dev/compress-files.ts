/**
 * node deploy/dev/compress-files.ts FOLDER: each file of a built console beside itself as it travels (.br, .gz), so that the control plane
 * compresses nothing while somebody waits.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const COMPRESSED = new Set([".js", ".css", ".svg"]);
/** Smaller files fit into a packet as they are. */
const FROM_BYTES = 1400;
/** Of 11: the last two steps take ten times as long for two in a hundred. */
const BROTLI_QUALITY = 9;

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: node deploy/dev/compress-files.ts FOLDER");
for (const name of readdirSync(folder).filter((file) => COMPRESSED.has(extname(file)))) {
  const bytes = readFileSync(join(folder, name));
  if (bytes.length < FROM_BYTES) continue;
  const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY };
  writeFileSync(join(folder, `${name}.br`), brotliCompressSync(bytes, { params }));
  writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
}
