import fc from "fast-check";
import { expect, test } from "vitest";
import { parseSecretFile, secretFile, secretOfTunnel, tunnelOfSecret } from "./secret-file.ts";

const PRINT = "0123456789abcdef";

test("a file says name, version and fingerprint, and reads back as the same", () => {
  for (const name of ["acme-vpn", secretOfTunnel("seoul-busan"), "tunnel"]) {
    const one = { name, version: 12, fingerprint: PRINT };
    expect(parseSecretFile(secretFile(one))).toEqual({ ok: true, value: one });
  }
  expect([tunnelOfSecret("tunnel.pair"), tunnelOfSecret("tunnel")]).toEqual(["pair", null]);
});

test.each([
  "acme-vpn",
  `acme-vpn.0.${PRINT}`,
  `acme-vpn.1.${PRINT}0`,
  `../acme.1.${PRINT}`,
  `a.b.1.${PRINT}`,
  `tunnel.self.1.${PRINT}`,
  `acme-vpn.1.${PRINT}\n`,
  `acme-vpn.1.${PRINT.toUpperCase()}`,
])("%j is no file of a secret", (text) => {
  expect(parseSecretFile(text).ok).toBe(false);
});

test("whatever is accepted leads nowhere else than to a file in its folder", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      if (parseSecretFile(text).ok) expect(text).toMatch(/^[a-z0-9-]+(\.[a-z0-9-]+){2,3}$/);
    }),
  );
});
