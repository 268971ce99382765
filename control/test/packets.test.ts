import type { Permission } from "@holdfast/core/api/account.ts";
/** Packets of a server, from the agent to whoever looks: who may, what they see, what is written down, and what a bad agent or client can do. */
import { PACKET_EVENTS } from "@holdfast/core/api/packet-log.ts";
import type { SimulatedAgent } from "@holdfast/testkit/simulated-agent/agent.ts";
import { expect, test } from "vitest";
import type { z } from "zod";
import { sql } from "../src/store/sql.ts";
import { bodyOf, planned, policy } from "./api-changes.ts";
import { type ApiHouse, withApi } from "./api-house.ts";

const PATIENT = 120_000;
const OPERATOR: readonly Permission[] = ["view", "edit", "apply", "admin", "audit"];

type Packets = z.infer<typeof PACKET_EVENTS.packets>;

interface Heard {
  readonly event: string;
  readonly data: unknown;
}

/** A client of the stream as a browser is one. */
class Listener {
  readonly #stop = new AbortController();
  readonly heard: Heard[] = [];
  status = 0;
  ended = false;

  async open(url: string, token: string, isReading = true): Promise<Response> {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal: this.#stop.signal });
    this.status = response.status;
    if (response.ok && isReading) void this.#read(response).catch(() => undefined);
    return response;
  }

  get packets(): readonly Packets["packets"][number][] {
    return this.heard
      .filter(({ event }) => event === "packets")
      .flatMap(({ data }) => PACKET_EVENTS.packets.parse(data).packets);
  }

  leave(): void {
    this.#stop.abort();
  }

  async #read(response: Response): Promise<void> {
    let text = "";
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += part;
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const one of events) {
        const [, event = "", data = ""] = /^event: (\w+)\ndata: (.*)$/.exec(one) ?? [];
        this.heard.push({ event, data: JSON.parse(data === "" ? "null" : data) });
      }
    }
    this.ended = true;
  }
}

const ONE = {
  atMs: 1_700_000_000_000,
  direction: "inbound",
  outcome: "dropped",
  rule: "default",
  inInterface: "eth0",
  protocol: "tcp",
  source: "203.0.113.9",
  destination: "192.0.2.10",
  sourcePort: 40_000,
  destinationPort: 8080,
};

/** An agent that has these to tell, numbered from one; `asked` counts the questions. */
function telling(agent: SimulatedAgent, packets: readonly object[]): { asked: number } {
  const counted = { asked: 0 };
  agent.onReadPackets = ({ watchId, after }) => {
    counted.asked += 1;
    const from = watchId === "w" ? Number(after) : 0;
    return { watchId: "w", packets: packets.map((packet, at) => ({ ...packet, number: BigInt(at + 1) })).slice(from) };
  };
  return counted;
}

async function withWatched(
  body: (api: ApiHouse, agent: SimulatedAgent, url: string, operator: string) => Promise<void>,
): Promise<void> {
  await withApi(async (api) => {
    const operator = await api.account("olga", OPERATOR);
    const agent = await api.server(operator, "web-1", { role: "web" });
    const address = await api.app.listen({ host: "127.0.0.1", port: 0 });
    await body(api, agent, `${address}/api/v1/servers/web-1/packets`, operator);
  });
}

async function audited(api: ApiHouse): Promise<readonly unknown[]> {
  return api.test.app.rows(
    sql`select action, result_code, new from audit_log where action like 'server.packets%' order by id`,
  );
}

