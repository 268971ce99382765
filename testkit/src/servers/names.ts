import { LabError } from "./lab-error.ts";

/**
 * Every trace a lab leaves on the machine starts with its prefix and a dot, so a sweep finds all of it and nothing else.
 * A prefix or a name holds no dot: "hft-1" can never swallow what belongs to "hft-1-2".
 */
const WORD = /^[a-z][a-z0-9-]*$/;

/** The kernel's IFNAMSIZ is 16 bytes with the closing zero (linux/if.h). */
export const INTERFACE_NAME_MAX = 15;
/** Host names end at 64 bytes (HOST_NAME_MAX); prefix, dot, name and ".net" stay below that together. */
const PREFIX_MAX = 32;
const NAME_MAX = 24;

export function checkPrefix(prefix: string): string {
  return checkWord("prefix", prefix, PREFIX_MAX);
}

export function checkName(name: string): string {
  return checkWord("name", name, NAME_MAX);
}

export function checkInterface(name: string): string {
  return checkWord("interface", name, INTERFACE_NAME_MAX);
}

function checkWord(field: string, value: string, longest: number): string {
  if (!WORD.test(value) || value.length > longest) {
    throw new LabError(
      `${field} "${value}": expected a small letter, then small letters, digits and "-", at most ${String(longest)} characters`,
    );
  }
  return value;
}

export function nodeNamespace(prefix: string, name: string): string {
  return `${prefix}.${name}`;
}

export function networkNamespace(prefix: string, name: string): string {
  return `${prefix}.${name}.net`;
}

/** What one lab calls its own among namespaces: see WORD. */
export function belongsTo(prefix: string, namespace: string): boolean {
  return namespace.startsWith(`${prefix}.`);
}
