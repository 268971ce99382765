import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { readOrMakeSecret } from "../authority/key-file.ts";
import type { SecretsKeyConfig } from "../config.ts";
import { KEY_BYTES, newKey } from "./envelope.ts";
import { outputOf } from "./key-command.ts";

/**
 * Where the key-encryption keys come from: never from the database. The first one is the house's; the others only open what was wrapped before.
 */
export interface KeySource {
  /** For people. */
  readonly words: string;
  /** Empty: there is none yet. */
  read(): Promise<Result<readonly Buffer[], string>>;
  /** Makes the first key, once; null: only a person can. Throws the system's error where that refuses. */
  readonly make: (() => Promise<void>) | null;
  /** Replaces all of them; null: only a person can. Throws like `make`. */
  readonly replace: ((keys: readonly Buffer[]) => Promise<void>) | null;
}

const FILE_MODE = 0o600;

export function keySource(config: SecretsKeyConfig, dataDirectory: string): KeySource {
  switch (config.kind) {
    case "file":
      return fileSource(join(dataDirectory, "secrets.key"));
    case "environment":
      return { words: "HOLDFAST_SECRETS_KEY", read: async () => parseKeys(config.text), make: null, replace: null };
    case "command":
      return {
        words: `what ${config.path} prints`,
        read: async () => {
          const printed = await outputOf(config.path);
          return printed.ok ? parseKeys(printed.value) : printed;
        },
        make: null,
        replace: null,
      };
  }
}

/** One key a line, base64. What is wrong is said without the text. */
export function parseKeys(text: string): Result<readonly Buffer[], string> {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const keys = words.map((word) => Buffer.from(word, "base64"));
  const wrong = keys.findIndex((key, index) => key.length !== KEY_BYTES || key.toString("base64") !== words[index]);
  if (wrong >= 0)
    return err(`key ${wrong + 1} is not ${KEY_BYTES} bytes in base64 (openssl rand -base64 ${KEY_BYTES} makes one)`);
  return ok(keys);
}

function formatKeys(keys: readonly Buffer[]): string {
  return keys.map((key) => `${key.toString("base64")}\n`).join("");
}

function fileSource(path: string): KeySource {
  return {
    words: path,
    read: async () => {
      try {
        const { mode } = await stat(path);
        if ((mode & 0o077) !== 0) return err(`others may read it (mode ${(mode & 0o777).toString(8)}, expected 600)`);
        return parseKeys(await readFile(path, "utf8"));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "ENOENT") return ok([]);
        return err(`it cannot be read (${code ?? "the system does not say why"})`);
      }
    },
    make: async () => {
      await readOrMakeSecret(path, async () => formatKeys([newKey()]));
    },
    replace: async (keys) => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const temporary = join(dirname(path), `.${randomUUID()}.new`);
      const file = await open(temporary, "wx", FILE_MODE);
      try {
        await file.writeFile(formatKeys(keys));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
      const folder = await open(dirname(path), "r");
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    },
  };
}
