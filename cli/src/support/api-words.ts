import { ENDPOINTS } from "@holdfast/core/api/endpoint.ts";
import type { RouteName } from "@holdfast/core/api/route.ts";
import { z } from "zod";

/** Words of the API itself, by the member that they stand in. A server that is called `state` must not make them unreadable. */
export interface ApiWords {
  isMember(name: string): boolean;
  /** One of the few words that this member can have. */
  isValue(member: string, value: string): boolean;
}

/** Members of dotted codes: no name of the house stands there. */
const CODES: ReadonlySet<string> = new Set(["code", "haltCode", "outcomeCode", "resultCode", "action"]);

export function apiWords(routes: readonly RouteName[]): ApiWords {
  const words = new Map<string, Set<unknown>>();
  const walk = (schema: unknown, member: string): void => {
    if (Array.isArray(schema)) {
      for (const one of schema) walk(one, member);
      return;
    }
    if (typeof schema !== "object" || schema === null) return;
    for (const [key, value] of Object.entries(schema)) {
      if (key === "enum" && Array.isArray(value)) for (const word of value) words.get(member)?.add(word);
      else if (key === "properties")
        for (const [name, inner] of Object.entries(value as object)) {
          words.set(name, words.get(name) ?? new Set());
          walk(inner, name);
        }
      else walk(value, member);
    }
  };
  for (const route of routes)
    walk(z.toJSONSchema(ENDPOINTS[route].answer, { io: "output", reused: "inline", unrepresentable: "any" }), "");
  return {
    isMember: (name) => words.has(name),
    isValue: (member, value) =>
      words.get(member)?.has(value) === true || (CODES.has(member) && /^[a-z_]+(?:\.[a-z_]+)+$/.test(value)),
  };
}
