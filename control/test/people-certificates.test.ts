/** From a request that a device has made to a tunnel that lets its certificate in, through the API: who may, what is refused, what is kept. */
import "reflect-metadata";
import { webcrypto, X509Certificate } from "node:crypto";
import { detect } from "@holdfast/core/alert/detect.ts";
import type { SimulatedAgent } from "@holdfast/testkit/simulated-agent/agent.ts";
import * as x509 from "@peculiar/x509";
import { expect, test, vi } from "vitest";
import { look } from "../src/alerts/look.ts";
import { applied, planned } from "./api-changes.ts";
import { type ApiHouse, EVERYTHING, withApi } from "./api-house.ts";

vi.setConfig({ testTimeout: 60_000 });

const DAY_MS = 24 * 3_600_000;
const EC = { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" } as const;

async function newRequest(): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]);
  return (await x509.Pkcs10CertificateRequestGenerator.create({ name: "CN=x", keys, signingAlgorithm: EC })).toString(
    "pem",
  );
}

const wish = (request: string, person = "alice") => ({
  body: { server: "gw-a", tunnel: "staff", person, identity: `${person}@example.com`, request },
});

const asked = (request: string) => ({ body: { server: "gw-a", request } });

const certifyAs = async (api: ApiHouse, token: string, request: string, person?: string) =>
  (await api.ask(token, "certifyPerson", wish(request, person))).json as Record<string, string>;

const staff = (people: Readonly<Record<string, string | undefined>>): string => `apiVersion: holdfast/v1
kind: Tunnel
name: staff
ends:
  a: { server: gw-a, address: 192.0.2.10, networks: 10.71.0.0/24 }
  b:
    address: dynamic
    networks: 10.72.0.0/24
    people:
${Object.entries(people)
  .map(([name, pem]) => `      ${name}: { identity: ${name}@example.com, certificate: ${JSON.stringify(pem)} }\n`)
  .join("")}via: policy
clearText: block
auth: { certificate: generated }
suite: strong-2026
lifetime: { ike: 12h, child: 1h }
dead: { after: 10s, then: clear }
traffic: { default: drop, rules: [] }
`;

const codes = (change: Awaited<ReturnType<typeof planned>>) =>
  change.plans.flatMap(({ findings }) => findings.map(({ severity, code, path }) => `${severity} ${code} ${path}`));

test("a request is certified, the certificate is applied, stands in the inventory and falls due; the server alone has a secret", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent: SimulatedAgent = await api.server(kim, "gw-a", {});
    const request = await newRequest();
    const lookedAt = async (text: string): Promise<unknown> =>
      (await api.ask(kim, "lookAtPersonRequest", asked(text))).json;
    const begun = (await api.done(kim, "listAudit")).items.length;
    const says = { subject: "CN=x", names: [], key: "EC P-384" };
    expect(await lookedAt(request)).toMatchObject({ says, flaw: null, holder: null });
    const swapped = request.replace(/\n([^\n]{8})([^\n]+\n-----END)/, "\nAAAAAAAA$2");
    expect(await lookedAt(swapped)).toMatchObject({ flaw: { message: expect.stringContaining("new key") } });
    // To look is no act: nothing was issued, no authority was made.
    expect((await api.done(kim, "listAudit")).items.length).toBe(begun);
    expect((await api.done(kim, "listSecrets")).items).toEqual([]);
    const alice = await certifyAs(api, kim, request);
    const read = new X509Certificate(alice["pem"] ?? "");
    expect(read.subjectAltName).toBe("email:alice@example.com");
    expect(read.verify(new X509Certificate(alice["authorityPem"] ?? "").publicKey)).toBe(true);
    expect(alice).toMatchObject({ isChained: true, subject: "CN=alice@example.com, OU=tunnel staff" });
    const bob = await certifyAs(api, kim, await newRequest(), "bob");
    const change = await planned(api, kim, [staff({ alice: alice["pem"], bob: bob["pem"] })]);
    expect(codes(change).filter((one) => one.startsWith("error"))).toEqual([]);
    expect((await applied(api, kim, change)).state).toBe("DONE");
    const command = agent.commands.findLast(({ verb }) => verb.case === "prepare");
    const sent = command?.verb.case === "prepare" ? command.verb.value.secrets.map(({ file }) => file) : [];
    expect(sent).toEqual([expect.stringMatching(/^tunnel\.staff--a\.1\./)]);
    const inventory = (await api.done(kim, "listCertifiedPeople")).items;
    const holder = { tunnel: "staff", person: "alice", identity: "alice@example.com" };
    expect(await lookedAt(request)).toMatchObject({ flaw: null, holder });
    expect(inventory.map(({ tunnel, person, as, isChained }) => [tunnel, person, as, isChained])).toEqual([
      ["staff", "alice", ["head", "in_force"], true],
      ["staff", "bob", ["head", "in_force"], true],
    ]);
    expect(Date.parse(inventory[0]?.notAfter ?? "") - Date.parse(inventory[0]?.dueAt ?? "")).toBe(30 * DAY_MS);
    const said = (await api.done(kim, "listAudit", { query: { object: "tunnel/staff/alice" } })).items;
    expect(said).toMatchObject([
      { action: "certificate.issued", new: { identity: "alice@example.com", serial: alice["serial"] } },
    ]);
    // The same request again is the next certificate of the same key.
    const next = await certifyAs(api, kim, request);
    expect(new X509Certificate(next["pem"] ?? "").publicKey.equals(read.publicKey)).toBe(true);
    expect(next["serial"]).not.toBe(alice["serial"]);

    const facts = await look(api.house.database);
    const due = (days: number) =>
      detect({ ...facts, nowMs: facts.nowMs + days * DAY_MS }).filter(({ subject }) => subject === "tunnel/staff");
    expect(due(300)).toEqual([]);
    expect(due(340)).toMatchObject([{ kind: "key-due", message: expect.stringContaining("alice") }]);
  });
});

