import { lstatSync, readFileSync } from "node:fs";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { LOGIN_KEYS, loginLines, withLoginLine } from "@holdfast/domains/system/login-defs.ts";
import { errorCode, writeFileDurably } from "./files.ts";

/** Replaces one line of the file. It is read here and now, so what others wrote a moment ago is kept. */
export function putLoginLine(path: string, key: string, line: string | null): Result<null, string> {
  const known = LOGIN_KEYS.find((one) => one === key);
  if (known === undefined) return err(`${key} is no setting of ours in ${path}`);
  try {
    const stat = lstatSync(path);
    if (!stat.isFile() || stat.uid !== 0 || stat.gid !== 0) return err(`${path} is not a plain file of root's`);
    const text = readFileSync(path, "utf8");
    if (loginLines(text, known).length > 1) return err(`${path} says ${key} more than once`);
    const wanted = withLoginLine(text, known, line);
    if (wanted !== text) writeFileDurably(path, wanted, stat.mode & 0o777);
    return ok(null);
  } catch (error) {
    return err(`${path}: ${errorCode(error) ?? String(error)}`);
  }
}
