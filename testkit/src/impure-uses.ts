/**
 * Finds what ECMAScript itself offers of clock and chance, which no tsconfig can take away:
 * `Date.now()`, `new Date()` and `Date()` without an argument, `Math.random()`.
 * `new Date(ms)` stays: it is arithmetic.
 */
import { type Program, Visitor } from "oxc-parser";

export function impureUses(program: Program): string[] {
  const uses: string[] = [];
  new Visitor({
    MemberExpression({ object, property }) {
      if (object.type !== "Identifier" || property.type !== "Identifier") return;
      const name = `${object.name}.${property.name}`;
      if (name === "Date.now" || name === "Math.random") uses.push(name);
    },
    NewExpression({ callee, arguments: given }) {
      if (callee.type === "Identifier" && callee.name === "Date" && given.length === 0) uses.push("new Date()");
    },
    CallExpression({ callee }) {
      if (callee.type === "Identifier" && callee.name === "Date") uses.push("Date()");
    },
  }).visit(program);
  return uses;
}
