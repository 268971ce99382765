import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readChannels, whyFileRefused } from "./channels.ts";

const SECRET = "0123456789abcdef0123456789abcdef";

test("the file of channels is refused with everything that is wrong in it, and without what is secret", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-notify-"));
  try {
    const at = (name: string): string => join(folder, name);
    await writeFile(at("secret"), `${SECRET}\n`, { mode: 0o600 });
    await writeFile(at("short"), "short", { mode: 0o600 });
    await writeFile(at("room"), "https://hooks.chat.example/T0/B0/very-secret", { mode: 0o600 });
    await writeFile(at("bad-room"), "ftp://hooks.chat.example/very-secret", { mode: 0o600 });
    const file = async (value: unknown) => {
      await writeFile(at("notify.json"), JSON.stringify(value), { mode: 0o600 });
      return readChannels(at("notify.json"));
    };
    expect(readChannels(null)).toEqual({ ok: true, value: [] });
    expect(readChannels(at("nowhere"))).toMatchObject({ ok: false });
    expect(await file({ channels: [{ kind: "pigeon" }] })).toMatchObject({ ok: false });
    const hook = { kind: "webhook", name: "ops", url: "https://ops.example/hook", secretFile: at("secret") };
    expect(
      await file({ channels: [hook, { kind: "slack", name: "chat", urlFile: at("room"), least: "critical" }] }),
    ).toMatchObject({
      ok: true,
      value: [
        { name: "ops", secret: SECRET, least: "warning" },
        { name: "chat", secret: null, least: "critical" },
      ],
    });
    const wrong = await file({
      channels: [
        { ...hook, secretFile: at("short") },
        { ...hook, name: "meta", url: "http://169.254.169.254/latest" },
        { kind: "slack", name: "chat", urlFile: at("bad-room") },
        { ...hook, name: "twice" },
        { ...hook, name: "twice" },
      ],
    });
    expect(wrong.ok ? [] : wrong.error).toEqual([
      "ops: the secret has less than 32 characters",
      "meta: 169.254.169.254 is no address of a receiver",
      "chat: expected an https or http address without user and password",
      "twice: two channels have this name",
    ]);
    const relay = {
      kind: "mail",
      name: "duty",
      host: "mail.example",
      port: 587,
      from: "holdfast@example.net",
      to: ["duty@example.net"],
    };
    expect(
      await file({ channels: [{ ...relay, user: "holdfast", passwordFile: at("secret"), least: "critical" }] }),
    ).toEqual({
      ok: true,
      value: [
        {
          ...relay,
          tls: "starttls",
          authority: null,
          login: { user: "holdfast", password: SECRET },
          least: "critical",
        },
      ],
    });
    expect(await file({ channels: [{ ...relay, host: "localhost", tls: "none" }] })).toMatchObject({ ok: true });
    const crooked = await file({
      channels: [
        { ...relay, tls: "none" },
        { ...relay, name: "meta", host: "169.254.169.254" },
        { ...relay, name: "half", user: "holdfast" },
        { ...relay, name: "trusting", caFile: at("secret") },
      ],
    });
    expect(crooked.ok ? [] : crooked.error).toEqual([
      "duty: without TLS mail is handed only to a relay on this machine (localhost, 127.0.0.1 or ::1)",
      "meta: 169.254.169.254 is no address of a receiver",
      "half: user and passwordFile belong together",
      expect.stringMatching(/^trusting: .*secret is no certificate: /),
    ]);
    for (const to of ['"a b"@example.net', "Duty <duty@example.net>", "duty@example.net\nBcc: x@example.net", "duty"])
      expect((await file({ channels: [{ ...relay, to: [to] }] })).ok, to).toBe(false);
    // What others can read, or write, is neither a secret nor this machine's word.
    await chmod(at("secret"), 0o604);
    const readable = await file({ channels: [hook] });
    expect(readable.ok ? [] : readable.error[0]).toMatch(
      /^ops: .*secret is open to others \(mode 604, expected 6[04]0\)/,
    );
    await chmod(at("notify.json"), 0o622);
    expect(readChannels(at("notify.json"))).toMatchObject({ ok: false });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a file of channels is root's or our own; root gives it to a service by the group", () => {
  const OURS = 1_000;
  for (const [uid, mode, isFine] of [
    [0, 0o600, true],
    [0, 0o640, true],
    [0, 0o440, true],
    [0, 0o660, false],
    [0, 0o644, false],
    [OURS, 0o600, true],
    [OURS, 0o640, false],
    [2_000, 0o600, false],
  ] as const)
    expect(whyFileRefused({ uid, mode: mode | 0o100000 }, OURS) === null, `${uid} ${mode.toString(8)}`).toBe(isFine);
});
