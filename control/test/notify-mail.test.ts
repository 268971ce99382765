/** Mail, handed to a real SMTP server on loopback. */
import { mailText, notification } from "@holdfast/core/alert/notification.ts";
import type { AlertId } from "@holdfast/core/base/id.ts";
import { type TestDatabase, withDatabase } from "@holdfast/testkit/database.ts";
import { type Letter, type MailRelay, type MailRelayOptions, withMailRelay } from "@holdfast/testkit/mail-relay.ts";
import { type StoredHouse, storedHouse } from "@holdfast/testkit/stored-house.ts";
import pino from "pino";
import { expect, test } from "vitest";
import type { Mailbox } from "../src/notify/channels.ts";
import { tell } from "../src/notify/tell.ts";
import { openAlert, resolveAlert } from "../src/store/alerts.ts";
import { listDeliveries } from "../src/store/deliveries.ts";

const PASSWORD = "correct horse battery staple";
const NEVER = new AbortController().signal;
const silent = pino({ level: "silent" });

const withRelay = (options: MailRelayOptions, body: (relay: MailRelay) => Promise<void>): Promise<void> =>
  withMailRelay(PASSWORD, options, body);

const mailbox = ({ port, authority }: MailRelay, over: Partial<Mailbox> = {}): Mailbox => ({
  name: "duty",
  kind: "mail",
  host: "localhost",
  port,
  tls: "starttls",
  authority,
  login: { user: "holdfast", password: PASSWORD },
  from: "holdfast@example.net",
  to: ["duty@example.net", "night@example.net"],
  least: "warning",
  ...over,
});

const tellOf = (one: TestDatabase, channel: Mailbox, withinMs = 10_000, signal = NEVER) =>
  tell({
    database: one.app,
    channel,
    console: "https://console.example",
    log: silent,
    signal,
    nowMs: () => 1_700_000_000_000,
    withinMs,
  });

const due = (one: TestDatabase) =>
  one.owner.run({ text: "update holdfast.deliveries set next_try_at = now()", values: [] });

async function deliveries(one: TestDatabase) {
  return (await listDeliveries(one.app, null, null, 100)).map(({ event, state, tries, last_status, last_error }) => ({
    event,
    state,
    tries,
    last_status,
    last_error,
  }));
}

async function open(house: StoredHouse): Promise<AlertId> {
  const condition = {
    kind: "drift",
    subject: "drift/house",
    serverId: null,
    applyId: null,
    message: "web-1 <is> & was",
  } as const;
  const row = await house.do((tx) => openAlert(tx, condition, house.by));
  return row?.id as AlertId;
}

