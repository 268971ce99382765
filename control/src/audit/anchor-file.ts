import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import type { SignedCheckpoint } from "./checkpoint.ts";

/** Signed heads in a file of this instance, one line each: a database that is put back to an older day does not know them. */
export interface AnchorFile {
  append(checkpoint: SignedCheckpoint): Promise<void>;
  /** Lines that cannot be read prove nothing and are passed over: a line that was cut by a crash is one. */
  read(): Promise<readonly SignedCheckpoint[]>;
}

const LINE = z.object({
  entries: z.int().positive(),
  head: z.string().regex(/^[0-9a-f]{64}$/),
  at: z.string(),
  signature: z.base64(),
});

export function anchorFile(path: string): AnchorFile {
  return {
    async append({ entries, head, at, signature }) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const line = JSON.stringify({ entries, head, at, signature: signature.toString("base64") });
      // One write to a file that is opened for appending: two instances with one folder do not mix their lines.
      await appendFile(path, `\n${line}`, { mode: 0o600, flush: true });
    },
    async read() {
      const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return "";
        throw error;
      });
      return text.split("\n").flatMap((line): SignedCheckpoint[] => {
        const parsed = LINE.safeParse(jsonOf(line));
        return parsed.success ? [{ ...parsed.data, signature: Buffer.from(parsed.data.signature, "base64") }] : [];
      });
    },
  };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
