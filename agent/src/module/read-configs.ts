import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { toConnectError } from "../rpc/refusal.ts";
import type { AnyDomain } from "./domain-hands.ts";

/** Null: this domain is to have none. */
type Read = ReturnType<AnyDomain["parseConfig"]> | null;

/** The one that is wanted, the one in force, and the one before it. */
const MOST_KEPT = 3;

/**
 * Takes a domain's config apart, and remembers the latest by their text. In one transaction a module is sent the same two half a dozen times, and
 * of ten thousand rules each time took a third of a second; what the domain builds from a config it keeps with the config, so the same object
 * saves that too.
 */
export function configReader(domain: AnyDomain): (field: string, text: string) => Read {
  const kept: { readonly text: string; readonly read: Read }[] = [];
  return (field, text) => {
    const known = kept.find((one) => one.text === text);
    if (known !== undefined) return known.read;
    const value = readJson(field, text);
    const read = value === null ? null : domain.parseConfig(value);
    kept.unshift({ text, read });
    kept.length = Math.min(kept.length, MOST_KEPT);
    return read;
  };
}

/** @throws ConnectError `module.config_invalid` that names the field */
export function readJson(field: string, text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw toConnectError({ code: "module.config_invalid", message: `${field} is not JSON` });
  }
}
