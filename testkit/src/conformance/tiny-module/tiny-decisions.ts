import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import type { Settings } from "./tiny-state.ts";

/** What the tiny module decides, without touching anything. */
export interface TinyStep {
  readonly id: string;
  readonly title: string;
  readonly key: string;
  /** Null: the setting goes away. */
  readonly value: string | null;
}

export interface TinyFinding {
  readonly path: string;
  readonly message: string;
}

export interface TinyMismatch {
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

const KEY = /^[a-z][a-z0-9-]{0,30}$/;
const LONGEST_VALUE = 200;
const ABSENT = "absent";

/** A config or a snapshot: both are `{"settings": {key: value}}`. */
export function parseSettings(
  value: unknown,
): { readonly settings: Settings } | { readonly findings: readonly TinyFinding[] } {
  if (!isMap(value) || !isMap(value["settings"]))
    return { findings: [{ path: "settings", message: "settings must be an object of texts" }] };
  const { settings, ...strangers } = value;
  const findings = Object.keys(strangers).map((path) => ({ path, message: `there is no ${path}, only settings` }));
  const found: Record<string, string> = {};
  for (const [key, text] of Object.entries(settings)) {
    const path = `settings.${key}`;
    if (!KEY.test(key)) findings.push({ path, message: "a key has up to 31 lower-case letters, digits and hyphens" });
    else if (typeof text !== "string" || text.length > LONGEST_VALUE || /[^ -~]/.test(text))
      findings.push({ path, message: "a value is one line of up to 200 plain characters" });
    else found[key] = text;
  }
  return findings.length === 0 ? { settings: found } : { findings };
}

/** One step for each setting that differs: what is set first, then what goes away. */
export function planSettings(desired: Settings, live: Settings): readonly TinyStep[] {
  const set = keysOf(desired).filter((key) => desired[key] !== live[key]);
  const gone = keysOf(live).filter((key) => desired[key] === undefined);
  return [
    ...set.map((key) => ({ id: `tiny.set.${key}`, title: `Set ${key}`, key, value: desired[key] ?? "" })),
    ...gone.map((key) => ({ id: `tiny.remove.${key}`, title: `Remove ${key}`, key, value: null })),
  ];
}

/** The settings after a step; the same once more when it is done again. */
export function withStep(live: Settings, step: TinyStep): Settings {
  const others = Object.entries(live).filter(([key]) => key !== step.key);
  return Object.fromEntries(step.value === null ? others : [...others, [step.key, step.value]]);
}

export function mismatchesOf(desired: Settings, live: Settings): readonly TinyMismatch[] {
  return [...new Set([...keysOf(desired), ...keysOf(live)])]
    .toSorted()
    .filter((key) => desired[key] !== live[key])
    .map((key) => ({ path: `settings.${key}`, expected: desired[key] ?? ABSENT, found: live[key] ?? ABSENT }));
}

export function nativeDiff(steps: readonly TinyStep[], live: Settings): string {
  return steps
    .flatMap(({ key, value }) => [
      ...(live[key] === undefined ? [] : [`-${key}=${live[key]}\n`]),
      ...(value === null ? [] : [`+${key}=${value}\n`]),
    ])
    .join("");
}

export function digestOf(value: Json): string {
  return createHash("sha256").update(canonicalJson(value), "utf8").digest("hex");
}

export function stepDigest({ id, title, key, value }: TinyStep): string {
  return digestOf({ id, title, key, value });
}

function keysOf(settings: Settings): readonly string[] {
  return Object.keys(settings).toSorted();
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
