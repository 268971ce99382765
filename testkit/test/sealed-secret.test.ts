/** The two ends of one seal, which meet in proto only: what the control plane seals, the guard opens, and nothing else. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSealing } from "@holdfast/agent/guard/sealing.ts";
import { type Sealed, sealForServer } from "@holdfast/control/secrets/seal-for-server.ts";
import { sealedAbout } from "@holdfast/proto/wire/sealed-secret.ts";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "holdfast-seal-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const guard = openSealing(join(folder, "sealing.key"));
const PLAIN = Buffer.from("a key of a tunnel", "utf8");
const OF = { serverId: "server", requestId: "request", file: "acme-vpn.1.0123456789abcdef" };

function seal(key: Buffer, plain: Buffer, about: string): Sealed {
  const made = sealForServer(key, plain, about);
  if (made === null) throw new Error("nothing can be sealed with this key");
  return made;
}

test("the key is root's alone, and the same one after a restart", () => {
  expect(statSync(join(folder, "sealing.key")).mode & 0o777).toBe(0o600);
  expect(openSealing(join(folder, "sealing.key")).publicKey).toEqual(guard.publicKey);
});

test("only this guard opens it, and only for this server, this request and this file", () => {
  const { ephemeralKey, sealed } = seal(guard.publicKey, PLAIN, sealedAbout(OF));
  expect(sealed.includes(PLAIN)).toBe(false);
  expect(guard.open(ephemeralKey, sealed, sealedAbout(OF))).toEqual(PLAIN);
  for (const other of [{ serverId: "other" }, { requestId: "other" }, { file: "acme-vpn.2.0123456789abcdef" }])
    expect(guard.open(ephemeralKey, sealed, sealedAbout({ ...OF, ...other }))).toBeNull();
  expect(openSealing(join(folder, "other.key")).open(ephemeralKey, sealed, sealedAbout(OF))).toBeNull();
});

test("anything turned, cut or made up does not open", () => {
  const about = sealedAbout(OF);
  const { ephemeralKey, sealed } = seal(guard.publicKey, PLAIN, about);
  for (let at = 0; at < sealed.length; at += 1) {
    const turned = Buffer.from(sealed);
    turned.writeUInt8(turned.readUInt8(at) ^ 0x80, at);
    expect(guard.open(ephemeralKey, turned, about), `byte ${at}`).toBeNull();
  }
  expect(guard.open(ephemeralKey, sealed.subarray(0, 20), about)).toBeNull();
  expect(guard.open(seal(guard.publicKey, PLAIN, about).ephemeralKey, sealed, about)).toBeNull();
  // A point of small order would make the shared secret known to everybody.
  expect(guard.open(Buffer.alloc(32), sealed, about)).toBeNull();
  expect(guard.open(Buffer.alloc(5), sealed, about)).toBeNull();
  // Too short, and points of low order: 0, 1, and one that is 0 by another name.
  const low = [
    Buffer.alloc(31),
    Buffer.alloc(32),
    Buffer.from([1, ...Buffer.alloc(31)]),
    Buffer.from(`ed${"ff".repeat(30)}7f`, "hex"),
  ];
  for (const key of low) expect(sealForServer(key, PLAIN, about)).toBeNull();
});
