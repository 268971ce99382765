import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { assertNever } from "@holdfast/core/base/never.ts";
import type { Family } from "@holdfast/core/net/address.ts";
import type { Ports } from "@holdfast/core/net/port.ts";
import type { AddressTest, InterfaceTest, Match, ProtocolTest } from "./match.ts";
import { setNames } from "./names.ts";
import { ct, destinationType, match, meta, oneOf, type Operand, payload, type Statement } from "./nft-expression.ts";

const IP = { 4: "ip", 6: "ip6" } as const satisfies Record<Family, string>;

/** A match as nft statements, in the order in which they are cheapest to ask. */
export function matchStatements(of: Match): readonly Statement[] {
  const statements: Statement[] = [];
  const { family } = of;
  const tellsFamily =
    of.source !== undefined ||
    of.destination !== undefined ||
    of.protocol?.kind === "icmp" ||
    of.protocol?.kind === "icmpv6";
  // Asked only where nothing else tells it: nft drops a redundant question when it lists, and the text would differ.
  if (family !== undefined && !tellsFamily) statements.push(match(meta("nfproto"), `ipv${family}`));
  if (of.states !== undefined)
    statements.push(
      match(ct("state"), of.states.length === 1 && of.states[0] !== undefined ? of.states[0] : [...of.states], "in"),
    );
  if (of.in !== undefined) statements.push(match(meta("iifname"), interfaceOperand(of.in)));
  if (of.out !== undefined) statements.push(match(meta("oifname"), interfaceOperand(of.out)));
  if (family !== undefined && of.source !== undefined)
    statements.push(match(payload(IP[family], "saddr"), addressOperand(family, of.source)));
  if (family !== undefined && of.destination !== undefined)
    statements.push(match(payload(IP[family], "daddr"), addressOperand(family, of.destination)));
  if (of.destinationIs !== undefined) statements.push(match(destinationType(), "local"));
  if (of.destinationIs === "elsewhere") statements.push(match(destinationType("iif"), "local", "!="));
  if (of.protocol !== undefined) statements.push(...protocolStatements(of.protocol));
  if (of.translated === true) statements.push(match(ct("status"), "dnat", "in"));
  if (of.before !== undefined) statements.push(match(meta("time"), of.before, "<"));
  return statements;
}

function interfaceOperand(test: InterfaceTest): Json {
  return test.kind === "name" ? test.name : `@${setNames.interfaces(test.key)}`;
}

function addressOperand(family: Family, test: AddressTest): Json {
  return test.kind === "set" ? `@${setNames.addresses(test.key, family)}` : oneOf(test.texts.map(textOperand));
}

function textOperand(text: string): Operand {
  const slash = text.indexOf("/");
  if (slash !== -1) return { prefix: { addr: text.slice(0, slash), len: Number(text.slice(slash + 1)) } };
  const dash = text.indexOf("-");
  return dash === -1 ? text : { range: [text.slice(0, dash), text.slice(dash + 1)] };
}

/** IANA numbers of the two families' control messages. */
const ICMP_PROTOCOL = 1;
const ICMPV6_PROTOCOL = 58;
const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 } as const;

function protocolStatements(test: ProtocolTest): readonly Statement[] {
  switch (test.kind) {
    case "tcp":
    case "udp": {
      if (test.from.length === 0 && test.to.length === 0) return [match(meta("l4proto"), PROTOCOL_NUMBERS[test.kind])];
      return [
        ...(test.from.length === 0 ? [] : [match(payload(test.kind, "sport"), oneOf(test.from.map(portOperand)))]),
        ...(test.to.length === 0 ? [] : [match(payload(test.kind, "dport"), oneOf(test.to.map(portOperand)))]),
      ];
    }
    case "icmp":
      return [
        test.types.length === 0
          ? match(meta("l4proto"), ICMP_PROTOCOL)
          : match(payload("icmp", "type"), oneOf(test.types)),
      ];
    case "icmpv6":
      return [
        test.types.length === 0
          ? match(meta("l4proto"), ICMPV6_PROTOCOL)
          : match(payload("icmpv6", "type"), oneOf(test.types)),
        ...(test.hopLimit === undefined ? [] : [match(payload("ip6", "hoplimit"), test.hopLimit)]),
      ];
    case "numbers":
      return [match(meta("l4proto"), oneOf(test.numbers))];
    default:
      return assertNever(test, "protocol test");
  }
}

function portOperand(ports: Ports): Operand {
  return ports.first === ports.last ? ports.first : { range: [ports.first, ports.last] };
}
