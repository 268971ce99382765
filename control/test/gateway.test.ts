import { createHash, randomBytes } from "node:crypto";
import { createPublicKey, type KeyObject } from "node:crypto";
import { connect as tcpConnect } from "node:net";
import tls from "node:tls";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { ServerId } from "@holdfast/core/base/id.ts";
import { EnrolmentService, RenewalService } from "@holdfast/proto/gen/holdfast/v1/enrolment_pb.ts";
import { DomainStateSchema, HostService } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { AGENT_SESSION_ALPN, GRPC_ALPN } from "@holdfast/proto/wire/session.ts";
import { type AgentIdentity, SimulatedAgent } from "@holdfast/testkit/simulated-agent/agent.ts";
import { enrol, renew, withCalls } from "@holdfast/testkit/simulated-agent/enrolment.ts";
import { expect, test } from "vitest";
import { AGENT_CERTIFICATE_MS } from "../src/authority/certificate-authority.ts";
import { approveEnrolment } from "../src/gateway/enrolment.ts";
import { keySha256 } from "../src/gateway/peer.ts";
import { listAudit } from "../src/store/audit.ts";
import { insertEnrolmentToken, listKeys, revokeKeys } from "../src/store/enrolment.ts";
import { newId } from "../src/store/new-id.ts";
import { insertServer, unlock } from "../src/store/servers.ts";
import { freshKey, type Instance, type SagaHouse, withSagaHouse } from "./saga-house.ts";

async function token(
  house: SagaHouse,
  name: string,
  seconds = 3600,
): Promise<{ readonly server: ServerId; readonly token: string }> {
  const server: ServerId = newId();
  const secret = randomBytes(16).toString("hex");
  await house.do(async (tx) => {
    await insertServer(tx, server, name, house.by);
    await insertEnrolmentToken(
      tx,
      {
        id: newId(),
        serverId: server,
        secretSha256: createHash("sha256").update(secret).digest(),
        createdBy: house.author,
        seconds,
      },
      house.by,
    );
  });
  return { server, token: secret };
}

function to(house: SagaHouse, one: Instance) {
  return { port: one.gateway.port, caCertificate: house.authority.certificates.certificatePem };
}

function sha256Of(key: KeyObject): string {
  return keySha256(createPublicKey(key).export({ type: "spki", format: "der" }));
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "answered";
  } catch (error) {
    return Code[ConnectError.from(error).code];
  }
}

/** How a TLS connection with these properties ends, before anything is said. */
function handshake(port: number, options: tls.ConnectionOptions): Promise<"open" | "refused"> {
  return new Promise((resolve) => {
    const socket = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
    const settle = (how: "open" | "refused"): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(how);
    };
    const timer = setTimeout(() => settle("open"), 1_500);
    socket.on("error", () => settle("refused"));
    socket.on("close", () => settle("refused"));
  });
}

test("S1: without a certificate every method but Enroll is UNAUTHENTICATED, over the whole contract", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const reached: string[] = [];
    await withCalls(to(house, one), async (transport) => {
      for (const service of [EnrolmentService, RenewalService, HostService]) {
        for (const method of service.methods) {
          const client = createClient(service, transport) as Record<string, (request: object) => unknown>;
          const answer = client[method.localName]?.({});
          const call =
            method.methodKind === "server_streaming"
              ? (answer as AsyncIterable<unknown>)[Symbol.asyncIterator]().next()
              : (answer as Promise<unknown>);
          if ((await codeOf(call)) !== "Unauthenticated") reached.push(method.name);
        }
      }
    });
    expect(reached).toEqual(["Enroll"]);
  });
});

