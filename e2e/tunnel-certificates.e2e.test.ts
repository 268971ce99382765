import { sql } from "@holdfast/control/store/sql.ts";
import { certifiedPersonSchema, seenRequestSchema } from "@holdfast/core/api/certificate.ts";
import { changeDetailSchema } from "@holdfast/core/api/change.ts";
import { type Secret, secretSchema } from "@holdfast/core/api/secret.ts";
import type { HouseServer } from "@holdfast/testkit/house/house-server.ts";
import type { House } from "@holdfast/testkit/house/house.ts";
import { madeEnd, tunnelAuthority } from "@holdfast/testkit/servers/tunnel-certificates.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { PersonDevice } from "./person-device.ts";
import { TUNNEL_WITHIN_MS, TwoGateways } from "./two-gateways.ts";

/** Certificates of tunnels through the whole house: issued when the change is written, sealed for each end, renewed by a change; and those of people. */

vi.setConfig({ testTimeout: 300_000 });

const DAY_MS = 24 * 3_600_000;

let stage: TwoGateways;
let house: House;
let a: HouseServer;
let b: HouseServer;

beforeAll(async () => {
  stage = await TwoGateways.open();
  ({ house, a, b } = stage);
}, 240_000);
afterAll(() => stage.close());

const tunnel = (certificate: string, other?: string): string =>
  stage.tunnel(`{ certificate: "${certificate}" }`, other === undefined ? {} : { other });
const passes = (): Promise<boolean> => stage.passes();

async function certificates(): Promise<readonly Secret[]> {
  return (await house.operator.call("listSecrets", { answer: z.object({ items: z.array(secretSchema) }) })).items;
}

async function files({ machine }: HouseServer): Promise<readonly string[]> {
  const listed = await machine.must(["ls", "/var/lib/holdfast/secrets"]);
  return listed
    .split("\n")
    .filter((name) => name !== "")
    .map((name) => name.replace(/\.[0-9a-f]{16}$/, ""));
}

test("issued with the change, each end gets its own private key alone, and packets pass", async () => {
  await house.operator.apply("Connect the two", [...stage.servers(), tunnel("generated")]);
  await until("packets to pass", passes, TUNNEL_WITHIN_MS);
  expect(await files(a)).toEqual(["tunnel.pair--a.1"]);
  expect(await files(b)).toEqual(["tunnel.pair--b.1"]);
  expect(await b.machine.must(["swanctl", "--list-conns"])).toContain("public key authentication");
  const made = await certificates();
  expect(made.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
    "authority.tunnels generated",
    "tunnel.pair--a generated",
    "tunnel.pair--b generated",
  ]);
  for (const { name, versions } of made) {
    expect(versions[0]?.certificate).toMatchObject({ issuer: "CN=Holdfast tunnels 1", isChained: true });
    expect(versions[0]?.dueAt === null).toBe(name === "authority.tunnels");
  }
  // No private key is anywhere in what the control plane writes down.
  for (const { machine, name } of [a, b]) {
    const [file = ""] = (await machine.must(["ls", "/var/lib/holdfast/secrets"])).split("\n");
    const value = (await machine.must(["cat", `/var/lib/holdfast/secrets/${file}`])).trim().slice(36, 100);
    const [row] = await house.database.rows<{ text: string }>(
      sql`select (select string_agg(p::text, ' ') from plans p) || (select string_agg(t::text, ' ') from host_transactions t)
                 || (select string_agg(l::text, ' ') from audit_log l) || (select string_agg(v::text, ' ') from secret_versions v) as text`,
    );
    expect(row?.text).toContain("tunnel.pair--");
    expect([name, row?.text.includes(value), house.controlOutput().includes(value)]).toEqual([name, false, false]);
  }
});

test("renewed by a change at both ends, and only then are the keys of before gone", async () => {
  const made = await house.operator.call("rotateSecret", {
    params: { name: "tunnel.pair" },
    body: {},
    answer: changeDetailSchema,
  });
  const planned = await house.operator.call("planChange", {
    params: { id: made.id },
    body: { trial: {} },
    answer: changeDetailSchema,
  });
  const rollout = await house.operator.applyPlanned(planned);
  expect((await house.operator.waitRollout(rollout?.id ?? "")).state).toBe("DONE");
  await until("packets to pass", passes, TUNNEL_WITHIN_MS);
  expect([await files(a), await files(b)]).toEqual([["tunnel.pair--a.2"], ["tunnel.pair--b.2"]]);
  await b.machine.must(["systemctl", "restart", "strongswan.service"]);
  await until("packets to pass with what strongSwan has loaded by itself", passes, TUNNEL_WITHIN_MS, 500);
});

