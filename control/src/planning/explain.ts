import type { ExplainRequest, ExplainResponse } from "@holdfast/core/api/packet.ts";
import type { ServerId } from "@holdfast/core/base/id.ts";
import { type Address, parseAddress } from "@holdfast/core/net/address.ts";
import type { FirewallConfig, HookName } from "@holdfast/domains/firewall/model.ts";
import { type Judgement, judge, type Packet, type PacketVerdict } from "@holdfast/domains/firewall/packet.ts";
import { parseFirewallConfig } from "@holdfast/domains/firewall/parse-config.ts";
import { refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { composer } from "./compose-for.ts";
import { loadWorld } from "./world.ts";

const VERDICT = { accept: "allow", reject: "reject", drop: "drop" } as const satisfies Record<
  PacketVerdict,
  ExplainResponse["verdict"]
>;
/** What a person means who asks for a new connection with ping. */
const ICMP_OF_FAMILY = { 4: "echo-request", 6: "echo-request" } as const;
/** Any port that a client may have. */
const CLIENT_PORT = 49_152;

/** What the effective config of a server does with the first packet of a new connection, and which rule says so. */
export async function explainPacket(house: House, serverId: ServerId, asked: ExplainRequest): Promise<ExplainResponse> {
  const source = address(asked.source, "source");
  const destination = address(asked.destination, "destination");
  if (source.family !== destination.family)
    refuse("explain.impossible", "Source and destination are of different families.");
  const world = await loadWorld(house.database, house.documents);
  const server = world.servers.find((one) => one.id === serverId);
  const composition = server === undefined ? null : composer(house, world, [])(server);
  const config = composition?.composed.config;
  if (composition === null || config === null || config === undefined) {
    refuse("explain.impossible", "What is in force on this server cannot be composed.", {
      findings: composition?.composed.findings ?? [],
    });
  }
  const section = config.domains["firewall"];
  const parsed = section === undefined ? null : parseFirewallConfig(section);
  if (parsed === null || !parsed.ok)
    return {
      verdict: "not_ours",
      rule: null,
      why: "No policy says anything about this server's firewall.",
      from: null,
    };
  const packet = packetOf(asked, source, destination);
  const judgement = judge(parsed.config, asked.direction, packet, { now: Math.floor(house.nowMs() / 1000) });
  const item = judgement.rule === null ? null : itemOf(asked.direction, judgement.rule);
  const origin =
    item === null ? undefined : composition.composed.provenance.find((entry) => item.includes(entry.item))?.from;
  return {
    verdict: judgement.rule === null ? "not_ours" : VERDICT[judgement.verdict],
    rule: judgement.rule,
    why: why(parsed.config, asked.direction, judgement),
    from:
      origin === undefined
        ? null
        : {
            document: origin.document,
            revision: origin.revision,
            layer: origin.layer,
            path: origin.path,
            ...(origin.line === undefined ? {} : { line: origin.line }),
          },
  };
}

function packetOf(asked: ExplainRequest, source: Address, destination: Address): Packet {
  return {
    in: asked.direction === "outbound" ? null : (asked.fromInterface ?? null),
    out: asked.direction === "inbound" ? null : (asked.toInterface ?? null),
    source,
    destination,
    state: "new",
    service: serviceOf(asked, source.family),
  };
}

function serviceOf(asked: ExplainRequest, family: 4 | 6): Packet["service"] {
  if (asked.protocol === "icmp") return { protocol: "icmp", message: ICMP_OF_FAMILY[family] };
  if (asked.port === undefined)
    refuse("explain.impossible", `A packet of ${asked.protocol} goes to a port; say which.`);
  return { protocol: asked.protocol, from: CLIENT_PORT, to: asked.port };
}

function address(text: string, field: string): Address {
  const parsed = parseAddress(text);
  return parsed.ok ? parsed.value : refuse("explain.impossible", `${field}: ${parsed.error}.`);
}

/** Where provenance may have it: a rule by its name in its section, a locked one, a publication, or the default. */
export function itemOf(hook: HookName, rule: string): readonly string[] {
  const name = rule.replace(/\.limited$/, "");
  if (name === "default") return [`firewall.${hook}.default`];
  if (name.startsWith("locked."))
    return [
      `firewall.${hook}.locked.${name.slice("locked.".length)}`,
      `firewall.locked.${name.slice("locked.".length)}`,
    ];
  if (name.startsWith("publish.")) return [`firewall.nat.publish.${name.slice("publish.".length)}`];
  return [`firewall.${hook}.rules.${name}`];
}

function why(config: FirewallConfig, hook: HookName, judgement: Judgement): string {
  if (judgement.rule === null)
    return `No policy has a section ${hook} for this server: such packets are not ours to judge.`;
  const rule = judgement.rule.startsWith("locked.")
    ? `the locked rule ${judgement.rule.slice("locked.".length)}`
    : judgement.rule === "default"
      ? `the default of ${hook}`
      : `the rule ${judgement.rule}`;
  const verb = { accept: "lets it through", reject: "rejects it", drop: "drops it" } as const satisfies Record<
    PacketVerdict,
    string
  >;
  const sentence = `${rule.charAt(0).toUpperCase()}${rule.slice(1)} ${verb[judgement.ruling]}.`;
  return config.mode === "observe" && judgement.ruling !== "accept"
    ? `${sentence} It is only counted: the firewall observes and does not enforce.`
    : sentence;
}
