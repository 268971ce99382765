import { Agent, request } from "node:http";
import type { AddressInfo } from "node:net";
import { floorText } from "@holdfast/testkit/house/documents.ts";
import { expect, test, vi } from "vitest";
import { json, sql } from "../src/store/sql.ts";
import { bodyOf, planned, policy } from "./api-changes.ts";
import { type ApiHouse, EVERYTHING, withApi } from "./api-house.ts";

vi.setConfig({ testTimeout: 60_000 });

/** A client with one connection that it keeps, as a browser does. */
class KeptConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;
  readonly #token: string;

  constructor(port: number, token: string) {
    this.#port = port;
    this.#token = token;
  }

  send(method: "GET" | "POST", path: string): Promise<{ status: number; code: string; connection: string }> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          agent: this.#agent,
          port: this.#port,
          host: "127.0.0.1",
          method,
          path: `/api/v1${path}`,
          headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
        },
        (answer) => {
          let text = "";
          answer.setEncoding("utf8");
          answer.on("data", (piece: string) => (text += piece));
          answer.on("end", () => {
            const { code = "" } = JSON.parse(text) as { code?: string };
            resolve({ status: answer.statusCode ?? 0, code, connection: answer.headers.connection ?? "" });
          });
        },
      );
      sent.on("error", reject);
      sent.end(method === "POST" ? "{}" : undefined);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function waitingForPerson(api: ApiHouse, kim: string, title: string, port: number): Promise<string> {
  const floor = floorText({ reconnect: 10, soak: 1, window: 60, confirm: "person" });
  const asked = await planned(api, kim, [floor, policy("web", port)], title);
  await api.done(kim, "applyChange", { params: { id: asked.id }, body: bodyOf(asked) });
  return api.until(async () => {
    const [apply] = (await api.done(kim, "getChange", { params: { id: asked.id } })).applies;
    if (apply?.phase !== "on_trial" || apply.waitingFor?.includes("a person") !== true) return undefined;
    const back = sql`select from host_transactions where apply_id = ${apply.id} and fresh_since is not null`;
    return (await api.test.app.maybe(back)) === undefined ? undefined : apply.id;
  }, "the server to be back and the trial to wait for a person");
}

test("S17: a person confirms over a connection that was made after the change; an older one is refused and closed", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "web-1", { role: "web" });
    const plan = agent.onPlan;
    agent.onPlan = (request) => ({ ...plan(request), touchesManagementPath: true });
    await api.app.listen({ host: "127.0.0.1", port: 0 });
    const client = new KeptConnection((api.app.server.address() as AddressInfo).port, kim);
    try {
      expect(await client.send("GET", "/me")).toMatchObject({ status: 200 });
      const id = await waitingForPerson(api, kim, "over an old connection", 443);
      const old = await client.send("POST", `/applies/${id}/confirm`);
      expect(old).toEqual({ status: 409, code: "apply.connection_too_old", connection: "close" });
      expect((await api.done(kim, "getApply", { params: { id } })).phase).toBe("on_trial");
      const again = await client.send("POST", `/applies/${id}/confirm`);
      expect(again, JSON.stringify(again)).toMatchObject({ status: 202 });
      const end = await api.until(async () => {
        const apply = await api.done(kim, "getApply", { params: { id } });
        return apply.state === "APPLYING" ? undefined : apply;
      }, "the end");
      expect(end).toMatchObject({ state: "APPLIED", message: null });
    } finally {
      client.close();
    }
  });
});

test("a confirmation from the server that is on trial proves nothing and is refused", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "web-1", { role: "web" });
    const plan = agent.onPlan;
    agent.onPlan = (request) => ({ ...plan(request), touchesManagementPath: true });
    const id = await waitingForPerson(api, kim, "from inside", 443);
    const facts = { interfaces: [{ name: "eth0", addresses: ["192.0.2.7/24"] }] };
    await api.test.owner.rows(sql`update servers set facts = ${json(facts)} where name = 'web-1'`);
    const confirm = (remoteAddress: string) =>
      api.app.inject({
        method: "POST",
        url: `/api/v1/applies/${id}/confirm`,
        headers: { authorization: `Bearer ${kim}` },
        payload: {},
        remoteAddress,
      });
    const inside = await confirm("192.0.2.7");
    expect(inside.statusCode).toBe(409);
    expect(inside.json()).toMatchObject({ code: "apply.confirmed_from_inside" });
    expect((await confirm("192.0.2.8")).statusCode).toBe(202);
  });
});
