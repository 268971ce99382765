import type { RawFact } from "@holdfast/core/domain.ts";
import type { PacketReader, PacketWatch } from "@holdfast/core/net/packet-watch.ts";
import type { PacketDirection, PacketOutcome, SeenPacket } from "@holdfast/core/net/seen-packet.ts";
import { decidedBy, directionOfChain, FAMILY, TABLE, WATCH_TABLE } from "./names.ts";

/**
 * What the firewall decides, packet by packet: the kernel's own trace, for a sample of packets, while somebody looks.
 *   W1. The sample is taken by a table of its own that its process owns: the kernel removes it when that process is gone, however it went.
 *   W2. The kernel holds the rate, so that a flood costs no more than a drizzle.
 *   W3. Of a packet only addresses, ports and interfaces are read, each by its own pattern; what does not fit is left out.
 */
/** Packets a second in each direction. Fewer would miss a short attempt beside a scan; more is nothing that a person reads. */
export const SAMPLE_PER_SECOND = 50;
/** After connection tracking (-200), so that replies are left out; before translation (-100), so that addresses are as they came. */
const PRIORITY = -190;
const ARRIVING = "arriving";
const LEAVING = "leaving";

export const firewallWatch: PacketWatch = {
  query: { kind: "command", name: "chains", argv: ["nft", "-j", "list", "chains"] },
  hasAnythingToSee: ({ status, stdout }: RawFact) => status === 0 && hasOwnTable(stdout),
  script: watchScript(),
  reader: packetReader,
};

function hasOwnTable(chains: string): boolean {
  return new RegExp(`"family": ?"${FAMILY}", ?"table": ?"${TABLE}"`).test(chains);
}

function watchScript(): string {
  const chain = (name: string, hook: string, loopback: string): string =>
    `chain ${name} { type filter hook ${hook} priority ${PRIORITY}; policy accept; ct state != { established, related } ${loopback} != "lo" limit rate ${SAMPLE_PER_SECOND}/second burst ${SAMPLE_PER_SECOND} packets meta nftrace set 1; }`;
  return `add table ${FAMILY} ${WATCH_TABLE} { flags owner; ${chain(ARRIVING, "prerouting", "iif")}; ${chain(LEAVING, "output", "oif")}; }`;
}

/** Milliseconds without another line about a packet after which it is told. A packet's lines come at once; more would only delay. */
const SETTLED_MS = 150;
/** Packets under way. The sample and SETTLED_MS allow some thirty; more are let go, oldest first. */
const MOST_UNDER_WAY = 2_000;

interface UnderWay {
  readonly atMs: number;
  readonly head: Head;
  readonly entered: PacketDirection;
  direction: PacketDirection | null;
  rule: string | null;
  isObserved: boolean;
  outcome: PacketOutcome | null;
  foreignTable: string | null;
  outInterface: string | null;
  lastMs: number;
}

type Head = Pick<
  SeenPacket,
  "inInterface" | "outInterface" | "protocol" | "source" | "destination" | "sourcePort" | "destinationPort" | "icmpType"
>;

const LINE =
  /^trace id ([0-9a-f]{1,16}) (\S{1,16}) (\S{1,255}) (\S{1,255}) (packet:|rule|unknown rule|verdict|policy) (.*)$/;
/** nft reads rules once, at its start, and prints later ones as unknown; but it tells of every change. */
const CHANGE = new RegExp(
  `^(?:add|insert|replace|delete|destroy|flush) (?:table|chain|rule) ${FAMILY} ${TABLE}(?: |$)`,
);
const VERDICT = /\(verdict ([a-z]+)(?: \S+)?\)$/;

