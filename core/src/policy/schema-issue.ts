import type { z } from "zod";
import type { LanguageCode } from "./findings.ts";
import type { Path } from "./path.ts";
import { helpAt, keysAt, type Outline, outlinesAt } from "./schema-outline.ts";
import { nearestWord } from "./spelling.ts";

/** A schema's complaint in the words of the language; the caller knows the text and adds the place. */
export interface Complaint {
  readonly code: LanguageCode;
  readonly path: Path;
  readonly message: string;
  /** Where to point: the key itself, or what stands there. */
  readonly at: "key" | "value";
  readonly remedy?: string;
}

type Issue = z.core.$ZodIssue;

/** Every complaint of the schema about `data`, in words. */
export function complaintsOf(issues: readonly Issue[], data: unknown, outline: Outline): readonly Complaint[] {
  return issues.flatMap((issue) => complaints(issue, issue.path.filter(isPart), data, outline));
}

function complaints(issue: Issue, path: Path, data: unknown, outline: Outline): readonly Complaint[] {
  const value = valueAt(data, path);
  switch (issue.code) {
    case "invalid_type":
      return [value === undefined ? missing(path, outline) : wrongType(path, value, issue.expected, outline)];
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(path, key, outline));
    case "invalid_value":
      return [value === undefined ? missing(path, outline) : notOneOf(path, value, issue.values.map(String))];
    case "invalid_union":
      return value === undefined ? [missing(path, outline)] : unionComplaints(issue, path, value, data, outline);
    case "too_small":
      return [outOfRange(path, value, issue.origin, `at least ${issue.minimum}`)];
    case "too_big":
      return [outOfRange(path, value, issue.origin, `at most ${issue.maximum}`)];
    case "invalid_key":
    case "invalid_element":
      return issue.issues.map((inner) => ({ code: "policy.value", path, at: "key", message: sentence(inner.message) }));
    case "custom":
    case "invalid_format":
    case "not_multiple_of":
      return [
        { code: "policy.value", path, at: "value", message: sentence(issue.message), ...helpRemedy(path, outline) },
      ];
  }
}

/**
 * None of several forms fits. The author meant one of them: the one whose complaints lie deepest, or, for a plain value, the one of its type.
 */
function unionComplaints(
  issue: z.core.$ZodIssueInvalidUnion,
  path: Path,
  value: unknown,
  data: unknown,
  outline: Outline,
): readonly Complaint[] {
  if (issue.errors.length === 0) {
    const key = issue.discriminator;
    const at = key === undefined || path.at(-1) === key ? path : [...path, key];
    const allowed = outlinesAt(outline, at).flatMap((one) => (typeof one["const"] === "string" ? [one["const"]] : []));
    const found = valueAt(data, at);
    return [found === undefined ? missing(at, outline) : notOneOf(at, found, allowed)];
  }
  const branches = issue.errors.filter(
    (errors) => !errors.some((one) => one.path.length === 0 && one.code === "invalid_type"),
  );
  const [meant, ...others] = branches.toSorted((a, b) => weight(a) - weight(b));
  const ofValues = issue.errors
    .flatMap((errors) => errors)
    .filter((one) => one.path.length === 0 && one.code === "invalid_value");
  if (meant === undefined || (others.length > 0 && meant.every((one) => one.code === "invalid_value"))) {
    const values = ofValues.flatMap((one) => (one.code === "invalid_value" ? one.values.map(String) : []));
    if (values.length > 0 && typeof value !== "object") return [notOneOf(path, value, values)];
    const expected = issue.errors.flatMap((errors) =>
      errors.flatMap((one) => (one.path.length === 0 && one.code === "invalid_type" ? [typeWords(one.expected)] : [])),
    );
    return [
      {
        ...wrongType(path, value, "", outline),
        message: `Here stands ${describe(value)}; expected is ${[...new Set(expected)].join(" or ")}.`,
      },
    ];
  }
  return meant.flatMap((inner) => complaints(inner, [...path, ...inner.path.filter(isPart)], data, outline));
}

