import fc from "fast-check";
import { expect, test } from "vitest";
import { SimulatedSystem } from "../../test/simulated-system.ts";
import { CERTIFICATE } from "../../test/system-sample.ts";
import { certificateNames, namesOnly } from "./certificate-names.ts";
import { system } from "./domain.ts";

/** Made by openssl for CN=gw-old and the alternative names gw-old.example.com, vpn.example.com and 192.0.2.1; nobody has its key. */
const GATEWAY = `-----BEGIN CERTIFICATE-----
MIIB0jCCAXmgAwIBAgIUIrxgEpWYY72i3sqrKlIxve4hVjQwCgYIKoZIzj0EAwIw
IzEQMA4GA1UECgwHRXhhbXBsZTEPMA0GA1UEAwwGZ3ctb2xkMB4XDTI2MTEyNjE3
NTcxMVoXDTM2MTEyMzE3NTcxMVowIzEQMA4GA1UECgwHRXhhbXBsZTEPMA0GA1UE
AwwGZ3ctb2xkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUy4Ebh7xcZymlgAC
q/7O8X6zPfPDj1uFPr1Z6Rg0GLivYieDUGdkc2SxHqknXiDsJXbyJI6mOcxie5YY
CPsCOKOBijCBhzAdBgNVHQ4EFgQU/3XklrZQmQJMoVW4nG11pTYvY+owHwYDVR0j
BBgwFoAU/3XklrZQmQJMoVW4nG11pTYvY+owDwYDVR0TAQH/BAUwAwEB/zA0BgNV
HREELTArghJndy1vbGQuZXhhbXBsZS5jb22CD3Zwbi5leGFtcGxlLmNvbYcEwAAC
ATAKBggqhkjOPQQDAgNHADBEAiA5WXgdK2ovikasVz42sAMrHbgSFPYt+v0wWQKl
/34qsQIgA4779n6PKRPURxTpvRyc23YODR/wcZRFf1h7srtqCdI=
-----END CERTIFICATE-----
`;

test("whom a certificate is for is read out of it, and nothing out of what is none", () => {
  expect(certificateNames(GATEWAY)).toEqual(["gw-old", "gw-old.example.com", "vpn.example.com"]);
  expect(certificateNames(CERTIFICATE)).toEqual([]);
  expect(certificateNames("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n")).toEqual([]);
});

test("whatever stands in such a file, it is read to its end and no further", () => {
  const [head = "", ...rest] = GATEWAY.split("\n");
  const body = rest.slice(0, -2).join("");
  fc.assert(
    fc.property(fc.nat(body.length - 1), fc.constantFrom("A", "/", "8", ""), (at, letter) => {
      const broken = `${body.slice(0, at)}${letter}${body.slice(at + 1)}`;
      expect(Array.isArray(certificateNames(`${head}\n${broken}\n-----END CERTIFICATE-----\n`))).toBe(true);
    }),
  );
});

test.each([
  [["gw-old"], "gw-old", "gw-new", true],
  [["GW-OLD.example.com"], "gw-old", "gw-new", true],
  [["gw-old", "gw-new.example.com"], "gw-old", "gw-new", false],
  [["gw-older"], "gw-old", "gw-new", false],
  [[], "gw-old", "gw-new", false],
])("a certificate for %j when %s becomes %s", (names, before, after, isLost) => {
  expect(namesOnly(names, before, after)).toBe(isLost);
});

test("a server that gets another name is told which certificates are for the old one", () => {
  const server = new SimulatedSystem();
  server.hostname = "gw-old";
  server.folders.set("/etc/swanctl/x509", { "gateway.pem": GATEWAY, "notes.txt": "not a certificate" });
  const managementPath = { controlPlane: [], inbound: [] };
  const found = (hostname: string) =>
    system
      .plan({ desired: { hostname }, confirmed: null, observed: server.observe(), managementPath })
      .findings.filter(({ code }) => code === "system.host_name_in_certificates");
  expect(found("gw-new")).toMatchObject([
    {
      severity: "warning",
      path: "system.hostname",
      message: expect.stringContaining(
        "/etc/swanctl/x509/gateway.pem is for gw-old, gw-old.example.com, vpn.example.com",
      ),
    },
  ]);
  expect(found("gw-old")).toEqual([]);
});
