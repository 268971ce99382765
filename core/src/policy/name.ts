import { err, ok, type Result } from "../base/result.ts";

/** Words that stand for something else where a name may stand. */
const RESERVED = ["any", "self", "all", "none", "true", "false"] as const;

/** Names of documents: they appear in URLs, logs and file names. */
export function parseDocumentName(text: string): Result<string, string> {
  if (!/^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/.test(text)) {
    return err(
      `${JSON.stringify(text)} is not a name; write lower-case letters, digits, - and . (63 at most), beginning and ending with a letter or digit`,
    );
  }
  return ok(text);
}

/** Names of things inside a document: rules, parameters, groups, zones, interface roles. */
export function parseItemName(text: string): Result<string, string> {
  if (!/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) {
    return err(
      `${JSON.stringify(text)} is not a name; write lower-case letters, digits and - (63 at most), beginning with a letter`,
    );
  }
  const reserved = RESERVED.find((word) => word === text);
  return reserved === undefined
    ? ok(text)
    : err(`${reserved} has a meaning of its own and cannot be a name; choose another`);
}

/** Values of labels. */
export function parseLabelValue(text: string): Result<string, string> {
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(text)) {
    return err(
      `${JSON.stringify(text)} is not the value of a label; write letters, digits, - . and _ (63 at most), beginning and ending with a letter or digit`,
    );
  }
  return ok(text);
}
