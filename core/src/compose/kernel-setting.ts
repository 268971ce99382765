import type { Finding } from "../base/finding.ts";
import type { ProvenanceEntry } from "./effective-config.ts";
import { composeFinding } from "./findings.ts";

/**
 * What a config of one domain says of a setting of the kernel, which has one value for all of them. Two that set it differently would each
 * undo the other at every boot; one that cannot work with what another sets is told, and is for people to decide.
 */
export interface KernelSetting {
  /** As sysctl(8) names it: `net.ipv4.ip_forward`. */
  readonly key: string;
  /** `sets`: to the one value. `needs`: it works with any of these. */
  readonly does: "sets" | "needs";
  readonly values: readonly string[];
  /** Where it stands in the effective config, as provenance names it. */
  readonly item: string;
  /** What goes wrong with another value, as a sentence without its end; of what is set, how a person knows the setting. */
  readonly what: string;
  /** Of what is needed: the finding by which the module tells that the server has another value at the moment. */
  readonly tells?: ToldByModule;
}

/** A finding of a module, by what names it. */
export interface ToldByModule {
  readonly code: string;
  readonly path: string;
}

/** Two names of the kernel's for one setting. */
const CANONICAL: Readonly<Record<string, string>> = { "net.ipv4.conf.all.forwarding": "net.ipv4.ip_forward" };

/**
 * What modules need not tell, each of which knows its own domain only: the same config sets the value, and whether to a good one was told
 * in composing.
 */
export function settledByConfig(settings: readonly KernelSetting[]): readonly ToldByModule[] {
  const set = new Set(settings.filter(({ does }) => does === "sets").map(keyOf));
  return settings.flatMap((one) => (one.tells !== undefined && set.has(keyOf(one)) ? [one.tells] : []));
}

function keyOf({ key }: KernelSetting): string {
  return CANONICAL[key] ?? key;
}

export function kernelFindings(
  settings: readonly KernelSetting[],
  provenance: readonly ProvenanceEntry[],
): readonly Finding[] {
  const placeOf = ({ item }: KernelSetting) => {
    const origin = provenance.find((entry) => entry.item === item)?.from;
    return origin === undefined ? { path: item } : { path: origin.path, document: origin.document };
  };
  const set = settings.filter(({ does }) => does === "sets");
  return settings.flatMap((one, at): readonly Finding[] => {
    const against = set.find(
      (other) =>
        other.item !== one.item &&
        keyOf(other) === keyOf(one) &&
        // Of two that set it, the second is told, once.
        (one.does === "needs" || settings.indexOf(other) < at) &&
        !other.values.every((value) => one.values.includes(value)),
    );
    if (against === undefined) return [];
    return one.does === "sets"
      ? [
          composeFinding(
            "compose.kernel_set_twice",
            `${one.what} sets ${keyOf(one)} to ${one.values.join(" or ")}, and ${against.what} sets it to ${against.values.join(" or ")}; the kernel has one value.`,
            placeOf(one),
          ),
        ]
      : [
          composeFinding(
            "compose.kernel_against",
            `${against.what} sets ${keyOf(one)} to ${against.values.join(" or ")}: ${one.what}.`,
            placeOf(against),
          ),
        ];
  });
}
