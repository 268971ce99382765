import type { Packet } from "@holdfast/core/api/packet-log.ts";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { ServerId } from "@holdfast/core/base/id.ts";
import type { ParsedDocument } from "@holdfast/core/policy/document.ts";
import type { House } from "../house.ts";
import { composer } from "./compose-for.ts";
import { itemOf } from "./explain.ts";
import { loadWorld } from "./world.ts";

/** Which policy a rule comes from, and what its author wrote as the reason. */
export type PacketOrigin = Pick<Packet, "from" | "why">;
export type PacketOrigins = (direction: Packet["direction"], rule: string | null) => PacketOrigin;

const UNKNOWN: PacketOrigin = { from: null, why: null };

/** Where the rules of a server are written, as they are composed now. */
export async function packetOrigins(house: House, serverId: ServerId): Promise<PacketOrigins> {
  const world = await loadWorld(house.database, house.documents);
  const server = world.servers.find((one) => one.id === serverId);
  if (server === undefined) return () => UNKNOWN;
  const { composed, selected } = composer(house, world, [])(server);
  const known = new Map<string, PacketOrigin>();
  return (direction, rule) => {
    if (rule === null) return UNKNOWN;
    const key = `${direction} ${rule}`;
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const item = itemOf(direction, rule);
    const origin = composed.provenance.find((entry) => item.includes(entry.item))?.from;
    const document = selected.documents.find((one) => `${one.document.kind}/${one.document.name}` === origin?.document);
    const found: PacketOrigin =
      origin === undefined
        ? UNKNOWN
        : {
            from: {
              document: origin.document,
              revision: origin.revision,
              layer: origin.layer,
              path: origin.path,
              ...(origin.line === undefined ? {} : { line: origin.line }),
            },
            why: document === undefined ? null : whyOf(document.document, direction, rule),
          };
    known.set(key, found);
    return found;
  };
}

function whyOf(document: ParsedDocument, direction: Packet["direction"], rule: string): string | null {
  if (document.kind !== "Policy") return null;
  const section = memberOf(document.body.sections["firewall"], direction);
  const name = rule.replace(/\.limited$/, "");
  const written = ["first", "rules"]
    .flatMap((list) => listOf(memberOf(section, list)))
    .find((one) => memberOf(one, "name") === name);
  const why = memberOf(written, "why");
  return typeof why === "string" ? why : null;
}

function memberOf(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? (value as { readonly [key: string]: Json })[key] : undefined;
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
