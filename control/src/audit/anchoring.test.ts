import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ServerId } from "@holdfast/core/base/id.ts";
import { type KeepAuditHeadResponse, KeepAuditHeadResponseSchema } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { type StoredHouse, storedHouse } from "@holdfast/testkit/stored-house.ts";
import pino from "pino";
import { expect, test } from "vitest";
import type { AgentSession } from "../gateway/agent-session.ts";
import { sql } from "../store/sql.ts";
import { type Anchoring, anchoring } from "./anchoring.ts";
import { headSigner } from "./checkpoint.ts";
import type { AuditWitness } from "./witness.ts";

const signer = headSigner(randomBytes(32));

/** A witness that has seen the log whole, with this many entries. */
function seeing(entries: number): AuditWitness {
  const verdict = {
    entries,
    head: "a".repeat(64),
    anchors: 0,
    newestAnchor: null,
    epoch: 1,
    intact: true as const,
  };
  return { signer, verify: async () => verdict, checkpoint: async () => verdict, last: () => verdict };
}

interface Asked {
  readonly session: AgentSession;
  readonly sent: (number | null)[];
}

function connected(serverId: ServerId, answer: () => KeepAuditHeadResponse, more: Partial<AgentSession> = {}): Asked {
  const sent: (number | null)[] = [];
  const keepAuditHead = async (request: { readonly head?: { readonly entries: bigint } }) => {
    sent.push(request.head === undefined ? null : Number(request.head.entries));
    return answer();
  };
  const session = {
    serverId,
    serverName: "web-1",
    remoteAddress: "192.0.2.1",
    keepsAuditHeads: true,
    isClosed: () => false,
    client: { keepAuditHead },
    ...more,
  } as unknown as AgentSession;
  return { session, sent };
}

const nothingKept = (): KeepAuditHeadResponse => create(KeepAuditHeadResponseSchema, {});

async function withAnchoring(
  entries: number,
  body: (house: StoredHouse, server: ServerId, anchors: Anchoring) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    const log = pino({ level: "silent" });
    const { instance: instanceId } = house;
    const witness = seeing(entries);
    await body(house, server, anchoring({ database: app, witness, instanceId, nowMs: () => Date.now(), log }));
  });
}

const standings = ({ database }: StoredHouse) =>
  database.rows<{ standing: string }>(sql`select standing from audit_standings`);

test("a server in the middle of an apply is left alone", async () => {
  await withAnchoring(7, async (house, server, anchors) => {
    const { session, sent } = connected(server, nothingKept);
    await house.applying(server);
    await anchors.look([session]);
    expect(sent).toEqual([]);
    expect(await standings(house)).toEqual([]);
  });
});

test("first it is asked what it keeps, then it is handed more; a closed session is passed over", async () => {
  await withAnchoring(7, async (house, server, anchors) => {
    const { session, sent } = connected(server, nothingKept);
    await anchors.look([session, connected(server, nothingKept, { isClosed: () => true }).session]);
    expect(sent).toEqual([null, 7]);
    expect(await standings(house)).toEqual([{ standing: "none" }]);
  });
});

test("a log of nothing, or one that is broken, is handed to nobody", async () => {
  await withAnchoring(0, async (_house, server, anchors) => {
    const { session, sent } = connected(server, nothingKept);
    await anchors.look([session]);
    expect(sent).toEqual([null]);
  });
});

test("an agent from before is not asked; one that does not answer is asked again and holds up nobody", async () => {
  await withAnchoring(7, async (house, server, anchors) => {
    const old = connected(server, nothingKept, { keepsAuditHeads: false });
    await anchors.look([old.session]);
    expect(old.sent).toEqual([]);
    expect(await standings(house)).toEqual([{ standing: "unsupported" }]);

    const other = await house.server("web-2");
    const silent = connected(other, () => {
      throw new ConnectError("cut", Code.Unavailable);
    });
    const good = connected(server, nothingKept);
    await anchors.look([silent.session, good.session]);
    expect(silent.sent).toEqual([null]);
    expect(good.sent).toEqual([null, 7]);
    expect(await standings(house)).toEqual([{ standing: "none" }]);
    await anchors.look([silent.session]);
    expect(silent.sent).toEqual([null, null]);
  });
});
