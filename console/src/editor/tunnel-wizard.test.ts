import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { tunnelSheetText } from "@holdfast/core/policy/tunnel-sheet.ts";
import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import { expect, test } from "vitest";
import { sheetsOf, tunnelText, type TunnelWish } from "./tunnel-wizard.ts";

const SENT = { of: "authority", pem: "" } as const;
const WISH: TunnelWish = {
  name: "seoul-busan",
  ends: [
    { name: "seoul", server: "gw-seoul", address: "203.0.113.10", identity: "", sent: SENT, networks: "10.10.0.0/16" },
    {
      name: "busan",
      server: "gw-busan",
      address: "dynamic",
      identity: "",
      sent: SENT,
      networks: "10.20.10.0/24, 10.20.20.0/24",
    },
  ],
  by: "key",
  keyFile: "seoul-busan-1",
  suite: "strong-2026",
  clearText: "block",
  services: "icmp/echo tcp/443",
};
const read = (text: string) => parseDocuments(text, { domains: DOMAIN_LANGUAGES });

test("two servers of ours become one document that has no finding", () => {
  const { documents, findings } = read(tunnelText(WISH));
  expect(findings).toEqual([]);
  expect(documents).toMatchObject([
    {
      kind: "Tunnel",
      name: "seoul-busan",
      body: {
        key: { from: "file", name: "seoul-busan-1" },
        clearText: "block",
        traffic: { default: "drop", rules: [{ services: ["icmp/echo", "tcp/443"], from: ["end:seoul", "end:busan"] }] },
      },
    },
  ]);
  expect(sheetsOf(tunnelText(WISH))).toEqual([]);
  const made = read(tunnelText({ ...WISH, keyFile: "" }));
  expect(made.findings).toEqual([]);
  expect(made.documents).toMatchObject([{ body: { key: { from: "generated" } } }]);
});

test("an end of somebody else has its identity, IPv6 is quoted, and its administrator gets a sheet without the key", () => {
  const [ours] = WISH.ends;
  const external = {
    name: "acme",
    server: null,
    address: "2001:db8::44",
    identity: "vpn.acme.example",
    sent: SENT,
    networks: "2001:db8:8::/48",
  };
  const text = tunnelText({
    ...WISH,
    name: "acme",
    ends: [{ ...ours, address: "2001:db8::10", networks: "2001:db8:1::/48" }, external],
    services: "",
  });
  expect(read(text).findings).toEqual([]);
  const [sheet] = sheetsOf(text);
  if (sheet === undefined) throw new Error("there is no sheet");
  const sent = tunnelSheetText("acme", sheet);
  expect(sent).toContain("parameters for the administrator of acme");
  expect(sent).toContain("aes256gcm16-prfsha384-ecp384");
  expect(sent).not.toContain("seoul-busan-1");
});

test("by certificates: nothing is asked between two servers of ours; of somebody else's end what they sent, and never a private key", () => {
  const [one, other] = WISH.ends;
  const ours = read(tunnelText({ ...WISH, by: "certificate" }));
  expect(ours.findings).toEqual([]);
  expect(ours.documents).toMatchObject([{ body: { key: { from: "certificate", version: 1 } } }]);

  const body = Buffer.alloc(300, 48)
    .fill(Buffer.from([0x30, 0x82, 0x01, 0x28]), 0, 4)
    .toString("base64");
  const pem = `-----BEGIN CERTIFICATE-----\n${body.replaceAll(/(.{64})/g, "$1\n")}\n-----END CERTIFICATE-----\n`;
  const theirs = (of: "authority" | "end", text: string): string => {
    const end = { ...other, name: "acme", server: null, identity: "vpn.acme.example", sent: { of, pem: text } };
    return tunnelText({ ...WISH, by: "certificate", ends: [one, end] });
  };
  for (const of of ["authority", "end"] as const) {
    const { documents, findings } = read(theirs(of, `\r\n  ${pem.replaceAll("\n", "\r\n   ")}`));
    expect(findings).toEqual([]);
    expect(documents).toMatchObject([
      { body: { ends: [{ trusted: { of, certificate: body } }, { server: "gw-seoul" }] } },
    ]);
  }
  expect(read(theirs("end", "")).findings).toMatchObject([
    { message: expect.stringContaining("needs authority:") as string },
  ]);
  const mistaken = theirs("end", "-----BEGIN PRIVATE KEY-----\nMIGkAgEBBDA\n-----END PRIVATE KEY-----");
  expect(mistaken).not.toContain("MIGkAgEBBDA");
});

test("whatever is typed is a value and never YAML; half a form has findings, and no sheet", () => {
  const [one, other] = WISH.ends;
  const odd = tunnelText({
    ...WISH,
    name: "x: { y",
    ends: [
      { ...one, address: "} #" },
      { ...other, networks: "" },
    ],
  });
  const { documents, findings } = read(odd);
  expect(documents).toEqual([]);
  expect(findings.length).toBeGreaterThan(0);
  expect(findings.map(({ code }) => code)).not.toContain("document.yaml");
  expect(sheetsOf(odd)).toEqual([]);
});
