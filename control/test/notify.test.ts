/** Channels, told over real sockets on loopback. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { chatText, notification } from "@holdfast/core/alert/notification.ts";
import type { AlertId } from "@holdfast/core/base/id.ts";
import { type TestDatabase, withDatabase } from "@holdfast/testkit/database.ts";
import { type StoredHouse, storedHouse } from "@holdfast/testkit/stored-house.ts";
import pino from "pino";
import { expect, test } from "vitest";
import { readConfig } from "../src/config.ts";
import { startControlPlane } from "../src/control-plane.ts";
import { AgentSessions } from "../src/gateway/agent-sessions.ts";
import { whyAddressRefused } from "../src/notify/address-guard.ts";
import type { Channel, Hook } from "../src/notify/channels.ts";
import { post, signatureOf } from "../src/notify/post.ts";
import { tell, TRIES_MOST } from "../src/notify/tell.ts";
import { notify } from "../src/reconcilers/notify.ts";
import { acknowledgeAlert, openAlert, resolveAlert } from "../src/store/alerts.ts";
import { listDeliveries } from "../src/store/deliveries.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const silent = pino({ level: "silent" });

interface Heard {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver that answers as it is told, one answer after the other, and the last for ever. */
async function withReceiver(
  answers: readonly ((response: ServerResponse) => void)[],
  body: (url: URL, heard: readonly Heard[]) => Promise<void>,
): Promise<void> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const answer = answers[Math.min(heard.length, answers.length - 1)];
      heard.push({ headers: request.headers, body: Buffer.concat(parts).toString("utf8") });
      answer?.(response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await body(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`), heard);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const says =
  (status: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, headers).end("what it says is nobody's business");
const hangs = (): void => undefined;

const webhook = (url: URL, over: Partial<Hook> = {}): Hook => ({
  name: "ops",
  kind: "webhook",
  url,
  secret: SECRET,
  least: "warning",
  ...over,
});

const NEVER = new AbortController().signal;

const tellOf = (one: TestDatabase, channel: Channel, withinMs = 5_000, signal = NEVER) =>
  tell({
    database: one.app,
    channel,
    console: "http://console",
    log: silent,
    signal,
    nowMs: () => 1_700_000_000_000,
    withinMs,
  });

const due = (one: TestDatabase) =>
  one.owner.run({ text: "update holdfast.deliveries set next_try_at = now()", values: [] });
const log = async (one: TestDatabase) =>
  (await listDeliveries(one.app, null, null, 100)).map(({ event, channel, state, tries, last_status, last_error }) => ({
    event,
    channel,
    state,
    tries,
    last_status,
    last_error,
  }));

async function open(house: StoredHouse, kind: "drift" | "audit-broken" = "drift"): Promise<AlertId> {
  const condition = { kind, subject: `${kind}/house`, serverId: null, applyId: null, message: "web-1 <is> & was" };
  const row = await house.do((tx) => openAlert(tx, condition, house.by));
  return row?.id as AlertId;
}

test("a webhook hears of an alert's whole life in order, once, and can check who says it", async () => {
  await withDatabase(async (one) => {
    const house = await storedHouse(one.app);
    await withReceiver([says(204)], async (url, heard) => {
      const id = await open(house);
      await tellOf(one, webhook(url));
      await tellOf(one, webhook(url));
      await house.do((tx) => acknowledgeAlert(tx, id, house.author, "looking", house.by));
      await house.do((tx) => resolveAlert(tx, id, house.by));
      await Promise.all([tellOf(one, webhook(url)), tellOf(one, webhook(url))]);
      const told = heard.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
      expect(told.map(({ event }) => event)).toEqual(["opened", "acknowledged", "resolved"]);
      expect(told[0]).toMatchObject({
        alert: id,
        kind: "drift",
        severity: "warning",
        message: "web-1 <is> & was",
        runbook: "docs/runbooks/drift.md",
        console: "http://console",
        by: null,
      });
      expect(told[1]).toMatchObject({ by: "author", reason: "looking" });
      for (const { headers, body } of heard) {
        const timestamp = String(headers["holdfast-timestamp"]);
        expect(headers["holdfast-signature"]).toBe(signatureOf(SECRET, timestamp, body));
        expect(headers["holdfast-signature"]).not.toBe(signatureOf(`${SECRET}x`, timestamp, body));
        expect(JSON.parse(body)).toMatchObject({ delivery: headers["holdfast-delivery"] });
      }
      expect((await log(one)).map(({ state, tries }) => [state, tries])).toEqual([
        ["delivered", 1],
        ["delivered", 1],
        ["delivered", 1],
      ]);
    });
  });
});

test("a receiver that refuses, hangs or redirects is tried again with the same message, and nothing overtakes", async () => {
  await withDatabase(async (one) => {
    const house = await storedHouse(one.app);
    const elsewhere = says(302, { location: "http://127.0.0.1:1/" });
    await withReceiver([says(500), hangs, elsewhere, says(200)], async (url, heard) => {
      const id = await open(house);
      await tellOf(one, webhook(url));
      await house.do((tx) => resolveAlert(tx, id, house.by));
      await tellOf(one, webhook(url)); // not due yet, and what came later waits behind it
      expect(heard).toHaveLength(1);
      expect(await log(one)).toContainEqual({
        event: "opened",
        channel: "ops",
        state: "waiting",
        tries: 1,
        last_status: 500,
        last_error: "it refused",
      });
      await due(one);
      await tellOf(one, webhook(url), 200);
      expect(await log(one)).toContainEqual(expect.objectContaining({ tries: 2, last_error: "no answer in time" }));
      await due(one);
      await tellOf(one, webhook(url));
      expect(await log(one)).toContainEqual(
        expect.objectContaining({ tries: 3, last_status: 302, last_error: "it redirects, which is not followed" }),
      );
      await due(one);
      await tellOf(one, webhook(url));
      expect(heard.map(({ body }) => (JSON.parse(body) as { event: string }).event)).toEqual([
        "opened",
        "opened",
        "opened",
        "opened",
        "resolved",
      ]);
      expect(new Set(heard.slice(0, 4).map(({ body }) => body)).size).toBe(1);
    });
  });
});

test("a receiver that is gone for a day is given up, and holds up no other", async () => {
  await withDatabase(async (one) => {
    const house = await storedHouse(one.app);
    await open(house);
    const gone = webhook(new URL("http://127.0.0.1:1/"), { name: "gone" });
    await withReceiver([says(200)], async (url, heard) => {
      await Promise.all([tellOf(one, gone), tellOf(one, webhook(url))]);
      expect(heard).toHaveLength(1);
    });
    await one.owner.run({
      text: "update holdfast.deliveries set tries = $1, next_try_at = now() where channel = 'gone'",
      values: [TRIES_MOST - 1],
    });
    await tellOf(one, gone);
    expect(await log(one)).toContainEqual(
      expect.objectContaining({ channel: "gone", state: "given_up", tries: TRIES_MOST, last_status: null }),
    );
  });
});

test("a receiver that hangs is asked once at a look, and waits for nobody when this instance stops", async () => {
  await withDatabase(async (one) => {
    const house = await storedHouse(one.app);
    await open(house);
    await open(house, "audit-broken");
    await withReceiver([hangs, hangs, says(200)], async (url, heard) => {
      await tellOf(one, webhook(url), 100);
      expect(heard).toHaveLength(1);
      await due(one);
      const stopping = new AbortController();
      const telling = tellOf(one, webhook(url), 600_000, stopping.signal);
      await expect.poll(() => heard.length).toBe(2);
      stopping.abort();
      await telling;
      expect((await log(one)).map(({ state }) => state)).toEqual(["waiting", "waiting"]);
      await due(one);
      await tellOf(one, webhook(url));
      // With the id that it had: whoever heard it before the end knows it.
      const ids = heard.map(({ headers }) => headers["holdfast-delivery"]);
      expect([ids.length, new Set(ids).size]).toEqual([4, 2]);
    });
  });
});

test("an alert's events are told in their order, whatever their ids say", async () => {
  await withDatabase(async (one) => {
    const house = await storedHouse(one.app);
    const id = await open(house);
    await withReceiver([says(500), says(200)], async (url, heard) => {
      await tellOf(one, webhook(url));
      await house.do((tx) => acknowledgeAlert(tx, id, house.author, "looking", house.by));
      await house.do((tx) => resolveAlert(tx, id, house.by));
      await tellOf(one, webhook(url));
      // As if instances whose clocks differ had written them down.
      const order = ["resolved", "acknowledged", "opened"];
      for (const [index, event] of order.entries())
        await one.owner.run({
          text: "update holdfast.deliveries set id = $1, next_try_at = now() - make_interval(secs => $2) where event = $3",
          values: [`00000000-0000-7000-8000-00000000000${index}`, 10 - index, event],
        });
      await tellOf(one, webhook(url));
      expect(heard.map(({ body }) => (JSON.parse(body) as { event: string }).event)).toEqual([
        "opened",
        "opened",
        "acknowledged",
        "resolved",
      ]);
    });
  });
});

test("a chat room gets one text without a signature, and only what is critical where it asks for that", async () => {
  await withDatabase(async (one) => {
    const house = await storedHouse(one.app);
    await open(house);
    await open(house, "audit-broken");
    await withReceiver([says(200)], async (url, heard) => {
      await tellOf(one, { name: "chat", kind: "slack", url, secret: null, least: "critical" });
      expect(heard).toHaveLength(1);
      const { text } = JSON.parse(heard[0]?.body ?? "") as { text: string };
      expect(text).toContain("*The audit log is not what was written* (critical)");
      expect(text).toContain("web-1 &lt;is&gt; &amp; was");
      expect(heard[0]?.headers["holdfast-signature"]).toBeUndefined();
    });
  });
});

test("metadata services and other places where no receiver stands are refused, by address and by name", async () => {
  for (const address of [
    "169.254.169.254",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "[fe80::1]",
    "[::]",
    "[fd00:ec2::254]",
    "0.1.2.3",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[::169.254.169.254]",
  ])
    expect(whyAddressRefused(address), address).not.toBeNull();
  for (const address of [
    "127.0.0.1",
    "10.1.2.3",
    "100.64.1.2",
    "192.0.2.1",
    "[::1]",
    "[::ffff:10.1.2.3]",
    "[2001:db8::1]",
    "hooks.example",
  ])
    expect(whyAddressRefused(address), address).toBeNull();
  const about = notification({
    event: "opened",
    alert: "a",
    kind: "drift",
    message: "<!channel>",
    subject: "house",
    server: null,
    applyId: null,
    action: null,
    at: "2026-01-01T00:00:00Z",
    by: null,
    reason: null,
    console: "c",
  });
  expect(chatText(about)).not.toContain("<!channel>");
  // An address that is written otherwise is the same address: the parser of addresses has made it one before it is judged.
  const hidden = webhook(new URL("http://0xa9fea9fe/latest"));
  expect(whyAddressRefused(hidden.url.hostname)).not.toBeNull();
  const mapped = webhook(new URL("http://[::ffff:169.254.169.254]/"));
  expect(whyAddressRefused(mapped.url.hostname)).not.toBeNull();
  expect(await post(webhook(new URL("http://no-such-host.invalid/")), "d", about, 0, NEVER)).toMatchObject({
    ok: false,
    status: null,
  });
});

test("a control plane with a file that is wrong does not start, and opens nothing before it says so", async () => {
  const config = readConfig({ HOLDFAST_NOTIFY_FILE: "/nowhere/notify.json", HOLDFAST_DATA_DIR: "/nowhere/data" });
  if (!config.ok) throw new Error(config.error.join());
  expect(await startControlPlane(config.value, silent)).toMatchObject({ ok: false, error: { code: "notify.invalid" } });
});

test("an instance that was given channels tells them by itself", async () => {
  await withDatabase(async (one) => {
    const house = await storedHouse(one.app);
    await withReceiver([says(200)], async (url, heard) => {
      await open(house);
      const context = { database: one.app, instanceId: house.instance, sessions: new AgentSessions(), log: silent };
      await notify(webhook(url), "http://console").run({ ...context, signal: NEVER });
      expect(heard).toHaveLength(1);
    });
  });
});
