import type { Family } from "@holdfast/core/net/address.ts";
import type { IpRoute, IpRule, LinkChange } from "@holdfast/core/plan/ip-state.ts";
import type { IpsecAct, IpsecConn, IpsecKey, IpsecPool } from "@holdfast/core/plan/ipsec-state.ts";
import type { Action, Step } from "@holdfast/core/plan/step.ts";
import { parsePerson } from "@holdfast/core/policy/tunnel-people.ts";
import { tunnelOfConn } from "./conn.ts";
import type { LinkDiff } from "./diff.ts";
import { BLOCK_METRIC, BLOCK_PROTOCOL, BOOT_FILE, type Into, LOOKUP_TABLE, RECORD_FILE } from "./facts.ts";
import { INTO_METRIC } from "./link.ts";
import { type LoadedRecord, recordText } from "./record.ts";

/** Milliseconds on a busy machine; charon answers in one to a hundred. */
const VICI_BUDGET_MS = 5_000;
const WRITE_BUDGET_MS = 2_000;
/**
 * Milliseconds in which a new key exchange is tried again. The other end of the same change may need some seconds more than this one; much
 * longer would spend the armed deadline on an end that is not there.
 */
export const PATIENCE_MS = 25_000;
/** The first interface of a boot may wait for the kernel to load its module from a slow disk. */
const LINK_BUDGET_MS = 15_000;
const RECORD_MODE = 0o600;
const BOOT_MODE = 0o600;
const MAIN_TABLE = 254;

function vpnStep(id: string, title: string, action: Action, budgetMs: number): Step {
  return { id: `vpn.${id}`, domain: "vpn", title, action, budgetMs };
}

function ipsecStep(id: string, title: string, act: IpsecAct, budgetMs = VICI_BUDGET_MS): Step {
  return vpnStep(id, title, { kind: "ipsec", act }, budgetMs);
}

export function recordStep(id: string, text: string | null): Step {
  const action: Action =
    text === null
      ? { kind: "remove_file", path: RECORD_FILE }
      : { kind: "write_file", path: RECORD_FILE, mode: RECORD_MODE, text };
  return vpnStep(id, "Note down what is loaded into strongSwan", action, WRITE_BUDGET_MS);
}

export function noteStep(record: LoadedRecord): Step {
  return recordStep("note", recordText(record));
}

export function loadKeyStep(key: IpsecKey): Step {
  return ipsecStep(`${key.id}.load`, `Give strongSwan the key of the file ${key.file}`, { op: "load_key", key });
}

export function unloadKeyStep(id: string): Step {
  return ipsecStep(`${id}.unload`, "Take a key that is no longer used out of strongSwan", { op: "unload_key", id });
}

export function loadConnStep(conn: IpsecConn, isNew: boolean): Step {
  const title = `${isNew ? "Load" : "Replace"} the tunnel ${tunnelOfConn(conn.name)}`;
  return ipsecStep(`${conn.name}.load`, title, { op: "load_conn", conn });
}

export function unloadConnStep(name: string): Step {
  return ipsecStep(`${name}.unload`, `Take the tunnel ${tunnelOfConn(name)} away`, { op: "unload_conn", name });
}

export function terminateStep(name: string): Step {
  const title = `End what was agreed for the tunnel ${tunnelOfConn(name)}`;
  return ipsecStep(`${name}.terminate`, title, { op: "terminate", name }, 2 * VICI_BUDGET_MS);
}

export function initiateStep({ name, label }: IpsecConn, patienceMs: number): Step {
  const title = `Begin a new key exchange for the tunnel ${tunnelOfConn(name)}`;
  return ipsecStep(
    `${name}.initiate`,
    title,
    { op: "initiate", name, label, patienceMs },
    patienceMs + 2 * VICI_BUDGET_MS,
  );
}

/** The first exchange needs no group of the child's own, so that the ends differ in it would show only when its keys are replaced. */
export function rekeyStep({ name, label }: IpsecConn): Step {
  const title = `Replace the keys of the tunnel ${tunnelOfConn(name)} once, as it will be done from time to time`;
  return ipsecStep(`${name}.rekey`, title, { op: "rekey", name, label }, 3 * VICI_BUDGET_MS);
}

