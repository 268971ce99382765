import type { Brand } from "../base/brand.ts";
import { err, ok, type Result } from "../base/result.ts";

/** A name the kernel accepts for a network interface and that native tools read as nothing else. */
export type InterfaceName = Brand<string, "InterfaceName">;

/** IFNAMSIZ is 16 bytes with the closing zero (linux/if.h). */
const LONGEST = 15;

/**
 * The kernel refuses names that are empty, too long, `.`, `..`, or hold `/`, `:` or white space. We also refuse what is a pattern or a quote
 * to the tools that get the name in a text: `*` is a wildcard in nft, `%` a template to the kernel, quotes and backslashes end a string.
 */
export function parseInterfaceName(text: string): Result<InterfaceName, string> {
  const name = JSON.stringify(text);
  if (text === "") return err("an interface name cannot be empty");
  if (text.length > LONGEST)
    return err(`${name} is ${text.length} characters long; an interface name has ${LONGEST} at most`);
  if (text === "." || text === "..") return err(`${name} is not an interface name`);
  if (text.startsWith("-")) return err(`${name} would be an option to every program that is told it`);
  const bad = /[^A-Za-z0-9._@+-]/.exec(text);
  if (bad !== null)
    return err(
      `${name} is not an interface name; ${JSON.stringify(bad[0])} cannot stand in one (letters, digits and . _ - @ + can)`,
    );
  return ok(text as InterfaceName);
}
