import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { usageError } from "./cli-error.ts";

export interface DocumentFile {
  readonly file: string;
  readonly text: string;
}

/** A file, a folder (its .yaml and .yml files, in order, not deeper) or `-` for standard input. */
export function readDocuments(place: string): readonly DocumentFile[] {
  if (place === "-") return [{ file: "standard input", text: readFileSync(0, "utf8") }];
  const kind = statSync(place, { throwIfNoEntry: false });
  if (kind === undefined) throw usageError(`${place} is not there.`, "Name a file or a folder with policy documents.");
  if (!kind.isDirectory()) return [{ file: place, text: readFileSync(place, "utf8") }];
  const files = readdirSync(place)
    .filter((name) => /\.ya?ml$/.test(name))
    .toSorted();
  if (files.length === 0)
    throw usageError(`${place} holds no .yaml file.`, "Name a file or a folder with policy documents.");
  return files.map((name) => ({ file: path.join(place, name), text: readFileSync(path.join(place, name), "utf8") }));
}
