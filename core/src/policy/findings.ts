import type { Finding, Severity } from "../base/finding.ts";

/** Every code that reading documents can give, with what to do where the place itself says no more. */
export const LANGUAGE_FINDINGS = {
  "policy.alias": {
    severity: "error",
    remedy: "Write the value out where it is used; shared addresses belong in `define` or in a Group.",
  },
  "policy.anchor": { severity: "error", remedy: "Take the anchor (&name) out." },
  "policy.api_version": { severity: "error", remedy: "Write `apiVersion: holdfast/v1`." },
  "policy.character": { severity: "error", remedy: "Remove the invisible character and save the file as plain UTF-8." },
  "policy.directive": { severity: "error", remedy: "Take the line out; documents are YAML 1.2." },
  "policy.document_end": { severity: "error", remedy: "Take the line `...` out; a new document begins with `---`." },
  "policy.domain_unavailable": {
    severity: "error",
    remedy: "Take it out of the document and set it by other means until a version has it.",
  },
  "policy.duplicate_document": { severity: "error", remedy: "Give one of the two another name, or take it out." },
  "policy.duplicate_key": { severity: "error", remedy: "Keep one of the two." },
  "policy.empty": {
    severity: "error",
    remedy: "Write a document; it begins with `apiVersion: holdfast/v1` and `kind:`.",
  },
  "policy.explicit_key": { severity: "error", remedy: "Write `key: value`, without `?`; the key is a single word." },
  "policy.key_not_text": { severity: "error", remedy: "Put the key in quotes." },
  "policy.kind": { severity: "error", remedy: "Write `kind:` with one of Policy, Server, Tunnel, Group, Floor." },
  "policy.merge_key": { severity: "error", remedy: "Write the keys out." },
  "policy.missing": { severity: "error", remedy: "Add it." },
  "policy.more": { severity: "note", remedy: "Mend these first." },
  "policy.null": {
    severity: "error",
    remedy: "Leave the key out (then it is not ours), or write [] or {} (ours and empty).",
  },
  "policy.number": { severity: "error", remedy: "Write a whole number, or put it in quotes if it is text." },
  "policy.parameter": { severity: "error", remedy: "Declare it under `params`, or write the value itself." },
  "policy.parameter_unused": { severity: "warning", remedy: "Use it as $name, or take it out." },
  "policy.read_differently": { severity: "error", remedy: "Put it in quotes if it is text." },
  "policy.tag": { severity: "error", remedy: "Take the tag out." },
  "policy.too_big": { severity: "error", remedy: "Split it into several documents." },
  "policy.too_deep": {
    severity: "error",
    remedy: "No document needs that much nesting; look for a bracket that is never closed.",
  },
  "policy.unknown_key": { severity: "error", remedy: "Correct the key or take it out; nothing is ignored silently." },
  "policy.value": { severity: "error", remedy: "Correct the value." },
  "policy.yaml_syntax": {
    severity: "error",
    remedy: "Correct the YAML at this place; the indentation just above it is the usual cause.",
  },
} as const satisfies Record<string, { readonly severity: Severity; readonly remedy: string }>;

export type LanguageCode = keyof typeof LANGUAGE_FINDINGS;

/** One finding of the language. Line and column are left out when there is no text. */
export function languageFinding(
  code: LanguageCode,
  message: string,
  at: {
    readonly path?: string;
    readonly line?: number;
    readonly column?: number;
    readonly document?: string;
    readonly remedy?: string;
  },
): Finding {
  const { severity, remedy } = LANGUAGE_FINDINGS[code];
  return {
    severity,
    code,
    path: at.path ?? "",
    message,
    remedy: at.remedy ?? remedy,
    ...(at.line === undefined ? {} : { line: at.line }),
    ...(at.column === undefined ? {} : { column: at.column }),
    ...(at.document === undefined ? {} : { document: at.document }),
  };
}