/** Few complaints, and those deep inside, mean that this form was probably meant. */
function weight(errors: readonly Issue[]): number {
  return errors.length - Math.max(0, ...errors.map((one) => one.path.length));
}

function missing(path: Path, outline: Outline): Complaint {
  const { description, example } = helpAt(outline, path);
  const key = path.at(-1);
  const options = optionsAt(outline, path);
  const parts = [
    description,
    options.length > 0 ? `One of ${options.join(", ")}.` : null,
    example === null ? null : `For example: ${String(key)}: ${example}`,
  ];
  const remedy = parts.filter((part) => part !== null).join(" ");
  return {
    code: "policy.missing",
    path,
    at: "value",
    message: `${typeof key === "string" ? key : "A value"} is missing here.`,
    ...(remedy === "" ? {} : { remedy }),
  };
}

function unknownKey(path: Path, key: string, outline: Outline): Complaint {
  const known = keysAt(outline, path);
  const nearest = nearestWord(key, known);
  const message = `${key} is not a key that can stand here${nearest === null ? "." : `; did you mean ${nearest}?`}`;
  const list = known.length === 0 ? {} : { remedy: `Known here: ${[...known].sort().join(", ")}.` };
  return { code: "policy.unknown_key", path: [...path, key], at: "key", message, ...list };
}

function wrongType(path: Path, value: unknown, expected: string, outline: Outline): Complaint {
  const isText =
    (expected === "string" || expected === "") && (typeof value === "number" || typeof value === "boolean");
  const quote = isText ? `If it is meant as it stands, put it in quotes: "${String(value)}".` : null;
  const message = `Here stands ${describe(value)}; expected is ${typeWords(expected)}.`;
  return { code: "policy.value", path, at: "value", message, ...helpRemedy(path, outline, quote) };
}

/** What the schema says about the place: its description and an example, as the remedy. */
function helpRemedy(path: Path, outline: Outline, first: string | null = null): { readonly remedy?: string } {
  const { description, example } = helpAt(outline, path);
  const remedy = [first, description, example === null ? null : `For example: ${example}`]
    .filter((part) => part !== null)
    .join(" ");
  return remedy === "" ? {} : { remedy };
}

function notOneOf(path: Path, value: unknown, allowed: readonly string[]): Complaint {
  const nearest = typeof value === "string" ? nearestWord(value, allowed) : null;
  const message = `Here stands ${describe(value)}, which is not known here${nearest === null ? "" : `; did you mean ${nearest}?`}`;
  return {
    code: "policy.value",
    path,
    at: "value",
    message: sentence(message),
    remedy: `Write ${allowed.length === 1 ? "" : "one of "}${allowed.join(", ")}.`,
  };
}

function outOfRange(path: Path, value: unknown, origin: string, bound: string): Complaint {
  const what =
    origin === "string"
      ? `a text of ${bound} characters`
      : origin === "array" || origin === "set"
        ? `a list of ${bound} items`
        : `a number of ${bound}`;
  return { code: "policy.value", path, at: "value", message: `Here stands ${describe(value)}; expected is ${what}.` };
}

function optionsAt(outline: Outline, path: Path): readonly string[] {
  return [
    ...new Set(
      outlinesAt(outline, path).flatMap((one) => [
        ...(Array.isArray(one["enum"]) ? one["enum"].map(String) : []),
        ...(typeof one["const"] === "string" ? [one["const"]] : []),
      ]),
    ),
  ];
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

function typeWords(expected: string): string {
  return TYPE_WORDS[expected] ?? expected;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a map";
  if (typeof value === "string") return value.length > 60 ? "a long text" : `the text ${JSON.stringify(value)}`;
  return `the ${typeof value === "number" ? "number" : "value"} ${String(value)}`;
}

function sentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[part];
  }
  return value;
}

function isPart(part: PropertyKey): part is string | number {
  return typeof part !== "symbol";
}
