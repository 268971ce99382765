import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { IpRoute, IpRule, IpState, LinkChange, VlanRange } from "@holdfast/core/plan/ip-state.ts";
import { exec, type ExecResult } from "./exec.ts";

/** Links, addresses, routes and rules of the kernel, by `ip`. Every word was checked before (network-rules.ts). */

export async function changeLink(link: string, change: LinkChange, timeoutMs: number): Promise<Result<null, string>> {
  const before = await exec(["ip", "-j", "-d", "link", "show", "dev", link], { timeoutMs });
  if (change.op === "xfrm") return makeXfrm(link, change.id, before, timeoutMs);
  if (before.status !== 0) {
    return GONE_IS_DONE.has(change.op) ? ok(null) : err(`there is no link ${link}: ${firstLine(before)}`);
  }
  if (change.op === "delete") {
    // The name may be somebody else's by now.
    if (!isOfKind(before.stdout, change.device)) return err(`${link} is no ${change.device}, so it is left alone`);
    return outcome(await exec(["ip", "link", "delete", "dev", link], { timeoutMs }));
  }
  if (change.op === "vlans") return changeVlans(link, change, timeoutMs);
  // `ip` flushes what was learnt, of both families, and leaves what is permanent (ip-neighbour(8)).
  if (change.op === "forget_neighbours")
    return outcome(await exec(["ip", "neighbour", "flush", "dev", link], { timeoutMs }));
  return outcome(await exec(["ip", "link", "set", "dev", link, ...wordsOf(change)], { timeoutMs }));
}

const GONE_IS_DONE: ReadonlySet<LinkChange["op"]> = new Set(["delete", "down", "forget_neighbours"]);

/** Gone already, or there already, is an answer like any other: the reading back decides. Only `bridge` itself may be missing. */
async function changeVlans(
  link: string,
  { isBridge, absent, present }: Extract<LinkChange, { readonly op: "vlans" }>,
  timeoutMs: number,
): Promise<Result<null, string>> {
  const where = ["dev", link, ...(isBridge ? ["self"] : [])];
  const words = (verb: "add" | "del", { first, last, untagged }: VlanRange): readonly string[] => {
    const id = first === last ? String(first) : `${first}-${last}`;
    return ["bridge", "vlan", verb, ...where, "vid", id, ...(verb === "add" && untagged ? ["pvid", "untagged"] : [])];
  };
  for (const argv of [...absent.map((range) => words("del", range)), ...present.map((range) => words("add", range))]) {
    const done = await exec(argv as [string, ...string[]], { timeoutMs });
    if (done.status === null) return err(firstLine(done));
  }
  return ok(null);
}

/** Made by this name with this number, and up; a name that is somebody else's by now is left alone. */
async function makeXfrm(
  link: string,
  id: number,
  before: ExecResult,
  timeoutMs: number,
): Promise<Result<null, string>> {
  if (before.status === 0) {
    if (!isOfKind(before.stdout, "xfrm")) return err(`${link} is no interface of a tunnel, so it is left alone`);
  } else {
    const made = await exec(["ip", "link", "add", link, "type", "xfrm", "if_id", String(id)], { timeoutMs });
    if (made.status !== 0) return outcome(made);
  }
  return outcome(await exec(["ip", "link", "set", "dev", link, "up"], { timeoutMs }));
}

function wordsOf(
  change: Exclude<LinkChange, { readonly op: "delete" | "xfrm" | "vlans" | "forget_neighbours" }>,
): readonly string[] {
  switch (change.op) {
    case "mtu":
      return ["mtu", String(change.mtu)];
    case "up":
    case "down":
      return [change.op];
    case "bridge":
    case "port":
      return [
        "type",
        change.op === "bridge" ? "bridge" : "bridge_slave",
        ...Object.entries(change.settings).flatMap(([setting, value]) => [
          setting,
          setting === "isolated" ? (value === 0 ? "off" : "on") : String(value),
        ]),
      ];
  }
}

