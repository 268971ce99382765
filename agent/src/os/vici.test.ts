import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ViciConnection } from "./vici-connection.ts";
import { decodeMessage, encodeMessage, type ViciSection } from "./vici-message.ts";

const name = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 60 }).filter((text) => text !== "__proto__");
const text = fc.string({ unit: "grapheme", maxLength: 80 });
const { section } = fc.letrec<{ section: ViciSection }>((tie) => ({
  section: fc.dictionary(name, fc.oneof({ maxDepth: 3 }, text, fc.array(text, { maxLength: 4 }), tie("section")), {
    maxKeys: 5,
  }),
}));

test("whatever is said is understood as it was said", () => {
  fc.assert(
    fc.property(section, (message) => {
      expect(decodeMessage(encodeMessage(message))).toEqual({ ok: true, value: { ...message } });
    }),
  );
});

test("whatever comes, also cut or broken, is an answer or a refusal and never more", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      section,
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      (noise, message, at, value) => {
        expect(typeof decodeMessage(Buffer.from(noise)).ok).toBe("boolean");
        const bytes = encodeMessage(message);
        if (bytes.length === 0) return;
        expect(typeof decodeMessage(bytes.subarray(0, at % bytes.length)).ok).toBe("boolean");
        bytes[at % bytes.length] = value;
        expect(typeof decodeMessage(bytes).ok).toBe("boolean");
      },
    ),
  );
});

test("what does not fit into the format is a bug, not a cut text", () => {
  expect(() => encodeMessage({ a: "x".repeat(65_536) })).toThrow("does not fit");
  expect(() => encodeMessage({ ["n".repeat(256)]: "x" })).toThrow("does not fit");
  const deep = Array.from({ length: 20 }).reduce<ViciSection>((inner) => ({ a: inner }), {});
  expect(decodeMessage(encodeMessage(deep)).ok).toBe(false);
});

let folder: string;
let daemon: Server | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-vici-"));
});
afterEach(() => {
  daemon?.close();
  rmSync(folder, { recursive: true });
});

/** A daemon that answers each packet with these. */
async function answering(...packets: readonly Buffer[]): Promise<ViciConnection> {
  const path = join(folder, "charon.vici");
  const queue = [...packets];
  daemon = createServer((socket) => {
    socket.on("data", () => void socket.write(queue.shift() ?? Buffer.alloc(0)));
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => daemon?.listen(path, resolve));
  const opened = await ViciConnection.open(path);
  if (!opened.ok) throw new Error(opened.error);
  return opened.value;
}

function packet(type: number, body: Buffer, length = body.length + 1): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(length);
  header[4] = type;
  return Buffer.concat([header, body]);
}

const event = (of: string, message: ViciSection): Buffer =>
  packet(7, Buffer.concat([Buffer.from([of.length]), Buffer.from(of), encodeMessage(message)]));

test("events that belong to a request come with its answer; others are passed over", async () => {
  const answer = packet(1, encodeMessage({ success: "yes" }));
  const listing = Buffer.concat([event("list-conn", { a: { version: "IKEv2" } }), event("ike-updown", {}), answer]);
  const vici = await answering(packet(5, Buffer.alloc(0)), listing, packet(5, Buffer.alloc(0)));
  expect(await vici.listing("list-conns", "list-conn", {}, 1_000)).toEqual({
    ok: true,
    value: { events: [{ a: { version: "IKEv2" } }], answer: { success: "yes" } },
  });
  vici.close();
  expect(await vici.request("version", {}, 1_000)).toEqual({ ok: false, error: "closed" });
});

test.each<[string, Buffer, string]>([
  ["an unknown request", packet(2, Buffer.alloc(0)), "does not know the request"],
  ["a packet that claims to be huge", packet(1, Buffer.alloc(0), 0x7fff_ffff), "announced a packet"],
  ["an empty packet", packet(1, Buffer.alloc(0), 0), "announced a packet"],
  ["an answer that is not well formed", packet(1, Buffer.from([3, 200, 1])), "not well formed"],
  ["silence", Buffer.alloc(0), "did not answer within 100 ms"],
])("%s is a refusal in words", async (_, bytes, words) => {
  const vici = await answering(bytes);
  const answer = await vici.request("version", {}, 100);
  expect(answer.ok ? "" : answer.error).toContain(words);
  vici.close();
});

test("a daemon that does not run is said so", async () => {
  expect(await ViciConnection.open(join(folder, "nobody"))).toEqual({ ok: false, error: "it does not run" });
});
