import { expect, test } from "vitest";
import { z } from "zod";
import { parseWhole } from "./parse-whole.ts";

const schema = z.strictObject({ names: z.record(z.string(), z.int()), list: z.array(z.unknown()).default([]) });

test("a key __proto__ is refused where it stands, however deep; everything else is the schema's matter", () => {
  const from = (text: string) => parseWhole(schema, JSON.parse(text));
  expect(from('{"names":{"a":1}}')).toMatchObject({ success: true, data: { names: { a: 1 } } });
  expect(from('{"names":{"__proto__":1}}')).toMatchObject({ error: { issues: [{ path: ["names", "__proto__"] }] } });
  expect(from('{"names":{},"list":[{"x":{"__proto__":{}}}]}')).toMatchObject({
    error: { issues: [{ path: ["list", 0, "x", "__proto__"] }] },
  });
  expect(from('{"names":{"a":"b"}}')).toMatchObject({ success: false, error: { issues: [{ path: ["names", "a"] }] } });
});
