/** The way from journald to OpenObserve, as far as it can be gone without either: Vector's own language, its own tests, and what the sink sends. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { LOG_FIELDS } from "@holdfast/core/log/fields.ts";
import { LOG_LINE } from "@holdfast/core/log/line.ts";
import { OpenObserve, type OpenObserveAnswer } from "@holdfast/testkit/collector/openobserve.ts";
import { diagnosticsOf, HOLDFAST_VRL, remap, whyNot } from "@holdfast/testkit/vector/vrl.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";

const HERE = import.meta.dirname;

interface VectorConfig {
  readonly sources: {
    readonly holdfast_journal: { readonly include_matches: { readonly SYSLOG_IDENTIFIER: readonly string[] } };
  };
  readonly transforms: { readonly holdfast: { readonly file: string } };
  readonly sinks: {
    readonly openobserve: {
      readonly uri: string;
      readonly method: string;
      readonly compression: string;
      readonly auth: { readonly strategy: string; readonly user: string; readonly password: string };
      readonly encoding: { readonly codec: string };
      readonly buffer: readonly { readonly type: string; readonly max_size: number; readonly when_full: string }[];
      readonly acknowledgements: { readonly enabled: boolean };
    };
  };
  readonly tests: readonly {
    readonly name: string;
    readonly inputs: readonly { readonly log_fields: Readonly<Record<string, unknown>> }[];
    readonly outputs?: readonly { readonly conditions: readonly { readonly source: string }[] }[];
    readonly no_outputs_from?: readonly string[];
  }[];
}

const CONFIG = parse(readFileSync(join(HERE, "holdfast.yaml"), "utf8")) as VectorConfig;
const COLUMNS = new Set([...HOLDFAST_VRL.matchAll(/^\s*\.(\w+) = /gm)].map(([, name]) => name));

test("the program compiles without a word against it", () => {
  expect(diagnosticsOf(HOLDFAST_VRL)).toEqual([]);
});

test.each(CONFIG.tests.map((one) => [one.name, one] as const))(
  "Vector's own test: %s",
  (_, { inputs, outputs, no_outputs_from }) => {
    const [input] = inputs;
    const record = remap(input?.log_fields ?? {});
    if (no_outputs_from !== undefined) {
      expect(record).toBeNull();
      return;
    }
    const conditions = (outputs ?? []).flatMap((output) => output.conditions.map(({ source }) => source));
    expect(conditions.length).toBeGreaterThan(0);
    expect(conditions.map((source) => whyNot(source, record ?? {}))).toEqual(conditions.map(() => null));
  },
);

test("every name of the log is a column, and every unit's identifier is read", () => {
  for (const name of [...Object.values(LOG_FIELDS), ...Object.values(LOG_LINE).filter((one) => one !== "time")])
    expect(COLUMNS, name).toContain(name);
  const units = join(HERE, "../systemd");
  const identifiers = readdirSync(units)
    .filter((name) => name.endsWith(".service"))
    .flatMap((name) =>
      [...readFileSync(join(units, name), "utf8").matchAll(/^SyslogIdentifier=(\S+)$/gm)].map(([, one]) => one),
    );
  expect(identifiers.length).toBeGreaterThan(6);
  expect(CONFIG.sources.holdfast_journal.include_matches.SYSLOG_IDENTIFIER).toEqual(
    expect.arrayContaining(identifiers),
  );
});

test("whatever a line is, it becomes one flat record of known columns; nothing is lost for its form", () => {
  const text = fc.oneof(fc.string({ maxLength: 200 }), fc.json({ maxDepth: 3 }));
  fc.assert(
    fc.property(text, fc.constantFrom("0", "3", "4", "6", "7", "x", null), (message, priority) => {
      const record = remap({ SYSLOG_IDENTIFIER: "holdfast-guard", message, PRIORITY: priority, host: "web-1" });
      expect(record).not.toBeNull();
      for (const [name, value] of Object.entries(record ?? {})) {
        expect(COLUMNS).toContain(name);
        expect(typeof value).toBe("string");
      }
      expect(
        ["trace", "debug", "info", "warn", "error", "fatal"].includes(String(record?.["level"])) ||
          message.includes("level"),
      ).toBe(true);
    }),
    { numRuns: 60 },
  );
});

/** A request as Vector's http sink makes it from this configuration. */
async function ship(
  settings: Readonly<Record<string, string>>,
  records: readonly Readonly<Record<string, unknown>>[],
): Promise<{ readonly status: number; readonly answer: OpenObserveAnswer }> {
  const { uri, method, compression, auth, encoding } = CONFIG.sinks.openobserve;
  expect([auth.strategy, compression, encoding.codec]).toEqual(["basic", "gzip", "json"]);
  const filled = (template: string): string =>
    template.replace(/\$\{(\w+)\}/g, (_, name: string) => settings[name] ?? "");
  const response = await fetch(filled(uri), {
    method: method.toUpperCase(),
    headers: {
      authorization: `Basic ${Buffer.from(`${filled(auth.user)}:${filled(auth.password)}`).toString("base64")}`,
      "content-type": "application/json",
      "content-encoding": "gzip",
    },
    body: gzipSync(JSON.stringify(records)),
  });
  return { status: response.status, answer: (await response.json()) as OpenObserveAnswer };
}

test("OpenObserve takes what the sink sends, refuses who is not known, and discards behind a 200 what is older than it allows", async () => {
  const openObserve = await OpenObserve.open("ship@example.com", "canary");
  const settings = {
    HOLDFAST_OPENOBSERVE_URL: openObserve.origin,
    HOLDFAST_OPENOBSERVE_ORG: "default",
    HOLDFAST_OPENOBSERVE_USER: "ship@example.com",
    HOLDFAST_OPENOBSERVE_PASSWORD: "canary",
  };
  const line = (hoursAgo: number): Readonly<Record<string, unknown>> =>
    remap({
      SYSLOG_IDENTIFIER: "holdfast-guard",
      host: "web-1",
      message: JSON.stringify({
        time: new Date(Date.now() - hoursAgo * 3_600_000).toISOString(),
        level: "info",
        message: "on trial",
        process: "guard",
      }),
    }) ?? {};
  try {
    expect(await ship(settings, [line(0), line(1)])).toMatchObject({
      status: 200,
      answer: { status: [{ successful: 2, failed: 0 }] },
    });
    expect([...openObserve.streams]).toEqual(["holdfast"]);
    expect((await ship({ ...settings, HOLDFAST_OPENOBSERVE_PASSWORD: "wrong" }, [line(0)])).status).toBe(401);
    // Vector sees a 200: README.md says what to set so that this does not happen.
    expect(await ship(settings, [line(0), line(6)])).toMatchObject({
      status: 200,
      answer: { status: [{ successful: 1, failed: 1 }] },
    });
    expect(openObserve.records.length).toBe(3);
  } finally {
    await openObserve.close();
  }
});

test("what cannot be sent waits on disk, and the journal's place is kept until it is", () => {
  const { buffer, acknowledgements } = CONFIG.sinks.openobserve;
  expect(buffer).toMatchObject([{ type: "disk", when_full: "block" }]);
  // Vector takes no smaller one.
  expect(buffer[0]?.max_size).toBeGreaterThanOrEqual(268_435_488);
  expect(acknowledgements.enabled).toBe(true);
  expect(CONFIG.transforms.holdfast.file).toBe("/etc/vector/holdfast.vrl");
});
