import type { Finding } from "../base/finding.ts";
import { type AddressSet, contains, EMPTY, rangesOf, subtract } from "../net/address-set.ts";
import { type Address, formatAddress, parseAddress } from "../net/address.ts";
import { formatService, type Service } from "../net/service.ts";
import type { Probe } from "../plan/probe.ts";
import type { ExpectationText } from "../policy/expectation.ts";
import { parseAddressReference } from "../policy/reference.ts";
import type { ComposedDomain, Endpoint } from "./domain-language.ts";
import type { Origin } from "./effective-config.ts";
import { composeFinding } from "./findings.ts";
import type { Lookup } from "./layered-section.ts";

/** One expectation as written, with parameters put in. `origin.path` is `expect[2]`. */
export interface StatedExpectation {
  readonly origin: Origin;
  readonly expectation: ExpectationText;
  /** It decides the trial even where it did not hold before the change. */
  readonly mustHold?: boolean;
  /** Addresses that are this server's own: written alone, one stands for the server by that address. */
  readonly own?: ReadonlySet<string>;
}

interface Side {
  /** As written, for messages and probes. */
  readonly text: string;
  readonly endpoint: Endpoint;
}

interface Expected {
  readonly origin: Origin;
  readonly from: Side;
  readonly to: Side;
  readonly service: Service;
  readonly is: "open" | "closed";
}

export interface Expectations {
  readonly probes: readonly Probe[];
  readonly findings: readonly Finding[];
}

/** More addresses than this behind one name are not dialled one by one: a trial is short. */
const MAX_DIALLED = 8;

/**
 * Expectations to what can be done with them: judged by the models of the domains, and probed live where there is somebody to dial. The
 * vantage points are the server itself (outbound) and the control plane (inbound); any other place is judged on the model only, and said so.
 */
export function meetExpectations(input: {
  readonly stated: readonly StatedExpectation[];
  readonly lookup: Lookup;
  readonly domains: readonly ComposedDomain[];
  readonly controlPlane: readonly { readonly address: string }[];
}): Expectations {
  const findings: Finding[] = [];
  const probes: Probe[] = [];
  const vantage = controlPlaneSet(input.controlPlane);
  for (const { origin, expectation, mustHold, own: ownTexts } of input.stated) {
    const resolved = resolveExpectation(origin, expectation, input.lookup, ownTexts ?? new Set());
    findings.push(...resolved.findings);
    const dialled: Probe[] = [];
    const self = input.lookup.addresses("self", origin, origin.path);
    // A server that dials itself proves nothing about its network: loopback is never evidence.
    const own = self.ok ? self.value : EMPTY;
    let judged = false;
    for (const expected of resolved.expected) {
      const judgement = judge(expected, input.domains);
      judged ||= judgement.judged;
      findings.push(...judgement.findings);
      for (const probe of probesOf(expected, vantage, own)) {
        if (
          !dialled.some(
            (other) =>
              other.direction === probe.direction &&
              other.protocol === probe.protocol &&
              other.address === probe.address &&
              other.port === probe.port,
          )
        )
          dialled.push(probe);
      }
    }
    const [first] = resolved.expected;
    if (first !== undefined && dialled.length === 0) findings.push(undialled(first, judged));
    probes.push(
      ...dialled.map((probe, index) => ({
        ...probe,
        ...(mustHold === true ? { mustHold } : {}),
        id: `${probe.origin}${dialled.length > 1 ? `#${index + 1}` : ""}`,
      })),
    );
  }
  return { probes, findings };
}

