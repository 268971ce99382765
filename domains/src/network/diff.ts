import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import type { NetworkConfig } from "./model.ts";

/** A difference between two configs, in the words of the policy. */
export interface NetworkChange {
  readonly kind: "added" | "removed" | "changed";
  /** For example `interface wan`, `ipv4 of wan`, `IPv4 forwarding`. */
  readonly what: string;
}

export function networkChanges(before: NetworkConfig | null, after: NetworkConfig | null): readonly NetworkChange[] {
  if (before === null || after === null) {
    if (before === after) return [];
    return [{ kind: before === null ? "added" : "removed", what: "the network" }];
  }
  const roles = [...new Set([...Object.keys(before.interfaces), ...Object.keys(after.interfaces)])].toSorted();
  return [
    ...valueChange("where the server is reached", before.reachedAt, after.reachedAt),
    ...valueChange("IPv4 forwarding", before.forwarding.ipv4, after.forwarding.ipv4),
    ...valueChange("IPv6 forwarding", before.forwarding.ipv6, after.forwarding.ipv6),
    ...roles.flatMap((role): readonly NetworkChange[] => {
      const [left, right]: readonly (Record<string, Json | undefined> | undefined)[] = [
        before.interfaces[role],
        after.interfaces[role],
      ];
      if (left === undefined || right === undefined) return valueChange(`interface ${role}`, left, right);
      const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])].toSorted();
      return keys.flatMap((key) => valueChange(`${key} of ${role}`, left[key], right[key]));
    }),
  ];
}

function valueChange(what: string, before: Json | undefined, after: Json | undefined): readonly NetworkChange[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ kind: "added", what }];
  if (after === undefined) return [{ kind: "removed", what }];
  return canonicalJson(before) === canonicalJson(after) ? [] : [{ kind: "changed", what }];
}

/** A sentence for people: one change by name, many by number. */
export function changesInWords(changes: readonly NetworkChange[]): string {
  const [first, ...more] = changes;
  if (first === undefined) return "the network as it is confirmed";
  const verb = { added: "add", removed: "remove", changed: "change" } as const satisfies Record<
    NetworkChange["kind"],
    string
  >;
  const rest = more.length === 0 ? "" : `, and ${more.length} more change${more.length === 1 ? "" : "s"}`;
  return `${verb[first.kind]} ${first.what}${rest}`;
}