test("S8: TLS 1.3 only; a session needs our certificate; another protocol is closed", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { port } = one.gateway;
    expect(await handshake(port, { maxVersion: "TLSv1.2", ALPNProtocols: [GRPC_ALPN] })).toBe("refused");
    expect(await handshake(port, { ALPNProtocols: [AGENT_SESSION_ALPN] })).toBe("refused");
    expect(await handshake(port, { ALPNProtocols: ["http/1.1"] })).toBe("refused");
    expect(await handshake(port, { ALPNProtocols: [GRPC_ALPN] })).toBe("open");
    const plain = tcpConnect(port, "127.0.0.1");
    plain.write("GET / HTTP/1.1\r\n\r\n");
    await new Promise<void>((resolve) =>
      plain
        .on("close", () => resolve())
        .on("error", () => undefined)
        .resume(),
    );
  });
});

test("S2: a token is for one key, once, for an hour; the same key may ask again; approval comes first", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance(undefined, { approvalRequired: true });
    const given = await token(house, "web-1");
    const first = await enrol({ ...to(house, one), token: given.token });
    expect(first.answer).toMatchObject({
      serverId: given.server,
      serverName: "web-1",
      approvalPending: true,
      certificate: "",
    });
    expect(first.answer.fingerprint.replaceAll(" ", "")).toBe(sha256Of(first.tlsKey));
    expect(await codeOf(enrol({ ...to(house, one), token: given.token }))).toBe("PermissionDenied");
    const audit = await listAudit(house.database, { serverId: given.server, limit: 50 });
    expect(audit.map((entry) => entry.result_code)).toContain("enrolment.token_stolen");
    await house.do((tx) => approveEnrolment(tx, sha256Of(first.tlsKey), house.author, house.by));
    const second = await enrol({
      ...to(house, one),
      token: given.token,
      tlsKey: first.tlsKey,
      receiptKey: first.receiptKey,
    });
    expect(second.answer.certificate).toContain("BEGIN CERTIFICATE");
    expect(Number(second.answer.expiresAtMs)).toBeGreaterThan(Date.now() + AGENT_CERTIFICATE_MS - 60_000);
    const old = await token(house, "web-2", -1);
    expect(await codeOf(enrol({ ...to(house, one), token: old.token }))).toBe("Unauthenticated");
    expect(await codeOf(enrol({ ...to(house, one), token: "nonsense" }))).toBe("Unauthenticated");
  });
});

test("a proof by another key than the one sent is refused before the token is looked at", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const given = await token(house, "web-1");
    const code = await withCalls(to(house, one), (transport) =>
      codeOf(
        createClient(EnrolmentService, transport).enroll({
          token: given.token,
          tlsPublicKey: createPublicKey(freshKey()).export({ type: "spki", format: "der" }),
          receiptPublicKey: createPublicKey(freshKey()).export({ type: "spki", format: "der" }),
          proof: randomBytes(64),
        }),
      ),
    );
    expect(code).toBe("InvalidArgument");
    expect(await listKeys(house.database, given.server)).toEqual([]);
  });
});

test("S3: a certificate of our authority whose key is not bound to the server is refused", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server } = await house.agent("web-1", one);
    const key = freshKey();
    const issued = await house.authority.certificates.issueForAgent({
      serverId: server,
      publicKey: createPublicKey(key).export({ type: "spki", format: "der" }),
      nowMs: Date.now(),
    });
    const pem = key.export({ type: "pkcs8", format: "pem" });
    expect(
      await handshake(one.gateway.port, { ALPNProtocols: [AGENT_SESSION_ALPN], cert: issued.certificatePem, key: pem }),
    ).toBe("refused");
  });
});

test("S10: a renewed key takes over on its first connection, and only then is the old one refused", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    await expect.poll(() => one.sessions.of(server) !== undefined).toBe(true);
    const tlsKey = freshKey();
    const answer = await renew(one.gateway.port, agent.identity, tlsKey);
    // The answer was lost, say: the same question again is answered again, and the old key still works.
    expect((await renew(one.gateway.port, agent.identity, tlsKey)).certificate).toContain("BEGIN CERTIFICATE");
    const before = one.sessions.of(server)?.id;
    agent.cut();
    await expect.poll(() => [undefined, before].includes(one.sessions.of(server)?.id)).toBe(false);
    agent.stop();
    const renewed: AgentIdentity = { ...agent.identity, tlsKey, certificate: answer.certificate };
    const next = new SimulatedAgent({ port: one.gateway.port, identity: renewed });
    next.start();
    try {
      await expect.poll(() => one.sessions.of(server)?.keySha256, { timeout: 10_000 }).toBe(sha256Of(tlsKey));
      expect((await listKeys(house.database, server)).map((key) => key.state).toSorted()).toEqual([
        "active",
        "superseded",
      ]);
      expect(await codeOf(renew(one.gateway.port, agent.identity, freshKey()))).toBe("Unauthenticated");
    } finally {
      next.stop();
    }
  });
});