/** People in one step: few enough that a step is not long, many enough that there are not many steps. */
const AT_A_TIME = 100;
/** Milliseconds for each of them on a busy machine; charon takes one. */
const PERSON_BUDGET_MS = 50;
/** Milliseconds in which whoever has an address is told that it ends. */
const GOODBYE_BUDGET_MS = 10_000;

export function loadPoolStep(pool: IpsecPool): Step {
  const title = `Have addresses of ${pool.network} ready for people`;
  return ipsecStep(`${pool.name}.load`, title, { op: "load_pool", pool });
}

export function unloadPoolStep(name: string): Step {
  const title = "Take a pool away out of which nobody has an address any more";
  return ipsecStep(`${name}.unload`, title, { op: "unload_pool", name }, GOODBYE_BUDGET_MS);
}

/** Connections of people with the keys that are not loaded yet, tunnel by tunnel. */
export function loadPeopleSteps(
  people: readonly { readonly conn: IpsecConn; readonly key: IpsecKey }[],
  hasKey: (id: string) => boolean,
): readonly Step[] {
  return byTunnel(people, ({ conn }) => conn.name).flatMap(([tunnel, part, all]) => {
    // By certificate, people share the key of the server.
    const keys = all
      .map(({ key }) => key)
      .filter(({ id }, index, list) => !hasKey(id) && list.findIndex((one) => one.id === id) === index);
    const conns = all.map(({ conn }) => conn);
    const title = `Let ${personsIn(conns.map(({ name }) => name))} of ${tunnel} in`;
    const budgetMs = VICI_BUDGET_MS + all.length * PERSON_BUDGET_MS;
    return [ipsecStep(`people.${tunnel}.load.${part}`, title, { op: "load_people", keys, conns }, budgetMs)];
  });
}

/** `stay`: their connections are loaded anew, and what was agreed with the old ones ends. */
export function endPeopleSteps(names: readonly string[], stay: boolean): readonly Step[] {
  return byTunnel(names, (name) => name).map(([tunnel, part, all]) => {
    const who = `${personsIn(all)} of ${tunnel}`;
    const title = stay ? `End what was agreed with ${who}` : `Shut out ${who}, and end what was agreed with them`;
    const act: IpsecAct = { op: "end_people", unload: stay ? [] : all, terminate: all, keys: [] };
    const budgetMs = GOODBYE_BUDGET_MS + all.length * PERSON_BUDGET_MS;
    return ipsecStep(`people.${tunnel}.${stay ? "renew" : "end"}.${part}`, title, act, budgetMs);
  });
}

export function unloadPeopleKeysStep(ids: readonly string[]): Step {
  const title = `Take ${ids.length === 1 ? "a key" : `${ids.length} keys`} of people that nothing uses out of strongSwan`;
  const act: IpsecAct = { op: "end_people", unload: [], terminate: [], keys: ids };
  return ipsecStep("people.keys.unload", title, act, VICI_BUDGET_MS + ids.length * PERSON_BUDGET_MS);
}

/** The name of a file may have two dashes as well: then the key of a machine goes in the step of the people's, which does the same. */
export function isPersonKey(id: string): boolean {
  return id.split("--").length > 2;
}

export function isPersonConn(name: string): boolean {
  return parsePerson(tunnelOfConn(name)) !== null;
}

function personsIn(names: readonly string[]): string {
  const persons = names.map((name) => parsePerson(tunnelOfConn(name))?.person ?? name);
  return persons.length > 3 ? `${persons.length} people` : persons.join(", ");
}

function byTunnel<One>(
  all: readonly One[],
  nameOf: (one: One) => string,
): readonly (readonly [tunnel: string, part: number, readonly One[]])[] {
  const groups = Map.groupBy(all, (one) => parsePerson(tunnelOfConn(nameOf(one)))?.tunnel ?? "");
  return [...groups].flatMap(([tunnel, list]) =>
    Array.from(
      { length: Math.ceil(list.length / AT_A_TIME) },
      (_, part) => [tunnel, part + 1, list.slice(part * AT_A_TIME, (part + 1) * AT_A_TIME)] as const,
    ),
  );
}