function packetReader(): PacketReader {
  const underWay = new Map<string, UnderWay>();
  /** Of each second that is not over long, how many packets began to be traced. */
  const begun = { second: 0, now: 0, before: 0 };
  let isOutdated = false;

  const begin = (id: string, chain: string, text: string, nowMs: number): void => {
    const head = headOf(text);
    if (head === null) return;
    const second = Math.floor(nowMs / 1000);
    if (second !== begun.second) {
      begun.before = second === begun.second + 1 ? begun.now : 0;
      begun.second = second;
      begun.now = 0;
    }
    begun.now += 1;
    const [oldest] = underWay.keys();
    if (underWay.size >= MOST_UNDER_WAY && oldest !== undefined) underWay.delete(oldest);
    underWay.set(id, {
      atMs: nowMs,
      head,
      entered: chain === LEAVING ? "outbound" : "inbound",
      direction: null,
      rule: null,
      isObserved: false,
      outcome: null,
      foreignTable: null,
      outInterface: null,
      lastMs: nowMs,
    });
  };

  return {
    take(line, nowMs) {
      const [, id = "", family = "", table = "", chain = "", what = "", text = ""] = LINE.exec(line.trimEnd()) ?? [];
      if (id === "") {
        isOutdated ||= CHANGE.test(line);
        return;
      }
      if (family === FAMILY && table === WATCH_TABLE) {
        if (what === "packet:" && !underWay.has(id)) begin(id, chain, text, nowMs);
        return;
      }
      const packet = underWay.get(id);
      if (packet === undefined) return;
      packet.lastMs = nowMs;
      isOutdated ||= what === "unknown rule" && family === FAMILY && table === TABLE;
      if (family === FAMILY && table === TABLE) ours(packet, chain, what, text);
      else if (verdictOf(what, text) === "drop") packet.foreignTable = `${family} ${table}`;
    },

    settled(nowMs) {
      const told: SeenPacket[] = [];
      for (const [id, packet] of underWay) {
        if (nowMs - packet.lastMs < SETTLED_MS) continue;
        underWay.delete(id);
        const { foreignTable } = packet;
        const outcome = foreignTable === null ? packet.outcome : "dropped";
        // Nothing of ours stands in its way and nobody dropped it: there is nothing to tell.
        if (outcome === null) continue;
        told.push({
          ...packet.head,
          atMs: packet.atMs,
          direction: packet.direction ?? packet.entered,
          outcome,
          rule: packet.rule,
          foreignTable,
          outInterface: packet.head.outInterface ?? packet.outInterface,
        });
      }
      return told;
    },

    wasOutdated() {
      const was = isOutdated;
      isOutdated = false;
      return was;
    },

    isSampled(nowMs) {
      const second = Math.floor(nowMs / 1000);
      return (
        (second === begun.second && Math.max(begun.now, begun.before) >= SAMPLE_PER_SECOND) ||
        (second === begun.second + 1 && begun.now >= SAMPLE_PER_SECOND)
      );
    },
  };
}

/** A line about our own table: where the packet is, which rule has spoken, and whether that ends it. */
function ours(packet: UnderWay, chain: string, what: string, text: string): void {
  const direction = directionOfChain(chain);
  if (direction === null) {
    // Translation decides nothing about passing; the chain that tells the sender is shared and comes after the rule that leads there.
    if (chain === "act_reject" && packet.direction !== null) packet.outcome = "rejected";
    return;
  }
  packet.direction = direction;
  if (what === "packet:") {
    packet.outInterface = interfaceIn(text, "oif");
    return;
  }
  if (what === "unknown rule") packet.rule = null;
  const decided = decidedBy(chain, /\bcounter name "([^"]{1,255})"/.exec(text)?.[1] ?? null);
  if (decided !== null) {
    packet.rule = decided.rule;
    packet.isObserved = decided.isObserved;
  }
  const verdict = verdictOf(what, text);
  if (verdict === "accept") packet.outcome = packet.isObserved ? "would_drop" : "allowed";
  else if (verdict === "drop") packet.outcome = /\breject\b/.test(text) ? "rejected" : "dropped";
}

function verdictOf(what: string, text: string): string | null {
  if (what === "policy") return /^([a-z]+)/.exec(text)?.[1] ?? null;
  return VERDICT.exec(text)?.[1] ?? null;
}

const PROTOCOLS: Readonly<Record<string, string>> = { "1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6" };

function headOf(text: string): Head | null {
  const source = /\bip6? saddr ([0-9a-f:.]{2,45})(?= |$)/.exec(text)?.[1];
  const destination = /\bip6? daddr ([0-9a-f:.]{2,45})(?= |$)/.exec(text)?.[1];
  if (source === undefined || destination === undefined) return null;
  const number = /\bip protocol (\d{1,3})\b/.exec(text)?.[1] ?? /\bip6 nexthdr (\d{1,3})\b/.exec(text)?.[1] ?? "";
  const transport = /\b(tcp|udp) sport (\d{1,5}) (?:tcp|udp) dport (\d{1,5})\b/.exec(text);
  const icmp = /\b(icmp|icmpv6) type (\d{1,3})\b/.exec(text);
  return {
    inInterface: interfaceIn(text, "iif"),
    outInterface: interfaceIn(text, "oif"),
    protocol: transport?.[1] ?? icmp?.[1] ?? PROTOCOLS[number] ?? number,
    source,
    destination,
    sourcePort: transport === null ? null : Number(transport[2]),
    destinationPort: transport === null ? null : Number(transport[3]),
    icmpType: icmp === null ? null : Number(icmp[2]),
  };
}

function interfaceIn(text: string, key: "iif" | "oif"): string | null {
  return new RegExp(`(?:^| )${key} "([^"]{1,15})"`).exec(text)?.[1] ?? null;
}