test("S10: every certificate is renewed in the middle of every apply of several servers, and no apply is lost", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const names = ["web-1", "web-2", "web-3"];
    const fleet = await Promise.all(names.map(async (name) => ({ name, ...(await house.agent(name, one)) })));
    for (const [round, moment] of (["prepare", "execute", "confirm"] as const).entries()) {
      await Promise.all(
        fleet.map(async ({ name, server, agent }) => {
          const keysBefore = (await listKeys(house.database, server)).length;
          const renewals: Promise<void>[] = [];
          const renewOnce = async (): Promise<void> => {
            const tlsKey = freshKey();
            const { certificate } = await renew(one.gateway.port, agent.identity, tlsKey);
            Object.assign(agent.identity, { tlsKey, certificate });
          };
          agent.onCall = (method) => {
            if (method === moment && renewals.length === 0) renewals.push(renewOnce());
            return renewals[0];
          };
          const apply = await house.apply(server, { policy: name, baseGeneration: round });
          expect(await house.ended(apply.id), moment).toMatchObject({ state: "APPLIED", code: null });
          expect(renewals).toHaveLength(1);
          await Promise.all(renewals);
          // Whatever comes now comes by the new key alone.
          agent.cut();
          await expect
            .poll(() => one.sessions.of(server)?.keySha256, { timeout: 10_000 })
            .toBe(sha256Of(agent.identity.tlsKey));
          const keys = await listKeys(house.database, server);
          expect(keys).toHaveLength(keysBefore + 1);
          expect(keys.filter(({ state }) => state === "active")).toHaveLength(1);
        }),
      );
    }
    await house.check();
  });
});

test("S11: a revoked key loses its open session and gets no new one", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server } = await house.agent("web-1", one);
    await expect.poll(() => one.sessions.of(server) !== undefined).toBe(true);
    await house.do((tx) => revokeKeys(tx, server, house.by));
    await one.gateway.sweep();
    expect(one.sessions.of(server)).toBeUndefined();
    await expect.poll(async () => (await house.readServer(server)).session_id).toBeNull();
  });
});

test("S6: one key alive on two machines shuts both out until a person has looked", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    await expect.poll(() => one.sessions.of(server) !== undefined).toBe(true);
    const clone = new SimulatedAgent({ port: one.gateway.port, identity: agent.identity });
    clone.start();
    try {
      await expect
        .poll(async () => (await house.readServer(server)).locked_code, { timeout: 10_000 })
        .toBe("server.key_in_two_places");
      await expect.poll(() => one.sessions.of(server)).toBeUndefined();
    } finally {
      clone.stop();
    }
    expect((await house.readServer(server)).locked_reason).toContain(agent.bootId);
    await house.do((tx) => unlock(tx, server, "the clone is off", house.by));
    await expect.poll(() => one.sessions.of(server)?.bootId, { timeout: 10_000 }).toBe(agent.bootId);
  });
});

test("S6 between two instances: the older session gives way, or both do", async () => {
  await withSagaHouse(async (house) => {
    const [one, two] = [await house.instance(), await house.instance()];
    const { server, agent } = await house.agent("web-1", one);
    await expect.poll(() => one.sessions.of(server) !== undefined).toBe(true);
    const clone = new SimulatedAgent({ port: two.gateway.port, identity: agent.identity });
    clone.start();
    try {
      await expect.poll(() => two.sessions.of(server) !== undefined, { timeout: 10_000 }).toBe(true);
      await one.gateway.sweep();
      expect((await house.readServer(server)).locked_code).toBe("server.key_in_two_places");
    } finally {
      clone.stop();
      agent.stop();
    }
  });
});

