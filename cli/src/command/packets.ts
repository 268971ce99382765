import { eventReader, type StreamEvent } from "@holdfast/core/api/event-text.ts";
import { type Packet, PACKET_EVENTS } from "@holdfast/core/api/packet-log.ts";
import { fitsPacket, packetLabel } from "@holdfast/core/net/packet-words.ts";
import { buildCommand } from "@stricli/core";
import { CliError } from "../cli-error.ts";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { understoodEvent } from "../understood-event.ts";
import { painter, plain } from "../view/style.ts";
import { wholeNumber } from "../whole-number.ts";
import { writeOut } from "../write-out.ts";

interface PacketFlags {
  readonly filter: string;
  readonly count?: number;
  readonly json: boolean;
}

/** Follows until it is interrupted, has shown enough, or the control plane ends it. */
export const packetsCommand = buildCommand<PacketFlags, [string], Context>({
  docs: {
    brief: "What a server's firewall decides, packet by packet, while you look",
    fullDescription:
      "Packets that begin a connection, or belong to none; replies are left out. A sample: at most 50 a second in each direction. Needs the permission watch, and that you looked stands in the audit log.\n" +
      "--filter takes words that must all fit: dropped, allowed, inbound, a rule, an address or its beginning, tcp/443, a port, an interface; !WORD leaves out.\n\n" +
      "Example: holdfast packets web-1 --filter 'dropped 443'",
  },
  parameters: {
    flags: {
      filter: { kind: "parsed", parse: String, brief: "Only packets that fit all of these words", default: "" },
      count: { kind: "parsed", parse: wholeNumber(1, 999_999_999), brief: "End after so many", optional: true },
      json: { kind: "boolean", brief: "For machines: each packet as one line of JSON", default: false },
    },
    positional: { kind: "tuple", parameters: [{ brief: "Name of the server", parse: String, placeholder: "server" }] },
  },
  async func({ filter, count, json }, name) {
    const read = eventReader();
    let shown = 0;
    const left = new Enough();
    try {
      await openClient(this).download(
        "watchPackets",
        {},
        async (part) => {
          for (const event of read(part)) {
            for (const packet of packetsIn(this, event)) {
              if (!fitsPacket(packet, filter)) continue;
              await writeOut(this, `${json ? JSON.stringify(packet) : line(this, packet)}\n`);
              shown += 1;
              if (count !== undefined && shown >= count) throw left;
            }
          }
        },
        { name },
      );
    } catch (error) {
      if (error !== left) throw error;
    }
  },
});

/** Thrown where enough was shown: it ends the download from within. */
class Enough extends Error {}

function packetsIn(context: Context, { event, data }: StreamEvent): readonly Packet[] {
  const say = (text: string): void => {
    context.process.stderr.write(`${plain(text)}\n`);
  };
  if (event === "packets") {
    const { packets, missed, sampled } = understoodEvent(PACKET_EVENTS.packets, data);
    if (missed > 0) say(`${missed} packets went by before they were taken.`);
    if (sampled && packets.length > 0) say("More comes than is shown: a sample of 50 a second in each direction.");
    return packets;
  }
  if (event === "lost")
    say(
      `The server cannot be asked for a moment: ${understoodEvent(PACKET_EVENTS.lost, data).why}. It goes on by itself.`,
    );
  if (event === "ended") {
    const { code, message } = understoodEvent(PACKET_EVENTS.ended, data);
    throw new CliError(EXIT.refused, code, message, "Look again with the same command.");
  }
  // A word of a newer control plane.
  return [];
}

const COLOUR = { allowed: "green", dropped: "red", rejected: "red", would_drop: "yellow" } as const satisfies Record<
  Packet["outcome"],
  string
>;

function line(context: Context, packet: Packet): string {
  const { at, outcome, direction, rule, foreignTable, from, why } = packet;
  const ways = [packet.inInterface, packet.outInterface].filter((name) => name !== null).join(">");
  const by =
    foreignTable !== null
      ? `by another firewall, ${foreignTable}`
      : `${rule ?? "a rule without a name"}${from === null ? "" : ` of ${from.document} r${from.revision}`}${why === null ? "" : ` (${why})`}`;
  const ends = `${packet.source} -> ${packet.destination}`;
  return plain(
    `${at.slice(11, 23)} @ ${direction.padEnd(8)} ${ways.padEnd(10)} ${ends.padEnd(34)} ${packetLabel(packet).padEnd(10)} ${by}`,
  ).replace("@", painter(context)(COLOUR[outcome], outcome.padEnd(10)));
}