function resolveExpectation(
  origin: Origin,
  expectation: ExpectationText,
  lookup: Lookup,
  own: ReadonlySet<string>,
): { readonly expected: readonly Expected[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const side = (key: "from" | "to", texts: readonly string[]): readonly Side[] =>
    texts.flatMap((text, index): Side[] => {
      const reference = parseAddressReference(text);
      if (own.has(text) && reference.ok && reference.value.kind === "literal")
        return [{ text, endpoint: { kind: "self", only: reference.value.addresses } }];
      if (reference.ok && (reference.value.kind === "any" || reference.value.kind === "self"))
        return [{ text, endpoint: { kind: reference.value.kind } }];
      if (reference.ok && reference.value.kind === "zone")
        return [{ text, endpoint: { kind: "zone", name: reference.value.name } }];
      const addresses = lookup.addresses(text, origin, `${origin.path}.${key}[${index}]`);
      if (addresses.ok) return [{ text, endpoint: { kind: "addresses", addresses: addresses.value } }];
      findings.push(addresses.error);
      return [];
    });
  const services = expectation.service.flatMap((text, index) => {
    const found = lookup.services(text, origin, `${origin.path}.service[${index}]`);
    if (found.ok) return found.value;
    findings.push(found.error);
    return [];
  });
  const expected = side("from", expectation.from).flatMap((from) =>
    side("to", expectation.to).flatMap((to) =>
      services.map((service): Expected => ({ origin, from, to, service, is: expectation.is })),
    ),
  );
  return { expected, findings };
}

function judge(
  expected: Expected,
  domains: readonly ComposedDomain[],
): { readonly judged: boolean; readonly findings: readonly Finding[] } {
  const packets = { from: expected.from.endpoint, to: expected.to.endpoint, service: expected.service };
  const judgements = domains.map((domain) => domain.judge(packets)).filter(({ verdict }) => verdict !== "unjudged");
  const findings = judgements
    .filter(({ verdict }) => verdict !== expected.is)
    .map(({ verdict, because }) => {
      const really = verdict === "partly" ? `only a part of it is ${expected.is}` : `it is ${verdict}`;
      return composeFinding(
        "compose.expect_broken",
        `Expected is ${words(expected)}, but ${really}: ${because}`,
        placeOf(expected),
      );
    });
  return { judged: judgements.length > 0, findings };
}

/** Nobody can try it on the network: it rests on the model alone, or on nothing at all. */
function undialled(expected: Expected, judged: boolean): Finding {
  return judged
    ? composeFinding(
        "compose.expect_static_only",
        `${words(expected)} is checked on the model only: nobody stands where it could be dialled.`,
        placeOf(expected),
      )
    : composeFinding(
        "compose.expect_unchecked",
        `${words(expected)} cannot be checked: no model decides it, and nobody stands where it could be dialled.`,
        placeOf(expected),
      );
}

function placeOf(expected: Expected): { readonly document: string; readonly path: string } {
  return { document: expected.origin.document, path: expected.origin.path };
}

function probesOf(expected: Expected, vantage: readonly Address[], own: AddressSet): readonly Probe[] {
  const dial = dialOf(expected.service);
  if (dial === null) return [];
  const origin = `${expected.origin.document} ${expected.origin.path}`;
  const { from, to } = expected;
  if (from.endpoint.kind === "self" && to.endpoint.kind === "addresses") {
    return fewAddresses(subtract(to.endpoint.addresses, own)).map((address): Probe => ({
      id: "",
      direction: "outbound",
      ...dial,
      address,
      expected: expected.is,
      origin,
    }));
  }
  const outside =
    from.endpoint.kind === "any" ||
    (from.endpoint.kind === "addresses" && vantage.some((address) => contains(addressesOf(from), address)));
  if (to.endpoint.kind === "self" && outside)
    return [{ id: "", direction: "inbound", ...dial, address: "self", expected: expected.is, origin }];
  return [];
}

function addressesOf(side: Side): AddressSet {
  return side.endpoint.kind === "addresses" ? side.endpoint.addresses : { v4: [], v6: [] };
}

/**
 * How a service is dialled, or null when one connection cannot tell. A datagram that gets no answer was perhaps taken in silence, so udp is
 * never evidence.
 */
function dialOf(
  service: Service,
): { readonly protocol: "tcp"; readonly port: number } | { readonly protocol: "icmp" } | null {
  if (service.protocol === "tcp" && service.ports.first === service.ports.last)
    return { protocol: "tcp", port: service.ports.first };
  if (service.protocol === "icmp" && service.type === "echo") return { protocol: "icmp" };
  return null;
}

/** The addresses of a set one by one when they are few enough to dial, none otherwise. */
function fewAddresses(set: AddressSet): readonly string[] {
  const found: string[] = [];
  for (const family of [4, 6] as const) {
    for (const range of rangesOf(set, family)) {
      if (range.last - range.first >= BigInt(MAX_DIALLED - found.length)) return [];
      for (let value = range.first; value <= range.last; value += 1n) found.push(formatAddress({ family, value }));
    }
  }
  return found;
}

function controlPlaneSet(controlPlane: readonly { readonly address: string }[]): readonly Address[] {
  return controlPlane.flatMap(({ address }) => {
    const parsed = parseAddress(address);
    return parsed.ok ? [parsed.value] : [];
  });
}

function words(expected: Expected): string {
  return `${formatService(expected.service)} from ${expected.from.text} to ${expected.to.text} ${expected.is}`;
}