test(
  "packets come with the rule's own policy and reason; who looked and for how long is written down",
  () =>
    withWatched(async (api, agent, url, operator) => {
      const text = policy("web", 443).replace("from: any }", 'from: any, why: "the shop, ticket 7" }');
      const change = await planned(api, operator, [text]);
      const { id } = await api.done(operator, "applyChange", { params: { id: change.id }, body: bodyOf(change) });
      await api.until(
        async () => ((await api.done(operator, "getRollout", { params: { id } })).state === "DONE" ? true : undefined),
        "the rollout",
      );
      telling(agent, [ONE, { ...ONE, outcome: "allowed", rule: "web-open", destinationPort: 443 }]);
      const watcher = await api.account("wanda", ["watch"]);
      const listener = new Listener();
      expect((await listener.open(url, watcher)).headers.get("content-type")).toContain("text/event-stream");
      await expect.poll(() => listener.packets.length, { timeout: 10_000 }).toBe(2);
      expect(listener.packets).toMatchObject([
        { number: 1, rule: "default", destinationPort: 8080, from: { document: "Policy/web", revision: 1 }, why: null },
        {
          number: 2,
          rule: "web-open",
          from: { document: "Policy/web", revision: 1, layer: "role" },
          why: "the shop, ticket 7",
        },
      ]);
      expect(await audited(api)).toEqual([{ action: "server.packets_watched", result_code: "ok", new: null }]);
      listener.leave();
      await expect
        .poll(() => audited(api), { timeout: 10_000 })
        .toEqual([
          { action: "server.packets_watched", result_code: "ok", new: null },
          {
            action: "server.packets_watch_ended",
            result_code: "ok",
            new: { seconds: expect.any(Number) as number, packets: 2 },
          },
        ]);
      const found = (await api.done(operator, "listAudit", { query: { action: "server.packets" } })).items;
      expect(found.map(({ actor, server }) => [actor, server])).toEqual([
        ["wanda", "web-1"],
        ["wanda", "web-1"],
      ]);
    }),
  PATIENT,
);

test(
  "only whoever holds watch on this server's firewall looks; view, apply and admin do not give it",
  () =>
    withWatched(async (api, agent, url, operator) => {
      telling(agent, [ONE]);
      const may = async (token: string): Promise<number> => {
        const listener = new Listener();
        await listener.open(url, token);
        listener.leave();
        return listener.status;
      };
      const on = (scope: Record<string, string>, domains: string[] | null = null) => [
        { permission: "view" as const, scope: { all: true as const }, domains: null },
        { permission: "watch" as const, scope, domains },
      ];
      expect(await may(operator)).toBe(403);
      expect(await may(await api.account("a", on({ role: "db" })))).toBe(403);
      expect(await may(await api.account("b", [{ permission: "watch", scope: { role: "db" }, domains: null }]))).toBe(
        404,
      );
      expect(await may(await api.account("c", on({ role: "web" }, ["system"])))).toBe(403);
      expect(await may(await api.account("d", on({ role: "web" }, ["firewall"])))).toBe(200);
    }),
  PATIENT,
);

test(
  "why a server cannot show packets is said before the stream begins, and written down",
  () =>
    withWatched(async (api, agent, url) => {
      const watcher = await api.account("wanda", ["watch"]);
      const refusal = async (): Promise<unknown> => (await new Listener().open(url, watcher)).json();
      expect(await refusal()).toMatchObject({ status: 409, code: "packets.unsupported" });
      agent.onReadPackets = () => ({ refusedCode: "packets.no_firewall", refusedMessage: "nothing" });
      expect(await refusal()).toMatchObject({ status: 409, code: "packets.no_firewall" });
      agent.onReadPackets = () => ({ refusedCode: "<script>", refusedMessage: "x".repeat(100_000) });
      const long = (await refusal()) as { code: string; detail: string };
      expect(long.code).toBe("packets.unavailable");
      expect(long.detail.length).toBeLessThan(400);
      agent.stop();
      // Until the database has heard that the session ended, another instance might hold it.
      await expect.poll(refusal, { timeout: 40_000 }).toMatchObject({ status: 503, code: "server.unreachable" });
      const codes = (await audited(api)) as readonly { result_code: string }[];
      expect(new Set(codes.map(({ result_code }) => result_code))).toEqual(
        new Set(["packets.unsupported", "packets.no_firewall", "packets.unavailable", "server.unreachable"]),
      );
    }),
  PATIENT,
);

