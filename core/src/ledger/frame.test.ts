import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";
import { encodeFrame, FRAME_HEADER_BYTES, frameHash, HASH_BYTES, scanFrames } from "./frame.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();
const GENESIS = new Uint8Array(HASH_BYTES);

function segment(bodies: readonly string[], spare = 256): Uint8Array {
  const frames: Uint8Array[] = [];
  let head: Uint8Array = GENESIS;
  for (const body of bodies) {
    const frame = encodeFrame(body, head);
    frames.push(frame);
    head = frameHash(frame, sha256);
  }
  return Buffer.concat([...frames, new Uint8Array(spare)]);
}

const bodies = fc.array(
  fc.string({ unit: fc.constantFrom("{", "}", '"', ":", "H", "F", "L", "1", " ", "0"), maxLength: 60 }),
  { minLength: 1, maxLength: 8 },
);

test("CRC-32C gives the check value of the published test vectors", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
});

test("what was written is read back, in order, and the rest is clean", () => {
  fc.assert(
    fc.property(bodies, (written) => {
      const scan = scanFrames(segment(written), 0, GENESIS, sha256);
      expect(scan.frames.map((frame) => frame.body)).toEqual(written);
      expect(scan.tail).toEqual({ kind: "clean" });
    }),
    { numRuns: 200 },
  );
});

test("an image cut anywhere gives whole records only, and the cut one is a torn tail", () => {
  fc.assert(
    fc.property(bodies, fc.nat(), (written, at) => {
      const whole = segment(written, 0);
      const cut = at % (whole.length + 1);
      const image = Buffer.concat([whole.subarray(0, cut), new Uint8Array(whole.length - cut + 64)]);
      const scan = scanFrames(image, 0, GENESIS, sha256);
      expect(scan.frames.map((frame) => frame.body)).toEqual(written.slice(0, scan.frames.length));
      expect(scan.frames.every((frame) => frame.end <= cut || isZero(whole.subarray(cut, frame.end)))).toBe(true);
      expect(scan.tail.kind).not.toBe("damaged");
    }),
    { numRuns: 300 },
  );
});

test("a changed byte is never accepted: only records before it are read, and it is damage when a good one follows", () => {
  fc.assert(
    fc.property(bodies, fc.nat(), fc.integer({ min: 1, max: 255 }), (written, where, flip) => {
      const image = Buffer.from(segment(written));
      const used = image.length - 256;
      const at = where % used;
      image[at] = (image[at] ?? 0) ^ flip;
      const scan = scanFrames(image, 0, GENESIS, sha256);
      const damagedIndex = written.findIndex((_, index) => at < segment(written.slice(0, index + 1), 0).length);
      expect(scan.frames.map((frame) => frame.body)).toEqual(written.slice(0, damagedIndex));
      expect(scan.tail.kind).toBe(damagedIndex === written.length - 1 ? "torn" : "damaged");
    }),
    { numRuns: 500 },
  );
});

test("a record moved, doubled or dropped breaks the chain", () => {
  const [a, b, c] = ["one", "two", "three"].map((body, index, all) => {
    let head: Uint8Array = GENESIS;
    for (const before of all.slice(0, index)) head = frameHash(encodeFrame(before, head), sha256);
    return encodeFrame(body, head);
  }) as [Uint8Array, Uint8Array, Uint8Array];
  const read = (...frames: Uint8Array[]) =>
    scanFrames(Buffer.concat([...frames, new Uint8Array(64)]), 0, GENESIS, sha256);
  expect(read(a, c).frames.map((frame) => frame.body)).toEqual(["one"]);
  expect(read(a, c).tail.kind).toBe("damaged");
  expect(read(a, a, b).tail.kind).toBe("damaged");
  expect(read(b, c).frames).toEqual([]);
  expect(read(a, b, c).tail.kind).toBe("clean");
});

test("a body that is not ASCII is a bug of the caller", () => {
  expect(() => encodeFrame("é", GENESIS)).toThrow("ASCII");
  expect(FRAME_HEADER_BYTES).toBe(44);
});

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
