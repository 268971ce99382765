import type { Finding } from "../base/finding.ts";
import { err, ok, type Result } from "../base/result.ts";
import { ANY, type AddressSet, addressSetFromText, EMPTY, unionOf } from "../net/address-set.ts";
import { canonicalServices, type Service } from "../net/service.ts";
import type { GroupDocument, ServerDocument } from "../policy/document.ts";
import { type AddressReference, parseAddressReference, parseServiceReference } from "../policy/reference.ts";
import { didYouMean } from "../policy/spelling.ts";
import type { Origin } from "./effective-config.ts";
import { type ComposeCode, composeFinding } from "./findings.ts";
import type { Lookup } from "./layered-section.ts";

export interface LookupInput {
  readonly server: ServerDocument;
  readonly fleet: readonly ServerDocument[];
  readonly groups: readonly GroupDocument[];
  /** The `define` of each policy, parameters put in, by `Policy/name`. */
  readonly definitions: ReadonlyMap<string, Readonly<Record<string, readonly string[]>>>;
  /** Addresses that agents reported, for servers whose document says none. */
  readonly observedAddresses: Readonly<Record<string, readonly string[]>>;
}

/** Where a reference stands: the document and the path a finding about it points to. */
interface Place {
  readonly document: string;
  readonly path: string;
}

/** Nobody can follow more levels of groups in groups. */
const MAX_NESTING = 32;

