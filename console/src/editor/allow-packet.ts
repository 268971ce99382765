import type { Packet } from "@holdfast/core/api/packet-log.ts";
import { type Json } from "@holdfast/core/base/canonical-json.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { serviceOfPacket } from "@holdfast/core/net/packet-words.ts";
import type { Edit } from "@holdfast/core/policy/edit-data.ts";
import { ruleSections } from "./rule-rows.ts";

/** Why no rule of a policy would let this packet through, or none can be written for it from here. */
export type NotAllowed = "passes" | "foreign" | "locked" | "limited" | "no_word" | "nowhere" | "unreadable";

/** Where the rule that stopped it is written, or why there is no rule to write. */
export function whereToAllow(packet: Packet): Result<string, NotAllowed> {
  if (packet.foreignTable !== null) return err("foreign");
  if (packet.outcome === "allowed") return err("passes");
  if (packet.rule?.startsWith("locked.") === true) return err("locked");
  if (packet.rule?.endsWith(".limited") === true) return err("limited");
  if (serviceOfPacket(packet) === null) return err("no_word");
  const document = packet.from?.document ?? "";
  return document.startsWith("Policy/") ? ok(document) : err("nowhere");
}

/**
 * The narrowest rule that lets packets like this through: this service, this source, and where the packet leaves, this destination. It stands
 * before the rule that stopped it, or last where none matched: before the default.
 */
export function allowPacket(text: string, packet: Packet, why: string): Result<Edit, NotAllowed> {
  const service = serviceOfPacket(packet);
  if (service === null) return err("no_word");
  const sections = ruleSections(text);
  if (sections === null) return err("unreadable");
  const hook = packet.direction;
  const rows = sections.find((section) => section.hook === hook)?.rows ?? [];
  const rule: Json = {
    name: freeName(
      `allow-${service.replace("/", "-")}`,
      rows.map(({ name }) => name),
    ),
    allow: service,
    ...(hook === "outbound" ? {} : { from: packet.source }),
    ...(hook === "inbound" ? {} : { to: packet.destination }),
    why,
  };
  const stopped = rows.find(({ name }) => name === packet.rule);
  if (stopped !== undefined)
    return ok({ kind: "insert", path: ["firewall", hook, stopped.place], index: stopped.index, value: rule });
  const last = rows.filter(({ place }) => place === "rules");
  return ok(
    last.length === 0
      ? { kind: "set", path: ["firewall", hook, "rules"], value: [rule] }
      : { kind: "insert", path: ["firewall", hook, "rules"], index: last.length, value: rule },
  );
}

function freeName(wanted: string, taken: readonly string[]): string {
  if (!taken.includes(wanted)) return wanted;
  let count = 2;
  while (taken.includes(`${wanted}-${count}`)) count += 1;
  return `${wanted}-${count}`;
}
