import { err, ok, type Result } from "@holdfast/core/base/result.ts";

/**
 * The last look before a batch reaches the kernel: it may name our table and nothing else, and may not read other files. A renderer that is
 * wrong, or a control plane that is hostile, cannot get past it to another firewall's rules.
 */
export const OWN_TABLE = { family: "inet", name: "holdfast" } as const;

const VERBS = new Set(["add", "create", "delete", "destroy", "flush", "insert", "replace", "reset", "rename"]);
const OBJECTS = new Set([
  "table",
  "chain",
  "rule",
  "set",
  "map",
  "element",
  "counter",
  "quota",
  "limit",
  "flowtable",
  "ct",
  "secmark",
  "synproxy",
  "counters",
  "quotas",
]);
const CT_OBJECTS = new Set(["helper", "timeout", "expectation"]);
/** The lexer knows these anywhere, also inside a block. */
const NEVER = new Set(["include", "define", "redefine", "undefine", "ruleset"]);

export function checkNftBatch(batch: string): Result<null, string> {
  if (/[\0\\]/.test(batch)) return err("a batch holds no NUL and no backslash");
  let depth = 0;
  let statement: string[] = [];
  for (const token of tokens(batch)) {
    if (token.kind === "unterminated") return err("a quoted text does not end");
    if (token.kind === "word" && NEVER.has(token.text.toLowerCase()))
      return err(`"${token.text}" is not for a batch of ours`);
    if (token.text === "{" && token.kind === "mark") depth++;
    if (token.text === "}" && token.kind === "mark" && --depth < 0) return err("a brace closes that was not opened");
    // The block of a table ends its statement; that of a set of values inside a rule does not.
    const closesTable =
      token.kind === "mark" && token.text === "}" && depth === 0 && statement.slice(0, 2).includes("table");
    const ends = closesTable || (token.kind === "mark" && (token.text === "\n" || token.text === ";"));
    if (depth > 0 || !ends) {
      // The head of a statement is all that says which table it is about; a block belongs to its head.
      if (depth === 0 || (depth === 1 && token.text === "{"))
        statement.push(token.kind === "quoted" ? `"${token.text}"` : token.text);
      continue;
    }
    const checked = checkStatement(statement);
    if (!checked.ok) return checked;
    statement = [];
  }
  if (depth !== 0) return err("a brace is not closed");
  return checkStatement(statement);
}

function checkStatement(words: readonly string[]): Result<null, string> {
  if (words.length === 0) return ok(null);
  const rest = [...words];
  if (VERBS.has(rest[0] ?? "")) rest.shift();
  else if (rest[0] !== "table") return err(`a statement begins with "${rest[0]}"`);
  const object = rest.shift() ?? "";
  if (!OBJECTS.has(object)) return err(`a statement is about "${object}"`);
  if (object === "ct" && !CT_OBJECTS.has(rest.shift() ?? ""))
    return err("a statement is about an unknown kind of ct object");
  if (rest[0] !== OWN_TABLE.family || rest[1] !== OWN_TABLE.name) {
    return err(
      `a statement is about the table "${rest.slice(0, 2).join(" ")}"; only ${OWN_TABLE.family} ${OWN_TABLE.name} is ours`,
    );
  }
  return ok(null);
}

type Token = { readonly kind: "word" | "quoted" | "mark" | "unterminated"; readonly text: string };

function* tokens(batch: string): Generator<Token, void> {
  for (let at = 0; at < batch.length;) {
    const char = batch[at] ?? "";
    if (char === "#") {
      const end = batch.indexOf("\n", at);
      at = end === -1 ? batch.length : end;
    } else if (char === '"') {
      const end = batch.indexOf('"', at + 1);
      if (end === -1) {
        yield { kind: "unterminated", text: "" };
        return;
      }
      yield { kind: "quoted", text: batch.slice(at + 1, end) };
      at = end + 1;
    } else if ("{};\n".includes(char)) {
      yield { kind: "mark", text: char };
      at++;
    } else if (/\s/.test(char)) at++;
    else {
      const word = /^[^\s{};"#]+/.exec(batch.slice(at, at + 4096))?.[0] ?? char;
      yield { kind: "word", text: word };
      at += word.length;
    }
  }
}
