import type { Finding } from "../base/finding.ts";
import { type AddressSet, addressSetFromText } from "../net/address-set.ts";
import { formatService, type Service } from "../net/service.ts";
import type { ComposedDomain, Packets } from "./domain-language.ts";
import type { ProvenanceEntry } from "./effective-config.ts";
import { composeFinding } from "./findings.ts";

/**
 * Traffic without which a setting of one domain does nothing: a port on which it lets a daemon listen, a server that it asks. Unlike a need
 * nothing is opened for it, because whom to let in is for people to say; but where another domain closes it to everybody, both are told.
 */
export interface Use {
  /** Into this server, or out of it; without an address, wherever it goes. */
  readonly direction: "in" | "out";
  readonly address: string | null;
  readonly service: Service;
  /** Where the setting stands in the effective config. */
  readonly item: string;
  /** What would not work, as the beginning of a sentence. */
  readonly what: string;
}

/** What the models of all domains say of the uses of each. Where they decide nothing, there is nothing to tell. */
export function useFindings(
  uses: readonly Use[],
  domains: readonly ComposedDomain[],
  provenance: readonly ProvenanceEntry[],
): readonly Finding[] {
  return uses.flatMap((use) => {
    const packets = packetsOf(use);
    if (packets === null) return [];
    const closing = domains.map((domain) => domain.judge(packets)).find(({ verdict }) => verdict === "closed");
    if (closing === undefined) return [];
    const origin = provenance.find(({ item }) => item === use.item)?.from;
    const where = use.direction === "in" ? "lets nobody in" : `does not let ${use.address ?? "anything"} be reached`;
    return [
      composeFinding(
        "compose.use_closed",
        `${use.what} by ${formatService(use.service)}, and the firewall of the same server ${where}: ${closing.because}`,
        { path: use.item, ...(origin === undefined ? {} : { document: origin.document }) },
      ),
    ];
  });
}

function packetsOf(use: Use): Packets | null {
  if (use.direction === "in") return { from: { kind: "any" }, to: { kind: "self" }, service: use.service };
  if (use.address === null) return { from: { kind: "self" }, to: { kind: "any" }, service: use.service };
  const addresses: AddressSet | null = valueOf(addressSetFromText(use.address));
  if (addresses === null) return null;
  return { from: { kind: "self" }, to: { kind: "addresses", addresses }, service: use.service };
}

function valueOf<Value>(result: { readonly ok: true; readonly value: Value } | { readonly ok: false }): Value | null {
  return result.ok ? result.value : null;
}