function isOfKind(listing: string, kind: string): boolean {
  try {
    const [link] = JSON.parse(listing) as readonly { readonly linkinfo?: { readonly info_kind?: string } }[];
    return link?.linkinfo?.info_kind === kind;
  } catch {
    return false;
  }
}

/**
 * What is there already, or gone already, is an answer like any other: the reading back decides. Only `ip` itself may be missing. An address
 * that is there is left alone: to replace it would take its flags away.
 */
export async function changeIpState(
  absent: IpState,
  present: IpState,
  timeoutMs: number,
): Promise<Result<null, string>> {
  const commands = [
    ...absent.rules.map((rule) => ruleWords("delete", rule)),
    ...absent.routes.map((route) => routeWords("delete", route)),
    ...absent.addresses.map(({ link, address }) => ["address", "delete", address, "dev", link]),
    ...present.addresses.map(({ link, address }) => ["address", "add", address, "dev", link]),
    // A route over a gateway needs the routes to its networks first: those without a gateway, and then the wider ones last.
    ...present.routes.toSorted(byNeed).map((route) => routeWords("replace", route)),
    ...present.rules.map((rule) => ruleWords("add", rule)),
    ...(present.neighbours ?? []).map(({ link, address, mac }) => [
      "neighbour",
      "replace",
      address,
      "lladdr",
      mac,
      "nud",
      "permanent",
      "dev",
      link,
    ]),
  ];
  for (const words of commands) {
    const done = await exec(["ip", ...words], { timeoutMs });
    if (done.status === null) return err(firstLine(done));
  }
  return ok(null);
}

function byNeed(a: IpRoute, b: IpRoute): number {
  const needs = (route: IpRoute): number => (route.hops.some((hop) => hop.via !== null) ? 1 : 0);
  return needs(a) - needs(b);
}

function routeWords(verb: "replace" | "delete", route: IpRoute): readonly string[] {
  const { family, kind, to, table, metric, protocol, hops, source } = route;
  const [only, ...more] = hops;
  const ways =
    more.length > 0
      ? hops.flatMap((hop) => ["nexthop", ...hopWords(hop), "weight", String(hop.weight)])
      : only === undefined
        ? []
        : hopWords(only);
  return [
    `-${family}`,
    "route",
    verb,
    ...(kind === "unicast" ? [] : [kind]),
    to,
    "table",
    String(table),
    ...(metric === 0 ? [] : ["metric", String(metric)]),
    ...(verb === "replace" || protocol !== 3 ? ["proto", String(protocol)] : []),
    ...(source === null ? [] : ["src", source]),
    ...ways,
  ];
}

function hopWords(hop: IpRoute["hops"][number]): readonly string[] {
  return [
    ...(hop.via === null ? [] : ["via", hop.via]),
    ...(hop.dev === null ? [] : ["dev", hop.dev]),
    ...(hop.onLink ? ["onlink"] : []),
  ];
}

function ruleWords(verb: "add" | "delete", rule: IpRule): readonly string[] {
  const { family, priority, from, to, mark, table, protocol } = rule;
  return [
    `-${family}`,
    "rule",
    verb,
    "priority",
    String(priority),
    ...(from === null ? [] : ["from", from]),
    ...(to === null ? [] : ["to", to]),
    ...(mark === null ? [] : ["fwmark", `${mark.value}/${mark.mask}`]),
    ...(rule.in === null ? [] : ["iif", rule.in]),
    ...(table === null ? [] : ["table", String(table)]),
    // Rules that `ip` made without being told are of nobody.
    ...(protocol === 0 ? [] : ["protocol", String(protocol)]),
  ];
}

function outcome(result: ExecResult): Result<null, string> {
  return result.status === 0 ? ok(null) : err(firstLine(result));
}

function firstLine(result: ExecResult): string {
  return result.stderr.trim().split("\n")[0] ?? "";
}