test(
  "an agent that lies ends no stream, forges no event and fills no page",
  () =>
    withWatched(async (api, agent, url) => {
      telling(agent, [
        {
          ...ONE,
          direction: "sideways",
          outcome: "<b>",
          rule: "x\n\nevent: ended\ndata: {}\n\n",
          source: "y".repeat(1_000_000),
          atMs: Number.NaN,
        },
        { ...ONE, atMs: 1e300, destinationPort: 4_000_000_000 },
      ]);
      const listener = new Listener();
      await listener.open(url, await api.account("wanda", ["watch"]));
      await expect.poll(() => listener.packets.length, { timeout: 10_000 }).toBe(2);
      expect(listener.heard.every(({ event }) => event === "packets")).toBe(true);
      expect(listener.packets[0]?.source).toHaveLength(300);
      expect(listener.packets[0]?.rule, "nor a second line for who prints it").not.toContain("\n");
      listener.leave();
    }),
  PATIENT,
);

test(
  "a server that goes away is said so once, and the stream goes on when it is back",
  () =>
    withWatched(async (api, agent, url) => {
      telling(agent, [ONE]);
      const listener = new Listener();
      await listener.open(url, await api.account("wanda", ["watch"]));
      await expect.poll(() => listener.packets.length, { timeout: 10_000 }).toBe(1);
      agent.stop();
      await expect
        .poll(() => listener.heard.filter(({ event }) => event === "lost").length, { timeout: 15_000 })
        .toBe(1);
      agent.start();
      telling(agent, [ONE, { ...ONE, destinationPort: 9090 }]);
      await expect
        .poll(() => listener.packets.map(({ destinationPort }) => destinationPort), { timeout: 20_000 })
        .toContain(9090);
      expect(listener.heard.filter(({ event }) => event === "lost")).toHaveLength(1);
      listener.leave();
    }),
  PATIENT,
);

test(
  "a stream ends with the permission, and nobody has more than a few",
  () =>
    withWatched(async (api, agent, url) => {
      const counted = telling(agent, [ONE]);
      const watcher = await api.account("wanda", ["watch"]);
      const listeners = [];
      for (let at = 0; at < 4; at++) {
        const listener = new Listener();
        await listener.open(url, watcher);
        listeners.push(listener);
      }
      expect(await (await new Listener().open(url, watcher)).json()).toMatchObject({
        status: 429,
        code: "packets.too_many",
      });
      await api.test.owner.run(sql`delete from grants where permission = 'watch'`);
      for (const listener of listeners) await expect.poll(() => listener.ended, { timeout: 20_000 }).toBe(true);
      expect(listeners[0]?.heard.at(-1)).toMatchObject({ event: "ended", data: { code: "access.credential_invalid" } });
      const { asked } = counted;
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      expect(counted.asked, "nobody looks, so nobody asks").toBe(asked);
    }),
  PATIENT,
);

test(
  "for a client that takes nothing the server is asked nothing more",
  () =>
    withWatched(async (api, agent, url) => {
      let asked = 0;
      agent.onReadPackets = () => {
        asked += 1;
        return {
          watchId: "w",
          packets: Array.from({ length: 500 }, (_, at) => ({
            ...ONE,
            number: BigInt(asked * 500 + at),
            rule: "r".repeat(5_000),
          })),
        };
      };
      const listener = new Listener();
      await listener.open(url, await api.account("wanda", ["watch"]), false);
      let before = -1;
      // The wire's own buffers hold some megabytes before anybody waits.
      await expect
        .poll(
          () => {
            const still = asked === before;
            before = asked;
            return still;
          },
          { timeout: 60_000, interval: 4_000 },
        )
        .toBe(true);
      listener.leave();
    }),
  PATIENT,
);
