import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SimulatedSystem } from "../../test/simulated-system.ts";
import { FULL_CONFIG } from "../../test/system-sample.ts";
import { DOMAIN_LANGUAGES } from "../registry.ts";
import { parseUpdatesText } from "./apt-text.ts";
import { FAILLOCK_FILE, parseFaillockText } from "./faillock-text.ts";
import { fileOf } from "./file-value.ts";
import { parseHostsBlock } from "./hosts-block.ts";
import { parseLimitsText } from "./limits-text.ts";
import { parseLoginLine } from "./login-defs.ts";
import { parseSystemConfig } from "./parse-config.ts";
import { parseProxyText, PROXY_FILE } from "./proxy-text.ts";
import { parseQualityText, QUALITY_FILE } from "./quality-text.ts";
import { slotsOf } from "./slots.ts";
import { parseSshdText } from "./sshd-text.ts";
import { taskFound } from "./task-slot.ts";
import { parseTaskText } from "./task-text.ts";
import { parseTimerText, UPDATES_TIMER_FILE } from "./timer-text.ts";

/** What has broken other people's configuration: line ends, quotes, shells, templates, options, paths, escapes, look-alikes, and sheer size. */
const HOSTILE = [
  "",
  " ",
  "a\nb",
  "a\r\nPermitRootLogin yes",
  "a\u2028b",
  "a\u0000b",
  "\u001b]0;title\u0007",
  "\u202eevil",
  '"; rm -rf / #',
  "'$(reboot)'",
  "`reboot`",
  "${IFS}",
  "%h/%u",
  "-oProxyCommand=reboot",
  "--help",
  "../../etc/shadow",
  "/etc/passwd",
  "a b",
  "a\tb",
  "a#b",
  "a=b",
  "[Section]",
  "!include /etc/shadow",
  "аdmin",
  "null",
  "__proto__",
  "constructor",
  "\\",
  "x".repeat(65_536),
];

const hostile = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.tuple(fc.constantFrom("kim", "10.0.0.1", "web"), fc.constantFrom(...HOSTILE)).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 40 }),
);

type Place = readonly (string | number)[];

/** Every text of a config, keys of maps included. */
function placesOf(value: unknown, at: Place = []): readonly Place[] {
  if (typeof value === "string") return [at];
  if (Array.isArray(value)) return value.flatMap((one, index) => placesOf(one, [...at, index]));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => placesOf(one, [...at, key]));
}

function withText(value: unknown, at: Place, text: string): unknown {
  const [first, ...rest] = at;
  if (first === undefined) return text;
  if (Array.isArray(value))
    return value.map((one: unknown, index) => (index === first ? withText(one, rest, text) : one));
  return Object.fromEntries(
    Object.entries(value as Readonly<Record<string, unknown>>).map(([key, one]) => [
      key,
      key === first ? withText(one, rest, text) : one,
    ]),
  );
}

/** Maps whose keys people choose. */
const NAMED = new Set(["hosts", "sysctl", "units", "users", "authorities", "tasks", "limits"]);

function withKey(value: unknown, map: string, key: string): unknown {
  const config = value as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  const [first] = Object.values(config[map] ?? {});
  return { ...config, [map]: Object.fromEntries([[key, first]]) };
}

