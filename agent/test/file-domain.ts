import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { DomainName } from "@holdfast/core/domain.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import type { AnyDomain } from "../src/module/domain-hands.ts";

/**
 * A domain that owns one file, for tests of everything around domains. A test can stop it at a gate (a file in `gates/` of the agent's root)
 * and make it lie (a file in `lies/`), so that processes can be killed at a known place.
 */
export function fileDomain(name: DomainName, path: string, root: string): AnyDomain {
  const gate = (verb: string): void => {
    const file = join(root, "gates", `${name}.${verb}`);
    const cell = new Int32Array(new SharedArrayBuffer(4));
    while (existsSync(file)) Atomics.wait(cell, 0, 0, 5);
  };
  const lies = (verb: string): boolean => existsSync(join(root, "lies", `${name}.${verb}`));
  const textOf = (observed: Json): string | null =>
    isMap(observed) && typeof observed["text"] === "string" ? observed["text"] : null;
  const wanted = (config: Json | null): string | null =>
    isMap(config) && typeof config["text"] === "string" ? config["text"] : null;
  const write = (id: string, text: string | null): Step => ({
    id: `${name}.${id}`,
    domain: name,
    title: text === null ? `Remove ${path}` : `Write ${path}`,
    action: text === null ? { kind: "remove_file", path } : { kind: "write_file", path, mode: 0o644, text },
    budgetMs: 3_000,
  });
  return {
    name,
    foreign: { facts: [], read: () => ({ blocks: [], left: 0, unreadable: [] }) },
    facts: [{ kind: "file", name: "file", path }],
    observe: (raw) => {
      gate("observe");
      return { text: raw["file"]?.status === 0 ? raw["file"].stdout : null };
    },
    lacks: () =>
      existsSync(join(root, "lacks", name))
        ? [
            {
              feature: "",
              code: `${name}.lacking`,
              reason: "Its file cannot be written.",
              remedy: "Let it be written.",
            },
          ]
        : [],
    parseConfig: (value) =>
      isMap(value) && typeof value["text"] === "string"
        ? { ok: true, config: { text: value["text"] } }
        : {
            ok: false,
            findings: [
              {
                severity: "error",
                code: `${name}.invalid`,
                path: "text",
                message: "text is missing",
                remedy: "Give it.",
              },
            ],
          },
    validate: (config) =>
      wanted(config) === "invalid"
        ? [
            {
              severity: "error",
              code: `${name}.refused`,
              path: "text",
              message: "this text is refused",
              remedy: "Write another.",
            },
          ]
        : [],
    plan: ({ desired, observed, managementPath }) => {
      gate("plan");
      const text = wanted(desired);
      const cuts = text?.includes("cut") === true && managementPath.controlPlane.length > 0;
      return {
        steps: text === textOf(observed) ? [] : [write("file", text)],
        nativeDiff: `-${textOf(observed) ?? ""}\n+${text ?? ""}\n`,
        findings: cuts
          ? [
              {
                severity: "danger",
                code: `${name}.management_path_cut`,
                path: "text",
                message: "this cuts the control plane off",
                remedy: "Do not.",
              },
            ]
          : [],
        touchesManagementPath: cuts,
      };
    },
    render: (config) => wanted(config) ?? "",
    verify: (desired, observed) => {
      gate("verify");
      if (lies("verify") || wanted(desired) === textOf(observed)) return [];
      return [{ path: "text", expected: wanted(desired) ?? "nothing", found: textOf(observed) ?? "nothing" }];
    },
    ours: (observed) => ({ text: textOf(observed) }),
    restore: (snapshot) => {
      gate("restore");
      return [write("restore", textOf(snapshot))];
    },
    persist: () => {
      gate("persist");
      return [];
    },
    // The file itself is its floor; another text in it is drift.
    floorLost: (confirmed, observed) =>
      textOf(observed) === null && wanted(confirmed) !== null
        ? [{ path: "file", expected: path, found: "no such file" }]
        : [],
    probes: () => [],
  };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
