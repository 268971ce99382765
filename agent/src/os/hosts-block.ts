import { existsSync, lstatSync, readFileSync } from "node:fs";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { withoutHostsBlock } from "@holdfast/domains/system/hosts-block.ts";
import { errorCode, writeFileDurably } from "./files.ts";

const NEW_FILE_MODE = 0o644;

/** Replaces our lines at the head of the file. It is read here and now, so what others wrote a moment ago is kept. */
export function putHostsBlock(path: string, block: string | null): Result<null, string> {
  try {
    if (!existsSync(path)) {
      if (block !== null) writeFileDurably(path, block, NEW_FILE_MODE);
      return ok(null);
    }
    const stat = lstatSync(path);
    if (!stat.isFile() || stat.uid !== 0 || stat.gid !== 0) return err(`${path} is not a plain file of root's`);
    const text = readFileSync(path, "utf8");
    const wanted = (block ?? "") + withoutHostsBlock(text);
    if (wanted !== text) writeFileDurably(path, wanted, stat.mode & 0o777);
    return ok(null);
  } catch (error) {
    return err(`${path}: ${errorCode(error) ?? String(error)}`);
  }
}
