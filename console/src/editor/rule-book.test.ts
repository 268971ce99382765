import type { Result } from "@holdfast/core/base/result.ts";
import { editDocument } from "@holdfast/core/policy/edit.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BRANCH_GATEWAY, WEB_HOST } from "../../mock-api/texts.ts";
import {
  addRule,
  copyRule,
  editCells,
  editName,
  moveRule,
  readRuleBook,
  removeRule,
  type RuleBook,
  type RuleItem,
} from "./rule-book.ts";
import { type CellEdit, editRule, HOOKS } from "./rule-rows.ts";

function bookOf(text: string): RuleBook {
  const book = readRuleBook(text);
  if (book === null) throw new Error("the text has no book");
  return book;
}

function taken<Value>(result: Result<Value, string>): Value {
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

function item(book: RuleBook, name: string): RuleItem {
  const found = book.lists.flatMap((list) => list.items).find((one) => one.row.name === name);
  if (found === undefined) throw new Error(`no rule ${name}`);
  return found;
}

/** What is seen of a book, without what only a book knows. */
function seen(book: RuleBook): unknown {
  return {
    text: book.text,
    sections: book.sections,
    names: [...book.names],
    lists: book.lists.map(({ hook, place, items }) => ({ hook, place, items: items.map(({ row }) => row) })),
  };
}

/** Rules in every way that people write them: comments above, behind and between, blank lines, one line, several lines of text. */
const ruleText = fc
  .record({
    above: fc.constantFrom(
      "",
      "      # above it\n",
      "      # two\n      # lines\n",
      "\n",
      "\n      # and a gap\n",
      "  # left\n",
    ),
    shape: fc.constantFrom("block", "flow", "prose", "list"),
    behind: fc.constantFrom("", "   # behind"),
    below: fc.constantFrom("", "\n", "        # deeper\n", "\n\n"),
  })
  .map(({ above, shape, behind, below }) => (name: string): string => {
    const lines = {
      block: `      - name: ${name}${behind}\n        allow: tcp/22\n        from: any\n`,
      flow: `      - { name: ${name}, allow: tcp/22, from: any }${behind}\n`,
      prose: `      - name: ${name}\n        allow: tcp/22${behind}\n        from: any\n        why: |\n          why so\n          # no comment\n`,
      list: `      - name: ${name}\n        enabled: false\n        allow:${behind}\n          - tcp/1\n          # between\n          - tcp/2\n        from: office\n`,
    }[shape];
    return above + lines + below;
  });

const policyText = fc
  .record({
    inbound: fc.array(ruleText, { minLength: 1, maxLength: 7 }),
    first: fc.array(ruleText, { maxLength: 3 }),
    forward: fc.array(ruleText, { maxLength: 3 }),
    end: fc.constantFrom("", "# the end\n", "expect: []\n", "    log: 5/second\n"),
    eol: fc.constantFrom("\n", "\r\n"),
    isOpen: fc.boolean(),
  })
  .map(({ inbound, first, forward, end, eol, isOpen }) => {
    const list = (key: string, rules: readonly ((name: string) => string)[]): string =>
      rules.length === 0 ? "" : `    ${key}:\n${rules.map((rule, index) => rule(`${key}-${index}`)).join("")}`;
    const head =
      "apiVersion: holdfast/v1\nkind: Policy\nname: x\ndefine:\n  office: [10.0.0.0/8]   # ours\nfirewall:\n";
    const through =
      forward.length === 0 ? "" : `  forward:\n${list("rules", forward).replaceAll("rules-", "forward-")}`;
    const text = `${head}${through}  inbound:\n    default: drop\n${list("first", first)}${list("rules", inbound)}${end}`;
    const ended = isOpen ? text.trimEnd() : text;
    return eol === "\n" ? ended : ended.replaceAll("\n", eol);
  });

const CELLS: readonly CellEdit[] = [
  { kind: "name", text: "other" },
  { kind: "services", text: "tcp/80, tcp/443" },
  { kind: "from", text: "office, 10.1.0.0/16" },
  { kind: "from", text: "" },
  { kind: "why", text: "OPS-1: so" },
  { kind: "why", text: "" },
  { kind: "verb", verb: "drop" },
  { kind: "enabled", enabled: false },
  { kind: "enabled", enabled: true },
];

test("B1, B2: what a book does is what the same edit of the whole text does, byte for byte, and again and again", () => {
  const step = fc.record({
    which: fc.nat(),
    to: fc.nat(),
    what: fc.constantFrom("cell", "remove", "move", "copy", "add", "name"),
    cell: fc.constantFrom(...CELLS),
  });
  fc.assert(
    fc.property(policyText, fc.array(step, { minLength: 1, maxLength: 4 }), (text, steps) => {
      let book = bookOf(text);
      expect(book.lists.every((list) => list.cut !== null)).toBe(true);
      for (const { which, to, what, cell } of steps) {
        const all = book.lists.flatMap((list) => list.items.map((one) => ({ list, one })));
        const chosen = all[which % Math.max(1, all.length)];
        if (chosen === undefined) return;
        const { list, one } = chosen;
        const place = to % list.items.length;
        const path = ["firewall", list.hook, list.place];
        let small: Result<RuleBook, string>;
        let whole: Result<string, string> | null = null;
        switch (what) {
          case "cell":
            small = editCells(book, [one.id], cell);
            whole = editRule(book.text, one.row, cell);
            break;
          case "remove":
            small = removeRule(book, one.id);
            whole = editRule(book.text, one.row, { kind: "remove" });
            break;
          case "move":
            small = moveRule(book, one.id, place);
            whole = editRule(book.text, one.row, { kind: "move", to: place });
            break;
          case "name":
            small = editName(book, "office", "10.2.0.0/16, 10.3.0.0/16");
            whole = editDocument(book.text, {
              kind: "set",
              path: ["define", "office"],
              value: ["10.2.0.0/16", "10.3.0.0/16"],
            });
            break;
          case "copy":
            small = copyRule(book, one.id);
            break;
          case "add":
            small = addRule(book, HOOKS[to % 3] ?? "inbound");
            break;
        }
        if (whole !== null) {
          if (!whole.ok) {
            expect(small).toEqual(whole);
            continue;
          }
          expect(taken(small).text).toBe(whole.value);
        } else if (!small.ok) continue;
        book = taken(small);
        expect(seen(book), `${what} ${path.join(".")}`).toEqual(seen(bookOf(book.text)));
        const again = bookOf(book.text);
        expect(book.lists.map((own) => own.items.map((piece) => piece.text))).toEqual(
          again.lists.map((own) => own.items.map((piece) => (own.cut === null ? "" : piece.text))),
        );
      }
    }),
    { numRuns: 40 },
  );
});

test("a copy stands below its rule with a name of its own, and keeps what the table does not show", () => {
  const book = bookOf(WEB_HOST);
  const copied = taken(copyRule(book, item(book, "ssh").id));
  expect(copied.lists[0]?.items.map(({ row }) => row.name)).toEqual([
    "web",
    "ssh",
    "ssh-copy",
    "metrics",
    "ping",
    "partner-debug",
  ]);
  expect(item(copied, "ssh-copy").row.extras).toEqual(["limit 10/minute / source"]);
  const twice = taken(copyRule(copied, item(copied, "ssh").id));
  expect(item(twice, "ssh-copy-2").row.index).toBe(2);
  expect(copied.text).toContain("# operators only\n      - name: ssh\n");
});

test("many rules are switched at once, or none: the first refusal refuses all", () => {
  const book = bookOf(WEB_HOST);
  const ids = book.lists.flatMap((list) => list.items.map(({ id }) => id));
  const off = taken(editCells(book, ids, { kind: "enabled", enabled: false }));
  expect(off.lists.flatMap((list) => list.items.map(({ row }) => row.enabled))).toEqual(ids.map(() => false));
  expect(off.text.match(/enabled: false/g)).toHaveLength(5);
  const commented = bookOf(WEB_HOST.replace("allow: tcp/9100", "allow:\n          # one\n          - tcp/9100"));
  const refused = editCells(
    commented,
    commented.lists.flatMap((list) => list.items.map(({ id }) => id)),
    { kind: "services", text: "any" },
  );
  expect(refused).toEqual({
    ok: false,
    error: 'the comment "# one" at firewall.inbound.rules[2].allow would be lost; edit it in the text',
  });
});

test("a rule is added at the end, also where there is no list yet", () => {
  const added = taken(addRule(bookOf(WEB_HOST), "inbound"));
  expect(item(added, "rule-1").row).toMatchObject({ index: 5, verb: "allow", services: "tcp/443" });
  const first = taken(addRule(added, "outbound"));
  expect(first.lists.find(({ hook }) => hook === "outbound")?.items[0]?.row).toMatchObject({ to: { text: "any" } });
});

test("a rule keeps its id while it is moved, renamed and edited around", () => {
  const book = bookOf(WEB_HOST);
  const { id } = item(book, "ping");
  const moved = taken(moveRule(book, id, 0));
  const renamed = taken(editCells(moved, [id], { kind: "name", text: "echo" }));
  const named = taken(editName(renamed, "office", "10.0.0.0/8"));
  expect(item(named, "echo").id).toBe(id);
  expect(named.text).toContain("office: 10.0.0.0/8\n");
});

test("B3: rules that are written on one line, or beside an error, are edited as a whole", () => {
  const flow = bookOf(
    BRANCH_GATEWAY.replace(
      / {2}forward:[\s\S]*?\n {2}nat/,
      "  forward: { rules: [{ name: a, allow: any }, { name: b, allow: any }] }\n  nat",
    ),
  );
  const forward = flow.lists.find((list) => list.hook === "forward");
  expect(forward?.cut).toBeNull();
  const { id } = item(flow, "b");
  const moved = taken(moveRule(flow, id, 0));
  expect(moved.text).toContain("rules: [{ name: b, allow: any }, { name: a, allow: any }]");
  expect(item(moved, "b")).toMatchObject({ id, row: { index: 0 } });
  const twice = bookOf(`${WEB_HOST}layer: role\n`);
  expect(removeRule(twice, item(twice, "web").id)).toEqual({
    ok: false,
    error: "the document has errors; mend them in the text first",
  });
});