/** Nothing that passed may be more than the one thing it was meant as: every native text is still of our own grammar. */
function expectHarmless(value: unknown): void {
  const parsed = parseSystemConfig(value);
  if (!parsed.ok) {
    expect(parsed.findings.length).toBeGreaterThan(0);
    for (const one of parsed.findings) expect(one).toMatchObject({ severity: "error", code: "system.config" });
    return;
  }
  for (const [slot, target] of Object.entries(slotsOf(parsed.config, new SimulatedSystem().observe()))) {
    const text = fileOf(target)?.text ?? (typeof target === "string" ? target : "");
    if (slot === "ssh") expect(parseSshdText(text)).toMatchObject({ ok: true });
    if (slot === "updates:apt") expect(parseUpdatesText(text)).toMatchObject({ ok: true });
    if (slot === "updates:timer") expect(parseTimerText(UPDATES_TIMER_FILE, text)).toMatchObject({ ok: true });
    if (slot.startsWith("task:"))
      expect(parseTaskText(slot.slice("task:".length), taskFound(target)?.text ?? "")).toMatchObject({ ok: true });
    if (slot === "limits") expect(parseLimitsText(text)).toMatchObject({ ok: true });
    if (slot === `file:${PROXY_FILE}`) expect(parseProxyText(text)).toMatchObject({ ok: true });
    if (slot === `file:${QUALITY_FILE}`) expect(parseQualityText(text)).toMatchObject({ ok: true });
    if (slot === `file:${FAILLOCK_FILE}`) expect(parseFaillockText(text)).toMatchObject({ ok: true });
    if (slot.startsWith("login:"))
      expect(parseLoginLine(slot.slice("login:".length), text)).toMatchObject({ ok: true });
    if (slot === "hosts" && target !== null) expect(parseHostsBlock(text)).toMatchObject({ ok: true });
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f\u2028\u2029\u202a-\u202e]/);
    if (slot.startsWith("sysctl:")) expect(`${slot}${text}`).not.toContain("\n");
  }
}

test("a value of the kernel comes in the one form that composing writes", () => {
  for (const text of ["bbr\n", " bbr", "bbr ", "a\t\tb", "a  b"])
    expect(parseSystemConfig({ sysctl: { "net.ipv4.tcp_congestion_control": text } }), text).toMatchObject({
      ok: false,
      findings: [{ code: "system.config" }],
    });
  expect(parseSystemConfig({ sysctl: { "net.ipv4.tcp_congestion_control": "bbr" } })).toMatchObject({ ok: true });
});

test("the sample says every text that a config can hold", () => {
  expect(parseSystemConfig(FULL_CONFIG)).toMatchObject({ ok: true });
  expect(placesOf(FULL_CONFIG).length).toBeGreaterThan(20);
});

test.each(placesOf(FULL_CONFIG).map((place) => [formatPath(place), place] as const))(
  "a hostile text at %s is refused or stays one value",
  (_path, place) => {
    for (const text of HOSTILE) expectHarmless(withText(FULL_CONFIG, place, text));
    fc.assert(
      fc.property(hostile, (text) => expectHarmless(withText(FULL_CONFIG, place, text))),
      { numRuns: 60 },
    );
  },
);

test.each([...NAMED].filter((map) => map in FULL_CONFIG))(
  "a hostile name in %s is refused or stays one name",
  (map) => {
    fc.assert(
      fc.property(hostile, (key) => expectHarmless(withKey(FULL_CONFIG, map, key))),
      { numRuns: 200 },
    );
  },
);

test("S20: a document with a hostile text is read with a finding that names the place, or carries the text as it is", () => {
  fc.assert(
    fc.property(
      hostile,
      fc.constantFrom("hostname", "timezone", "motd", "search", "allowUsers", "sysctl"),
      (text, field) => {
        const quoted = JSON.stringify(text);
        const section = {
          hostname: `hostname: ${quoted}`,
          timezone: `timezone: ${quoted}`,
          motd: `banners: { motd: ${quoted} }`,
          search: `resolver: { search: ${quoted} }`,
          allowUsers: `ssh: { allowUsers: ${quoted} }`,
          sysctl: `sysctl: { net.core.some_text: ${quoted} }`,
        }[field];
        const document = `apiVersion: holdfast/v1\nkind: Policy\nname: p\nlayer: fleet\nselector: { all: true }\nsystem: { ${section} }\n`;
        const { documents, findings } = parseDocuments(document, { domains: DOMAIN_LANGUAGES });
        if (findings.some(({ severity }) => severity === "error")) return;
        expect(JSON.stringify(documents[0]?.data)).toContain(quoted);
      },
    ),
    { numRuns: 300 },
  );
});
