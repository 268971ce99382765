import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

test("without an environment it listens on loopback, with its own database and with approval of keys", () => {
  const config = readConfig({});
  if (!config.ok) throw new Error(config.error.join());
  expect(config.value).toMatchObject({
    http: { kind: "tcp", host: "127.0.0.1", port: 7080 },
    agent: { port: 7081 },
    metrics: { host: "127.0.0.1", port: 7082 },
    database: { kind: "embedded" },
    enrolmentApproval: true,
    logLevel: "info",
  });
  expect(config.value.publicUrl.href).toBe("http://127.0.0.1:7080/");
});

test("every wrong setting is named with what was expected, and no password is repeated", () => {
  const config = readConfig({
    HOLDFAST_HTTP_PORT: "eighty",
    HOLDFAST_PUBLIC_URL: "ftp://x",
    HOLDFAST_ENROLMENT_APPROVAL: "no",
    DATABASE_URL: "mysql://holdfast:hunter2@db/holdfast",
  });
  if (config.ok) throw new Error("it was accepted");
  expect(config.error.map((line) => line.split(/[=:]/)[0])).toEqual([
    "HOLDFAST_HTTP_PORT",
    "HOLDFAST_PUBLIC_URL",
    "DATABASE_URL",
    "HOLDFAST_ENROLMENT_APPROVAL",
  ]);
  expect(config.error.join()).not.toContain("hunter2");
});

test("a unix socket takes the place of host and port", () => {
  const config = readConfig({ HOLDFAST_HTTP_SOCKET: "/run/holdfast/http.sock", HOLDFAST_HTTP_PORT: "1" });
  expect(config.ok && config.value.http).toEqual({ kind: "socket", path: "/run/holdfast/http.sock" });
});

test("traces go to an address over http, and what a collector asks for is never repeated", () => {
  const read = (url: string, authorization = "") =>
    readConfig({ HOLDFAST_TRACES_URL: url, HOLDFAST_TRACES_AUTHORIZATION: authorization });
  expect(read("https://collector.example/v1/traces", "Basic eDp5")).toMatchObject({
    ok: true,
    value: { traces: { url: new URL("https://collector.example/v1/traces"), authorization: "Basic eDp5" } },
  });
  expect(read("")).toMatchObject({ ok: true, value: { traces: null } });
  for (const wrong of [
    read("collector.example:4318"),
    read("file:///etc/passwd"),
    read("https://canary:canary@collector.example/"),
    read("https://collector.example/", "canary\r\nX-Other: 1"),
    read("", "canary"),
  ]) {
    expect(wrong.ok).toBe(false);
    expect(JSON.stringify(wrong)).not.toContain("canary");
  }
});