test("a reboot is no second machine: the old connection does not answer, and the new one takes its place", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    await expect.poll(() => one.sessions.of(server) !== undefined).toBe(true);
    const before = agent.bootId;
    agent.powerCut();
    await expect.poll(() => one.sessions.of(server)?.bootId, { timeout: 10_000 }).toBe(agent.bootId);
    expect(agent.bootId).not.toBe(before);
    expect((await house.readServer(server)).locked_code).toBeNull();
  });
});

test("drift is written down as the agent says it", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    agent.drifting = ["firewall"];
    agent.cut();
    await expect.poll(async () => (await house.readServer(server)).drift, { timeout: 10_000 }).toEqual(["firewall"]);
    agent.sayDrift("firewall", false);
    await expect.poll(async () => (await house.readServer(server)).drift, { timeout: 10_000 }).toEqual([]);
  });
});

test("what an agent says quickly stays as it said it last", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    const saidOnce = async () => {
      agent.sayDrift("system", true);
      return (await house.readServer(server)).drift;
    };
    await expect.poll(saidOnce, { timeout: 10_000 }).toContain("system");
    const lost = { lost: [{ path: "table", expected: "there", found: "gone" }], whenLost: "alarm" };
    for (let round = 0; round < 20; round++) {
      agent.sayFloor("firewall", lost);
      agent.sayDrift("network", true);
      agent.sayDrift("network", false);
      agent.sayFloor("firewall", {});
    }
    agent.sayFloor("vpn", lost);
    await expect.poll(async () => (await house.readServer(server)).floor, { timeout: 20_000 }).toHaveProperty("vpn");
    expect(await house.readServer(server)).toMatchObject({ drift: ["system"], floor: { vpn: lost } });
    expect((await house.readServer(server)).floor).not.toHaveProperty("firewall");
  });
});

test("what an agent said over an older session is not written over what it says now", async () => {
  await withSagaHouse(async (house) => {
    const [one, two] = [await house.instance(), await house.instance()];
    const { server, agent } = await house.agent("web-1", one);
    await expect.poll(() => one.sessions.of(server) !== undefined, { timeout: 10_000 }).toBe(true);
    const older = one.sessions.of(server);
    agent.port = two.gateway.port;
    agent.drifting = ["network"];
    agent.cut();
    await expect.poll(async () => (await house.readServer(server)).drift, { timeout: 10_000 }).toEqual(["network"]);
    if (older === undefined) throw new Error("there was no session");
    one.sessions.drifted(older, create(DomainStateSchema, { domain: "firewall", drift: true }));
    // Written after it, over the session of now.
    const saidAfter = async () => {
      agent.sayDrift("vpn", true);
      return (await house.readServer(server)).drift;
    };
    await expect.poll(saidAfter, { timeout: 10_000 }).toEqual(["network", "vpn"]);
  });
});

test("a lost floor is written down as the agent says it, cut to a length, and forgotten when it stands", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    const floor = async () => (await house.readServer(server)).floor;
    const lost = Array.from({ length: 50 }, () => ({ path: "x".repeat(9_000), expected: "there", found: "gone" }));
    // Said again until somebody watches.
    const afterSaying = async () => {
      agent.sayFloor("firewall", { lost, whenLost: "anything", repairs: [{ atMs: Number.NaN, lost: "table" }] });
      return floor();
    };
    await expect
      .poll(afterSaying, { timeout: 10_000 })
      .toMatchObject({ firewall: { whenLost: "alarm", gaveUp: false, repairs: [{ lost: "table", failure: "" }] } });
    const kept = (await floor()) as { firewall: { lost: readonly { path: string }[] } };
    expect(kept.firewall.lost).toHaveLength(10);
    expect(kept.firewall.lost[0]?.path).toHaveLength(500);
    agent.sayFloor("firewall", {});
    await expect.poll(floor, { timeout: 10_000 }).toEqual({});
  });
});