/** What the names in documents mean for one server. */
export function createLookup(input: LookupInput): Lookup {
  const groups = new Map(input.groups.map((group) => [group.name, group]));
  /**
   * Every name is resolved once. Groups that name each other twice per level would otherwise take twice the time per level, and a policy of
   * ten thousand rules would walk the fleet as often.
   */
  const addressesByName = new Map<string, Result<AddressSet, Finding>>();
  const servicesByName = new Map<string, Result<readonly Service[], Finding>>();

  const refuse = (code: ComposeCode, message: string, place: Place, remedy?: string): Result<never, Finding> =>
    err(composeFinding(code, message, { ...place, ...(remedy === undefined ? {} : { remedy }) }));

  const addressesOf = (server: ServerDocument, place: Place): Result<AddressSet, Finding> => {
    const texts = server.body.addresses.length > 0 ? server.body.addresses : reportedBy(server.name);
    if (texts.length === 0)
      return refuse("compose.no_address", `No address of the server ${server.name} is known.`, place);
    return all(texts.map((text) => literal(text, place)));
  };

  const reportedBy = (name: string): readonly string[] =>
    Object.hasOwn(input.observedAddresses, name) ? (input.observedAddresses[name] ?? []) : [];

  const literal = (text: string, place: Place): Result<AddressSet, Finding> => {
    const set = addressSetFromText(text);
    return set.ok ? set : refuse("compose.value", `${set.error}.`, place);
  };

  const labelled = (label: "role" | "site", value: string, place: Place): Result<AddressSet, Finding> => {
    const known = addressesByName.get(`${label}:${value}`);
    if (known !== undefined) return known;
    const found = labelledNow(label, value, place);
    // A failure belongs to its place and is said at each of them.
    if (found.ok) addressesByName.set(`${label}:${value}`, found);
    return found;
  };

  const labelledNow = (label: "role" | "site", value: string, place: Place): Result<AddressSet, Finding> => {
    const members = input.fleet.filter(
      (server) => Object.hasOwn(server.body.labels, label) && server.body.labels[label] === value,
    );
    const known = input.fleet.flatMap((server) => server.body.labels[label] ?? []);
    // An empty set would open nothing in an allow, but also stop nothing in a drop: an unknown label is said, never guessed.
    if (members.length === 0)
      return refuse(
        "compose.unknown_name",
        ended(`No server has the label ${label}: ${value}`, didYouMean(value, known)),
        place,
      );
    return all(members.map((server) => addressesOf(server, place)));
  };

  const resolve = (
    text: string,
    place: Place,
    scope: string | null,
    trail: readonly string[],
  ): Result<AddressSet, Finding> => {
    const reference = parseAddressReference(text);
    if (!reference.ok) return refuse("compose.value", `${reference.error}.`, place);
    return resolveParsed(reference.value, place, scope, trail);
  };

  const resolveParsed = (
    reference: AddressReference,
    place: Place,
    scope: string | null,
    trail: readonly string[],
  ): Result<AddressSet, Finding> => {
    switch (reference.kind) {
      case "any":
        return ok(ANY);
      case "self":
        return addressesOf(input.server, place);
      case "literal":
        return ok(reference.addresses);
      case "role":
      case "site":
        return labelled(reference.kind, reference.value, place);
      case "server": {
        const found = input.fleet.find((server) => server.name === reference.name);
        if (found !== undefined) return addressesOf(found, place);
        return refuse(
          "compose.unknown_name",
          ended(
            `No server is called ${reference.name}`,
            didYouMean(
              reference.name,
              input.fleet.map((server) => server.name),
            ),
          ),
          place,
        );
      }
      case "zone":
        return refuse(
          "compose.value",
          `zone:${reference.name} is a set of interfaces and cannot stand where only addresses are meant.`,
          place,
        );
      case "group":
        return named(reference.name, place, scope, trail);
    }
  };

  const named = (
    name: string,
    place: Place,
    scope: string | null,
    trail: readonly string[],
  ): Result<AddressSet, Finding> => {
    const definitions = scope === null ? undefined : input.definitions.get(scope);
    const defined = definitions !== undefined && Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    const group = groups.get(name);
    if (defined !== undefined && group !== undefined) {
      return refuse(
        "compose.name_twice",
        `${name} is defined in this policy and is also Group/${name}; nobody can tell which is meant.`,
        place,
      );
    }
    const id = defined === undefined ? `Group/${name}` : `${scope ?? ""} define.${name}`;
    const known = addressesByName.get(id);
    if (known !== undefined) return known;
    const endless = refuseTrail(trail, id, place);
    if (endless !== null) return endless;
    if (defined !== undefined && scope !== null) {
      const found = all(
        defined.map((text, index) =>
          resolve(text, { document: scope, path: `define.${name}[${index}]` }, scope, [...trail, id]),
        ),
      );
      addressesByName.set(id, found);
      return found;
    }
    if (group === undefined) {
      const names = [...Object.keys(definitions ?? {}), ...groups.keys()];
      return refuse(
        "compose.unknown_name",
        ended(`Nothing is called ${name}`, didYouMean(name, names)),
        place,
        `Write it under define, or as a Group, or correct the name.`,
      );
    }
    if (group.body.addresses === undefined)
      return refuse("compose.unknown_name", `Group/${name} has services and no addresses.`, place);
    // Inside a group only other groups are in sight, never a policy's own definitions.
    const found = all(
      group.body.addresses.map((text, index) =>
        resolve(text, { document: id, path: `addresses[${index}]` }, null, [...trail, id]),
      ),
    );
    addressesByName.set(id, found);
    return found;
  };

  const refuseTrail = (trail: readonly string[], id: string, place: Place): Result<never, Finding> | null => {
    if (trail.includes(id)) {
      const circle = [...trail.slice(trail.indexOf(id)), id].join(" refers to ");
      return refuse("compose.group_cycle", `${circle}, which never ends.`, place);
    }
    if (trail.length < MAX_NESTING) return null;
    return refuse("compose.group_too_deep", `Groups are nested more than ${MAX_NESTING} deep here.`, place);
  };

  const servicesOf = (text: string, place: Place, trail: readonly string[]): Result<readonly Service[], Finding> => {
    const reference = parseServiceReference(text);
    if (!reference.ok) return refuse("compose.value", `${reference.error}.`, place);
    if (reference.value.kind === "literal") return ok([reference.value.service]);
    const { name } = reference.value;
    const id = `Group/${name}`;
    const resolved = servicesByName.get(id);
    if (resolved !== undefined) return resolved;
    const endless = refuseTrail(trail, id, place);
    if (endless !== null) return endless;
    const services = groups.get(name)?.body.services;
    if (services === undefined) {
      const known = [...groups.values()]
        .filter((group) => group.body.services !== undefined)
        .map((group) => group.name);
      return refuse(
        "compose.unknown_name",
        ended(`No group of services is called ${name}`, didYouMean(name, known)),
        place,
        "Write the service, like tcp/443, or a Group with services.",
      );
    }
    const found: Service[] = [];
    for (const [index, inner] of services.entries()) {
      const one = servicesOf(inner, { document: id, path: `services[${index}]` }, [...trail, id]);
      if (!one.ok) {
        servicesByName.set(id, one);
        return one;
      }
      found.push(...one.value);
    }
    const canonical = ok(canonicalServices(found));
    servicesByName.set(id, canonical);
    return canonical;
  };

  return {
    addresses: (reference, origin, path) => resolve(reference, placeOf(origin, path), origin.document, []),
    services: (reference, origin, path) => servicesOf(reference, placeOf(origin, path), []),
  };
}

function placeOf(origin: Origin, path: string): Place {
  return { document: origin.document, path };
}

function all(results: readonly Result<AddressSet, Finding>[]): Result<AddressSet, Finding> {
  const sets: AddressSet[] = [EMPTY];
  for (const result of results) {
    if (!result.ok) return result;
    sets.push(result.value);
  }
  return ok(unionOf(sets));
}

function ended(sentence: string, hint: string): string {
  return `${sentence}${hint === "" ? "." : hint}`;
}