test("the authority is nobody's to write or delete, and a version that is not the next one is refused", async () => {
  const [authority] = await certificates();
  await expect(
    house.operator.call("deleteSecret", {
      params: { name: "authority.tunnels" },
      ifMatch: authority?.etag ?? "",
      answer: secretSchema,
    }),
  ).rejects.toThrow(/secret.generated/);
  await expect(house.operator.begin("Too far", [tunnel("generated@9")])).rejects.toThrow(/secret.not_next/);
});

test("what another administrator sent is looked at while planning: ended, of another name, no authority", async () => {
  const foreign = await tunnelAuthority();
  const wish = { tunnel: "pair", end: "b", server: "vpn.acme.example", version: 1 };
  const old = await madeEnd(foreign, wish, Date.now() - 400 * DAY_MS);
  const good = await madeEnd(foreign, wish);
  const pem = (body: string): string =>
    JSON.stringify(`-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`);
  const codes = async (identity: string, key: string, body: string): Promise<readonly string[]> => {
    const text = tunnel("generated@2", `external: true, identity: ${identity}, ${key}: ${pem(body)}`);
    const change = await house.operator.plan("Another end", [text]);
    return change.plans.flatMap(({ findings }) =>
      findings.flatMap(({ code }) => (code.startsWith("plan.certificate") ? [code] : [])),
    );
  };
  expect(await codes(wish.server, "certificate", good.issued.certificate)).toEqual([]);
  expect(await codes(wish.server, "certificate", old.issued.certificate)).toEqual(["plan.certificate_ended"]);
  expect(await codes("vpn.other.example", "certificate", good.issued.certificate)).toEqual([
    "plan.certificate_other_name",
  ]);
  expect(await codes(wish.server, "authority", good.issued.certificate)).toEqual(["plan.certificate_no_authority"]);
  expect(await codes(wish.server, "authority", foreign.certificate)).toEqual([]);
});

const INSIDE_A = "10.71.0.1";

const staff = (alice: string): string => `apiVersion: holdfast/v1
kind: Tunnel
name: staff
ends:
  a: { server: gw-a, address: ${a.address}, networks: 10.71.0.0/24 }
  people:
    address: dynamic
    networks: 10.99.0.0/24
    people:
      alice: { identity: alice@example.com, ${alice} }
via: policy
clearText: block
auth: { certificate: generated }
suite: strong-2026
lifetime: { ike: 12h, child: 1h }
dead: { after: 10s, then: clear }
traffic:
  default: drop
  rules:
    - { name: ping, allow: icmp/echo, from: end:people, to: end:a }
`;

test("a person: from the request that their device has made to packets through the tunnel, and out again when they are revoked", async () => {
  const device = await PersonDevice.switchOn(house, "192.0.2.60", "alice@example.com");
  const request = await device.makeRequest();
  const seen = await house.operator.call("lookAtPersonRequest", {
    body: { server: "gw-a", request },
    answer: seenRequestSchema,
  });
  expect(seen).toMatchObject({ says: { subject: "CN=alice@example.com", key: "EC P-384" }, flaw: null, holder: null });
  const issued = await house.operator.call("certifyPerson", {
    body: { server: "gw-a", tunnel: "staff", person: "alice", identity: "alice@example.com", request },
    answer: certifiedPersonSchema,
  });
  const certificate = `certificate: ${JSON.stringify(issued.pem)}`;
  await device.setUp({
    server: a.address,
    networks: "10.71.0.0/24",
    certificate: issued.pem,
    authority: issued.authorityPem,
  });
  // It is good and opens nothing: no document names it.
  expect(await device.call()).toMatchObject({ address: null });

  await house.operator.apply("Let alice in", [staff(certificate)]);
  const called = await device.call();
  expect(called.address, called.log).toBe("10.99.0.1");
  expect(await device.reaches(INSIDE_A, "10.99.0.1")).toBe(true);
  const sas = (): Promise<string> => a.machine.must(["swanctl", "--list-sas"]);
  expect(await sas()).toContain("holdfast-staff--alice");

  await house.operator.apply("Alice has left", [staff(`${certificate}, revoked: left`)]);
  expect(await sas()).not.toContain("holdfast-staff--alice");
  await until("the device to be told that it is over", async () => (await device.connections()) === "", 10_000);
  expect(await device.reaches(INSIDE_A, "10.99.0.1")).toBe(false);
  const refused = await device.call();
  expect(refused.address, refused.log).toBeNull();
  expect(refused.log).toContain("AUTHENTICATION_FAILED");
  // The two sites have noticed nothing.
  expect(await passes()).toBe(true);
});