/** A dead end behind every other route to the network: what leads into the tunnel comes before it, and the default route after it. */
export function blocksStep(id: string, add: readonly string[], remove: readonly string[]): Step {
  const none = { addresses: [], routes: [], rules: [] };
  const title =
    add.length > 0
      ? `Let nothing for ${add.join(", ")} leave unencrypted`
      : `Let packets for ${remove.join(", ")} leave as routes say`;
  return vpnStep(
    id,
    title,
    {
      kind: "ip_state",
      absent: { ...none, routes: remove.map(deadEnd) },
      present: { ...none, routes: add.map(deadEnd) },
    },
    WRITE_BUDGET_MS,
  );
}

function deadEnd(network: string): IpRoute {
  return {
    family: network.includes(":") ? 6 : 4,
    kind: "blackhole",
    to: network,
    table: MAIN_TABLE,
    metric: BLOCK_METRIC,
    protocol: BLOCK_PROTOCOL,
    hops: [],
    source: null,
  };
}

function linkStep(link: string, verb: string, title: string, change: LinkChange): Step {
  return vpnStep(`${link}.${verb}`, title, { kind: "link", link, change }, LINK_BUDGET_MS);
}

/** Interfaces first, then what is routed into them. */
export function makeLinkSteps({ linksToMake, intoToAdd, intoToRemove }: LinkDiff): readonly Step[] {
  const none = { addresses: [], routes: [], rules: [] };
  const absent = { ...none, routes: intoToRemove.map(intoRoute) };
  const present = { ...none, routes: intoToAdd.map(intoRoute) };
  const title = `Lead packets into ${[...new Set([...intoToAdd, ...intoToRemove].map(({ link }) => link))].join(", ")}`;
  return [
    ...linksToMake.map(({ name, id }) => linkStep(name, "make", `Make the interface ${name}`, { op: "xfrm", id })),
    ...(intoToAdd.length + intoToRemove.length === 0
      ? []
      : [vpnStep("into", title, { kind: "ip_state", absent, present }, WRITE_BUDGET_MS)]),
  ];
}

export function removeLinkSteps({ linksToRemove }: LinkDiff): readonly Step[] {
  return linksToRemove.map(({ name }) =>
    linkStep(name, "remove", `Remove the interface ${name}, and with it what is routed into it`, {
      op: "delete",
      device: "xfrm",
    }),
  );
}

function intoRoute({ network, link }: Into): IpRoute {
  return {
    family: network.includes(":") ? 6 : 4,
    kind: "unicast",
    to: network,
    table: MAIN_TABLE,
    metric: INTO_METRIC,
    protocol: BLOCK_PROTOCOL,
    hops: [{ via: null, dev: link, weight: 1, onLink: false }],
    source: null,
  };
}

/** strongSwan's rule, as it sets it itself. */
export function lookupRule(family: Family): IpRule {
  const anything = { from: null, to: null, mark: null, in: null };
  return { family, priority: LOOKUP_TABLE, ...anything, table: LOOKUP_TABLE, protocol: 0 };
}

export function lookupStep(families: readonly Family[]): Step {
  const none = { addresses: [], routes: [], rules: [] };
  const title = "Set the rule again by which strongSwan leads packets into its tunnels";
  const present = { ...none, rules: families.map(lookupRule) };
  return vpnStep("lookup", title, { kind: "ip_state", absent: none, present }, WRITE_BUDGET_MS);
}

export function bootFileStep(text: string | null): Step {
  const action: Action =
    text === null
      ? { kind: "remove_file", path: BOOT_FILE }
      : { kind: "write_file", path: BOOT_FILE, mode: BOOT_MODE, text };
  const verb = text === null ? "Remove" : "Write";
  return vpnStep("boot", `${verb} the tunnels that strongSwan loads when it starts`, action, WRITE_BUDGET_MS);
}

export function bootKeysStep(keys: readonly IpsecKey[], certificates: readonly string[]): Step {
  const action: Action = { kind: "ipsec_boot_keys", keys, ...(certificates.length === 0 ? {} : { certificates }) };
  const verb = keys.length === 0 ? "Remove" : "Write";
  return vpnStep("boot.keys", `${verb} the keys that strongSwan loads when it starts`, action, WRITE_BUDGET_MS);
}
