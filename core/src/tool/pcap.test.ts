import fc from "fast-check";
import { expect, test } from "vitest";
import { capturedLine } from "./captured-words.ts";
import { headerBytes } from "./headers-only.ts";
import { type CapturedPacket, pcapFile, pcapHeader, pcapPacket, pcapReader } from "./pcap.ts";

const ETHERNET = 1;
const hex = (...parts: readonly string[]): Uint8Array =>
  Uint8Array.from((parts.join("").replaceAll(" ", "").match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)));

const MACS = "020000000001 020000000002";
const SECRET = "70617373776f7264";
const IPV4 = (protocol: string, more = "0000"): string =>
  `4500 0040 1234 ${more} 40 ${protocol} 0000 c0000201 c0000202`;
const UDP = "8000 0035 0010 0000";

/** Name, link type, what are headers, what follows them. */
const PACKETS: readonly (readonly [string, number, Uint8Array, string])[] = [
  ["tcp", 1, hex(MACS, "0800", IPV4("06"), "c000 01bb 00000001 00000002 50 18 ffff 0000 0000"), "tcp/443"],
  [
    "tcp with options",
    1,
    hex(MACS, "0800", IPV4("06"), "c00001bb000000010000000280 12ffff00000000", "0101080a0000000000000000"),
    "tcp/443",
  ],
  ["udp behind a tag", 1, hex(MACS, "8100 0005 0800", IPV4("11"), UDP), "udp/53"],
  [
    "udp over IPv6",
    1,
    hex(MACS, "86dd 60000000 0010 11 40", "20010db8000000000000000000000001", "20010db8000000000000000000000002", UDP),
    "udp/53",
  ],
  [
    "IPv6 with options before it",
    1,
    hex(
      MACS,
      "86dd 60000000 0018 00 40",
      "20010db8000000000000000000000001",
      "20010db8000000000000000000000002",
      "1100 0000 0000 0000",
      UDP,
    ),
    "udp/53",
  ],
  ["an echo", 1, hex(MACS, "0800", IPV4("01"), "0800 0000 0001 0001"), "icmp/echo"],
  [
    "an error and what it quotes",
    1,
    hex(MACS, "0800", IPV4("01"), "0303 0000 0000 0000", IPV4("11"), UDP),
    "icmp/unreachable",
  ],
  ["esp", 1, hex(MACS, "0800", IPV4("32"), "00000001 00000002"), "esp"],
  ["a later fragment", 1, hex(MACS, "0800", IPV4("11", "0010")), "udp fragment"],
  ["arp", 1, hex(MACS, "0806 0001 0800 0604 0001", "020000000001 c0000201 000000000000 c0000202"), "arp request"],
  ["no IP at all", 1, hex(MACS, "88cc"), "not IP"],
  ["without a link", 101, hex(IPV4("11"), UDP), "udp/53"],
  ["on all interfaces", 113, hex("0000 0001 0006 020000000001 0000 0800", IPV4("11"), UDP), "udp/53"],
  ["on all interfaces, newer", 276, hex("0800 0000 00000002 0001 00 06 0200000000010000", IPV4("11"), UDP), "udp/53"],
  ["on a link that nobody knows", 147, new Uint8Array(0), "link 147"],
];

test.each(PACKETS)("of %s the headers stay and the rest goes", (_, linkType, headers, what) => {
  const whole = Uint8Array.from([...headers, ...hex(SECRET, SECRET)]);
  expect(headerBytes(linkType, whole)).toBe(headers.length);
  const packet: CapturedPacket = { seconds: 1_700_000_000, micros: 42, length: whole.length, headers };
  expect(capturedLine(linkType, packet)).toMatchObject({
    what,
    at: "2023-11-14T22:13:20.000042Z",
    length: whole.length,
  });
});

test("who speaks with whom is told with ports and flags", () => {
  const [, linkType, headers] = PACKETS[1] ?? ["", 0, new Uint8Array(0)];
  expect(capturedLine(linkType, { seconds: 0, micros: 0, length: 66, headers })).toMatchObject({
    source: "192.0.2.1:49152",
    destination: "192.0.2.2:443",
    flags: "SYN ACK",
  });
  const [, , sixth] = PACKETS[3] ?? ["", 0, new Uint8Array(0)];
  expect(capturedLine(ETHERNET, { seconds: 0, micros: 0, length: 66, headers: sixth })).toMatchObject({
    source: "[2001:db8::1]:32768",
    destination: "[2001:db8::2]:53",
  });
});

test("a file that comes in parts is read as if it came whole, in both byte orders, and no payload is in it", () => {
  const packets = PACKETS.filter(([, linkType]) => linkType === ETHERNET).map(([, , headers]) => ({
    seconds: 1,
    micros: 2,
    length: 1_500,
    headers: Uint8Array.from([...headers, ...hex(SECRET)]),
  }));
  const file = Buffer.from(pcapFile({ linkType: ETHERNET, packets }));
  expect(file.includes("password")).toBe(true);
  const readIn = (size: number): readonly CapturedPacket[] => {
    const read = pcapReader();
    const found: CapturedPacket[] = [];
    for (let at = 0; at < file.length; at += size) {
      const part = read(file.subarray(at, at + size));
      if (!part.ok) throw new Error(part.error);
      found.push(...part.value.packets);
    }
    return found;
  };
  const whole = readIn(file.length);
  expect(whole).toHaveLength(packets.length);
  for (const size of [1, 7, 64]) expect(readIn(size)).toEqual(whole);
  const again = Buffer.from(pcapFile({ linkType: ETHERNET, packets: whole }));
  expect(again.includes("password")).toBe(false);
  const swapped = Buffer.from(pcapHeader(ETHERNET));
  swapped.swap32();
  swapped.writeUInt32BE(ETHERNET, 20);
  const packet = Buffer.from(pcapPacket(packets[0] ?? { seconds: 0, micros: 0, length: 0, headers: file }));
  packet.subarray(0, 16).swap32();
  const read = pcapReader()(Buffer.concat([swapped, packet]));
  expect(read).toMatchObject({ ok: true, value: { linkType: ETHERNET, packets: [{ seconds: 1, length: 1_500 }] } });
});

test("what is no pcap is refused, and no bytes whatever make it throw", () => {
  expect(pcapReader()(Buffer.from("this is a text and no file of packets")).ok).toBe(false);
  const huge = Buffer.concat([pcapHeader(ETHERNET), Buffer.alloc(16, 0xff)]);
  expect(pcapReader()(huge).ok).toBe(false);
  fc.assert(
    fc.property(fc.constantFrom(1, 12, 101, 113, 276, 9), fc.uint8Array({ maxLength: 120 }), (linkType, bytes) => {
      const kept = headerBytes(linkType, bytes);
      expect(kept).toBeLessThanOrEqual(bytes.length);
      // Cut once, it is not cut again: both ends do it.
      const headers = bytes.slice(0, kept);
      expect(headerBytes(linkType, headers)).toBe(kept);
      capturedLine(linkType, { seconds: 0, micros: 0, length: 0, headers });
      pcapReader()(Buffer.concat([pcapHeader(linkType), bytes]));
    }),
    { numRuns: 3_000 },
  );
});
