import { expect, test } from "vitest";
import { NO_PACKETS, packetLogReader } from "./packet-log.ts";

const packet = (number: number) => ({
  number,
  at: "2026-01-02T03:04:05.678Z",
  direction: "inbound",
  outcome: "dropped",
  rule: "default",
  foreignTable: null,
  inInterface: "eth0",
  outInterface: null,
  protocol: "tcp",
  source: "203.0.113.9",
  destination: "192.0.2.10",
  sourcePort: 40_000,
  destinationPort: 8080,
  icmpType: null,
  from: null,
  why: null,
});
const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const packets = (numbers: readonly number[], missed = 0): string =>
  event("packets", { packets: numbers.map(packet), missed, sampled: false });

test("the newest stands first, and each row has a key of its own when numbers begin anew", () => {
  const read = packetLogReader();
  const text = packets([1, 2], 3) + packets([1]);
  const first = read(text.slice(0, 50))(NO_PACKETS);
  const log = read(text.slice(50))(first);
  expect(log.packets.map(({ number }) => number)).toEqual([1, 2, 1]);
  expect(new Set(log.packets.map(({ key }) => key)).size).toBe(3);
  expect(log.missed).toBe(3);
});

test("only so many are kept", () => {
  const read = packetLogReader();
  let log = NO_PACKETS;
  for (let at = 0; at < 5; at += 1) log = read(packets(Array.from({ length: 400 }, (_, one) => one)))(log);
  expect(log.packets).toHaveLength(1_000);
});

test("lost is over with the next packets; ended stays; nonsense changes nothing", () => {
  const read = packetLogReader();
  const lost = read(event("lost", { why: "gone" }))(NO_PACKETS);
  expect(lost.lost).toBe("gone");
  expect(read(packets([]))(lost).lost).toBeNull();
  const ended = read(event("ended", { code: "packets.too_long", message: "x" }))(lost);
  expect(read(packets([1]))(ended).ended?.code).toBe("packets.too_long");
  expect(read("event: packets\ndata: {nonsense\n\nevent: newer\ndata: 1\n\n")(NO_PACKETS)).toEqual(NO_PACKETS);
});