const header = (letter: Letter | undefined, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)$`, "im").exec(letter?.text ?? "")?.[1]?.trim();

test("people get a letter for each event of an alert, encrypted, signed in, and as one thread", async () => {
  await withDatabase(async (one) => {
    const house = await storedHouse(one.app);
    await withRelay({}, async (relay) => {
      const id = await open(house);
      await tellOf(one, mailbox(relay));
      await tellOf(one, mailbox(relay));
      await house.do((tx) => resolveAlert(tx, id, house.by));
      await tellOf(one, mailbox(relay));
      expect(relay.letters).toHaveLength(2);
      const [opened, resolved] = relay.letters;
      expect(opened).toMatchObject({
        to: ["duty@example.net", "night@example.net"],
        isEncrypted: true,
        user: "holdfast",
      });
      expect(opened?.text).toContain("web-1 <is> & was");
      expect(opened?.text).toContain("https://console.example");
      expect(header(opened, "Auto-Submitted")).toBe("auto-generated");
      expect(header(resolved, "Subject")).toContain("Resolved:");
      expect(header(opened, "In-Reply-To")).toBe(header(resolved, "In-Reply-To"));
      expect(header(opened, "Message-ID")).not.toBe(header(resolved, "Message-ID"));
      expect(
        (await deliveries(one)).map(({ state, last_status, last_error }) => [state, last_status, last_error]),
      ).toEqual([
        ["delivered", 250, null],
        ["delivered", 250, null],
      ]);
    });
    // From the first byte as well, and without a login.
    await withRelay({ secure: true, authOptional: true }, async (relay) => {
      await tellOf(one, mailbox(relay, { name: "other", tls: "implicit", login: null }));
      expect(relay.letters).toMatchObject([]);
      await open(house);
      await tellOf(one, mailbox(relay, { name: "other", tls: "implicit", login: null }));
      expect(relay.letters).toMatchObject([{ isEncrypted: true, user: undefined }]);
    });
  });
});

test("a relay that offers no encryption, is somebody else, or knows another password is told nothing", async () => {
  await withDatabase(async (one) => {
    const house = await storedHouse(one.app);
    await open(house);
    const tried = async (options: MailRelayOptions, over: Partial<Mailbox>) => {
      await withRelay(options, async (relay) => {
        await due(one);
        await tellOf(one, mailbox(relay, over));
        expect(relay.letters).toEqual([]);
      });
      const [last] = await deliveries(one);
      expect(last?.state).toBe("waiting");
      expect(JSON.stringify(last)).not.toContain(PASSWORD);
      return [last?.last_status, last?.last_error];
    };
    expect(await tried({ hideSTARTTLS: true, disabledCommands: ["STARTTLS"] }, {})).toEqual([
      500,
      "it does not encrypt, which is asked of it (STARTTLS)",
    ]);
    const [status, error] = await tried({}, { authority: null });
    expect([status, String(error)]).toEqual([null, expect.stringMatching(/certificate/)]);
    expect(await tried({}, { host: "127.0.0.1" })).toEqual([null, expect.stringMatching(/IP|altnames/i)]);
    expect(await tried({}, { login: { user: "holdfast", password: "another" } })).toEqual([
      535,
      "it refused the login",
    ]);
    expect(await tried({}, { host: "169.254.169.254" })).toEqual([null, "169.254.169.254 is no address of a receiver"]);
    expect(await tried({}, { host: "no-such-host.invalid" })).toEqual([
      null,
      expect.stringMatching(/ENOTFOUND|EAI_AGAIN/),
    ]);
  });
});

test("what a relay takes for some of the people is delivered once, and who was refused is counted", async () => {
  await withDatabase(async (one) => {
    const house = await storedHouse(one.app);
    await open(house);
    const refuseNight: MailRelayOptions = {
      onRcptTo: ({ address }, _session, answer) =>
        answer(address === "night@example.net" ? Object.assign(new Error("gone"), { responseCode: 550 }) : null),
    };
    await withRelay(refuseNight, async (relay) => {
      await tellOf(one, mailbox(relay));
      await due(one);
      await tellOf(one, mailbox(relay));
      expect(relay.letters).toHaveLength(1);
      expect(await deliveries(one)).toEqual([
        {
          event: "opened",
          state: "delivered",
          tries: 1,
          last_status: 250,
          last_error: "1 of 2 addresses were refused",
        },
      ]);
    });
  });
});

test("a relay that hangs is tried again with the same letter, and waits for nobody when this instance stops", async () => {
  await withDatabase(async (one) => {
    const house = await storedHouse(one.app);
    await open(house);
    let connections = 0;
    await withRelay({ onConnect: () => void connections++ }, async (relay) => {
      await tellOf(one, mailbox(relay), 300);
      expect(await deliveries(one)).toMatchObject([
        { state: "waiting", tries: 1, last_status: null, last_error: "no answer in time" },
      ]);
      await due(one);
      const stopping = new AbortController();
      const telling = tellOf(one, mailbox(relay), 600_000, stopping.signal);
      await expect.poll(() => connections).toBe(2);
      stopping.abort();
      await telling;
      expect(await deliveries(one)).toMatchObject([{ state: "waiting" }]);
    });
    // Taken, but its answer is lost: the letter comes again under its own id.
    let answers = 0;
    const takes: string[] = [];
    const loseFirst: MailRelayOptions = {
      onData: (stream, _session, answer) => {
        let text = "";
        stream.on("data", (part: Buffer) => (text += part.toString("utf8")));
        stream.on("end", () => {
          takes.push(/^Message-ID: (.*)$/im.exec(text)?.[1] ?? "");
          if (answers++ > 0) answer();
        });
      },
    };
    await withRelay(loseFirst, async (relay) => {
      await due(one);
      await tellOf(one, mailbox(relay), 2_000);
      await due(one);
      await tellOf(one, mailbox(relay));
      expect(takes).toHaveLength(2);
      expect(new Set(takes).size).toBe(1);
      expect(await deliveries(one)).toMatchObject([{ state: "delivered" }]);
    });
  });
});

test("a name with line breaks adds no header to a letter", () => {
  const about = notification({
    event: "opened",
    alert: "a",
    kind: "drift",
    message: "m",
    subject: "house",
    server: "web\r\nBcc: everybody@example.net",
    applyId: null,
    action: null,
    at: "2026-01-01T00:00:00Z",
    by: null,
    reason: null,
    console: "c",
  });
  expect(mailText(about).subject).toMatch(/^\[Holdfast\] web Bcc: everybody@example\.net: /);
});
