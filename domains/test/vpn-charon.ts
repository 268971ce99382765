import type { IpRoute } from "@holdfast/core/plan/ip-state.ts";
import type { IpsecPoolSeen } from "@holdfast/core/plan/ipsec-state.ts";
import type { Action, Step } from "@holdfast/core/plan/step.ts";
import { type Into, intoText, type VpnObserved } from "../src/vpn/facts.ts";
import { poolSize } from "../src/vpn/people.ts";
import { type LoadedRecord, readRecord } from "../src/vpn/record.ts";
import { listing, withCharon } from "./vpn-sample.ts";

/** What a step does to a server, without one: a charon and a kernel that hold what they are told. */
export function performed(observed: VpnObserved, steps: readonly Step[]): VpnObserved {
  return steps.reduce((state, { action }) => perform(state, action), observed);
}

function perform(observed: VpnObserved, action: Action): VpnObserved {
  const { charon } = observed.ipsec;
  switch (action.kind) {
    case "write_file":
      return withFile(observed, action.path, action.text);
    case "remove_file":
      return withFile(observed, action.path, null);
    case "ip_state": {
      const [gone, come] = [splitRoutes(action.absent.routes), splitRoutes(action.present.routes)];
      const blocks = [...observed.blocks.filter((network) => !gone.blocks.includes(network)), ...come.blocks];
      const left = observed.into.filter((one) => !gone.into.some((other) => intoText(other) === intoText(one)));
      if (!come.into.every(({ link }) => observed.links.some(({ name }) => name === link)))
        throw new Error("a route leads into an interface that is not there");
      return { ...observed, blocks: [...new Set(blocks)].toSorted(), into: sorted(left, come.into) };
    }
    case "ipsec": {
      if (charon.state === "down") throw new Error("nobody answers at strongSwan's socket");
      const { act } = action;
      switch (act.op) {
        case "load_conn":
          for (const pool of act.conn.pools ?? [])
            if (!(charon.pools ?? []).some(({ name }) => name === pool)) throw new Error("there is no such pool");
          return withCharon(observed, {
            conns: [...charon.conns.filter(({ name }) => name !== act.conn.name), listing(act.conn)].toSorted((a, b) =>
              a.name < b.name ? -1 : 1,
            ),
          });
        case "unload_conn":
          return withCharon(observed, { conns: charon.conns.filter(({ name }) => name !== act.name) });
        case "load_key":
          if (observed.ipsec.keyFiles[act.key.file] !== null) throw new Error("there is no such key");
          return withCharon(observed, { keys: [...new Set([...charon.keys, act.key.id])].toSorted() });
        case "unload_key":
          return withCharon(observed, { keys: charon.keys.filter((id) => id !== act.id) });
        case "terminate":
          return withCharon(observed, { sas: charon.sas.filter(({ name }) => name !== act.name) });
        case "load_pool": {
          const [base = "", size] = [act.pool.network.split("/")[0], poolSize(act.pool.network)];
          const pool = { name: act.pool.name, base, size, online: 0, offline: 0 };
          return withCharon(observed, { pools: sortedByName([...without(charon.pools, act.pool.name), pool]) });
        }
        case "unload_pool":
          return withCharon(observed, { pools: without(charon.pools, act.name) });
        case "load_people":
          return [
            ...act.keys.map((key) => ({ op: "load_key" as const, key })),
            ...act.conns.map((conn) => ({ op: "load_conn" as const, conn })),
          ].reduce((state, one) => perform(state, { kind: "ipsec", act: one }), observed);
        case "end_people":
          return [
            ...act.unload.map((name) => ({ op: "unload_conn" as const, name })),
            ...act.terminate.map((name) => ({ op: "terminate" as const, name })),
            ...act.keys.map((id) => ({ op: "unload_key" as const, id })),
          ].reduce((state, one) => perform(state, { kind: "ipsec", act: one }), observed);
        case "initiate":
        case "rekey":
          return observed;
      }
    }
    case "ipsec_boot_keys":
      return observed;
    case "link": {
      const { link, change } = action;
      const links = observed.links.filter(({ name }) => name !== link);
      if (change.op === "xfrm") {
        const made = [...links, { name: link, id: change.id, isUp: true }];
        return { ...observed, links: made.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
      }
      if (change.op !== "delete") throw new Error(`the vpn domain has no business with ${change.op}`);
      return { ...observed, links, into: observed.into.filter((one) => one.link !== link) };
    }
    case "nft":
    case "sysctl":
    case "hostname":
    case "localtime":
    case "hosts_block":
    case "login_setting":
    case "sshd":
    case "unit":
    case "account":
    case "group":
    case "home":
    case "sudo":
    case "authority":
    case "modules":
    case "rsyslog":
    case "timer":
    case "task":
    case "networkd":
      throw new Error(`the vpn domain has no business with ${action.kind}`);
  }
}

function without(pools: readonly IpsecPoolSeen[] | undefined, name: string): readonly IpsecPoolSeen[] {
  return (pools ?? []).filter((one) => one.name !== name);
}

function sortedByName(pools: readonly IpsecPoolSeen[]): readonly IpsecPoolSeen[] {
  return pools.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function splitRoutes(routes: readonly IpRoute[]): { readonly blocks: string[]; readonly into: Into[] } {
  return {
    blocks: routes.filter(({ kind }) => kind === "blackhole").map(({ to }) => to),
    into: routes.flatMap(({ kind, to, hops }) =>
      kind === "unicast" ? [{ network: to, link: hops[0]?.dev ?? "" }] : [],
    ),
  };
}

/** A route that is there already is not made twice. */
function sorted(left: readonly Into[], come: readonly Into[]): readonly Into[] {
  const made = new Map([...left, ...come].map((one) => [intoText(one), one]));
  return [...made].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function withFile(observed: VpnObserved, path: string, text: string | null): VpnObserved {
  if (!path.endsWith("loaded.json")) return { ...observed, boot: text };
  const read = readRecord(text === null ? { type: "absent" } : { type: "file", mode: 0o600, text });
  const record: LoadedRecord = read.ok ? read.value : {};
  return { ...observed, record, recordText: text };
}