test("what cannot be certified says which field, what was expected and what to do; a key that was pasted goes nowhere", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.server(kim, "gw-a", {});
    const request = await newRequest();
    const { privateKey } = await webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]);
    const secret = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", privateKey)).toString("base64");
    for (const [text, words] of [
      [`-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`, "private key"],
      [`${request}${request}`, "2 blocks of PEM"],
      ["hello", "no request"],
      [request.replace(/\n[^\n]{12}/, "\nAAAAAAAAAAAA"), "request"],
      ["M".repeat(20_000), "at most 16000"],
    ] as const) {
      const refused = await api.ask(kim, "certifyPerson", wish(text));
      expect([400, 422], words).toContain(refused.status);
      expect(JSON.stringify(refused.json)).toContain("request");
      expect(JSON.stringify(refused.json)).toContain(words);
      expect(JSON.stringify(refused.json)).not.toContain(secret.slice(20, 60));
      const looked = await api.ask(kim, "lookAtPersonRequest", asked(text));
      expect(JSON.stringify(looked.json)).toContain(words);
      expect(JSON.stringify(looked.json)).not.toContain(secret.slice(20, 60));
    }
    const audit = JSON.stringify((await api.done(kim, "listAudit")).items);
    expect(audit).not.toContain(secret.slice(20, 60));
    const named = await api.ask(kim, "certifyPerson", { body: { ...wish(request).body, identity: "gw-a" } });
    expect([named.status, JSON.stringify(named.json)]).toEqual([400, expect.stringContaining("mail address")]);
    expect((await api.ask(kim, "certifyPerson", { body: { ...wish(request).body, server: "gw-z" } })).status).toBe(404);
    const viewer = await api.account("lee", [{ permission: "view", scope: { all: true }, domains: null }]);
    expect((await certifyAs(api, viewer, request))["code"]).toBe("access.permission_missing");
    expect((await api.ask(viewer, "lookAtPersonRequest", asked(request))).json).toMatchObject({
      code: "access.permission_missing",
    });
    const firewall = await api.account("max", [
      { permission: "view", scope: { all: true }, domains: null },
      { permission: "edit", scope: { all: true }, domains: ["firewall"] },
    ]);
    expect((await certifyAs(api, firewall, request))["code"]).toBe("access.out_of_scope");
    expect((await api.ask(firewall, "lookAtPersonRequest", asked(request))).json).toMatchObject({
      code: "access.out_of_scope",
    });
  });
});

test("a key is one person's: another one's request is refused, and a document that names it too, as what is foreign, ended or another's", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.server(kim, "gw-a", {});
    const request = await newRequest();
    const alice = (await certifyAs(api, kim, request))["pem"];
    // Before any document names Alice's, nobody knows whose key it is.
    const same = (await certifyAs(api, kim, request, "bob"))["pem"];
    expect(codes(await planned(api, kim, [staff({ alice, bob: same })]))).toEqual(
      expect.arrayContaining([
        "error plan.certificate_same_key ends.b.people.alice.certificate",
        "error plan.certificate_same_key ends.b.people.bob.certificate",
      ]),
    );
    const change = await planned(api, kim, [staff({ alice })]);
    expect((await applied(api, kim, change)).state).toBe("DONE");
    const refused = await certifyAs(api, kim, request, "bob");
    expect(refused).toMatchObject({ code: "certificate.key_of_other", detail: expect.stringContaining("alice") });
    const { revision } = await api.done(kim, "getDocument", { params: { kind: "Tunnel", name: "staff" } });
    const replanned = async (people: Parameters<typeof staff>[0]) => {
      const draft = await api.done(kim, "createChange", {
        body: { title: "x", documents: [{ text: staff(people), baseRevision: revision }] },
      });
      return codes(await api.done(kim, "planChange", { params: { id: draft.id }, body: {} }));
    };
    const carol = (await certifyAs(api, kim, await newRequest(), "carol"))["pem"];
    expect(await replanned({ alice, bob: carol })).toContain(
      "error plan.certificate_other_name ends.b.people.bob.certificate",
    );
    const foreign = await x509.X509CertificateGenerator.createSelfSigned({
      name: "CN=bob@example.com",
      keys: await webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]),
      signingAlgorithm: EC,
    });
    expect(await replanned({ alice, bob: `${foreign.toString("pem")}\n` })).toContain(
      "error compose.certificate_not_ours ends.b.people.bob.certificate",
    );
  });
});
