import { readFileSync } from "node:fs";
import { join } from "node:path";
import { APPLY_STATES, EFFECTS, PHASES, TRANSITIONS } from "@holdfast/core/apply/state.ts";
import { LEDGER_FIRST, LEDGER_KINDS, LEDGER_NEXT } from "@holdfast/core/ledger/kind.ts";
import { expect, test } from "vitest";
import { REPOSITORY_ROOT } from "../src/repository.ts";

/**
 * The model proves nothing about the code unless both speak of the same things. Here the words and the two tables of moves are compared
 * with core's; what one side has alone must be named in map.json with its reason.
 */
type Words = Readonly<Record<string, string>>;
interface ModelMap {
  readonly states: Words;
  readonly effects: Words;
  readonly ledger: Words;
  readonly phases: Readonly<Record<string, readonly string[]>>;
  readonly kinds: Words;
  readonly verbs: Words;
  readonly replies: Words;
  readonly onlyInTheModel: Words;
  readonly onlyInTheCode: {
    readonly states: Words;
    readonly moves: Words;
    readonly records: Words;
    readonly replies: Words;
  };
}

const FOLDER = join(REPOSITORY_ROOT, "docs/protocol/model");
const MODEL = readFileSync(join(FOLDER, "apply.pml"), "utf8");
const MAP = JSON.parse(readFileSync(join(FOLDER, "map.json"), "utf8")) as ModelMap;

function wordsOf(mtype: string): readonly string[] {
  const list = new RegExp(String.raw`^mtype:${mtype} = \{([^}]*)\}`, "m").exec(MODEL)?.[1];
  if (list === undefined) throw new Error(`apply.pml declares no mtype:${mtype}`);
  return list.split(",").map((word) => word.trim());
}

/** The pairs of a relation written in the model as `#define name(from, to) ( … )`, each as "from to". */
function movesOf(name: string, from: string, to: string): readonly string[] {
  const body = new RegExp(String.raw`^#define ${name}\(${from}, ${to}\) \(((?:.*\\\n)*.*)\)$`, "m").exec(MODEL)?.[1];
  if (body === undefined) throw new Error(`apply.pml defines no ${name}(${from}, ${to})`);
  const clause = new RegExp(String.raw`\(${from} == (\w+) && \(?((?:${to} == \w+(?: \|\| )?)+)\)?\)`, "g");
  return [...body.matchAll(clause)].flatMap(([, source, targets]) =>
    [...(targets ?? "").matchAll(/== (\w+)/g)].map(([, target]) => `${source} ${target}`),
  );
}

function sorted(words: Iterable<string>): readonly string[] {
  return [...new Set(words)].toSorted();
}

test.each([
  ["state", MAP.states],
  ["effect", MAP.effects],
  ["ledger", MAP.ledger],
  ["phase", MAP.phases],
  ["kind", MAP.kinds],
  ["verb", MAP.verbs],
  ["word", MAP.replies],
] as const)("each mtype:%s of the model is mapped, and nothing else is", (mtype, mapped) => {
  const ofTheModelAlone = wordsOf(mtype).filter((word) => word in MAP.onlyInTheModel);
  expect(sorted([...Object.keys(mapped), ...ofTheModelAlone])).toEqual(sorted(wordsOf(mtype)));
  expect(Object.keys(mapped).filter((word) => word in MAP.onlyInTheModel)).toEqual([]);
});

test("each word of the code is in the model, or named with the reason why not", () => {
  expect(sorted([...Object.values(MAP.states), ...Object.keys(MAP.onlyInTheCode.states)])).toEqual(
    sorted(APPLY_STATES),
  );
  expect(sorted(Object.values(MAP.effects))).toEqual(sorted(EFFECTS));
  expect(sorted(Object.values(MAP.ledger))).toEqual(sorted(LEDGER_KINDS));
  expect(sorted(Object.values(MAP.phases).flat())).toEqual(sorted(PHASES));
});

test("the answers of the model are those of the contract", () => {
  const contract = readFileSync(join(REPOSITORY_ROOT, "proto/holdfast/v1/transaction.proto"), "utf8");
  const phases = [...contract.matchAll(/^ {2}TRANSACTION_PHASE_(\w+) = \d+;$/gm)].map(([, phase]) => phase ?? "");
  expect(phases.length).toBeGreaterThan(0);
  expect(sorted([...Object.values(MAP.replies), ...Object.keys(MAP.onlyInTheCode.replies)])).toEqual(sorted(phases));
  const service = readFileSync(join(REPOSITORY_ROOT, "proto/holdfast/v1/host.proto"), "utf8");
  for (const verb of Object.values(MAP.verbs)) expect(service).toContain(`rpc ${verb}(`);
});

test("an apply moves in the model exactly as core's table allows", () => {
  const ofTheModel = movesOf("legal", "s", "t").map((move) => {
    const [from = "", to = ""] = move.split(" ");
    return `${MAP.states[from]} ${MAP.states[to]}`;
  });
  const ofTheCode = Object.entries(TRANSITIONS).flatMap(([from, rows]) => rows.map(({ to }) => `${from} ${to}`));
  expect(sorted([...ofTheModel, ...Object.keys(MAP.onlyInTheCode.moves)])).toEqual(sorted(ofTheCode));
});

test("records follow one another in the model exactly as core's table allows", () => {
  const ofTheModel = movesOf("follows", "l", "k").map((move) => {
    const [last = "", next = ""] = move.split(" ");
    return `${MAP.ledger[last]} ${MAP.ledger[next]}`;
  });
  const ofTheCode = Object.entries(LEDGER_NEXT).flatMap(([last, nexts]) => nexts.map((next) => `${last} ${next}`));
  expect(sorted([...ofTheModel, ...Object.keys(MAP.onlyInTheCode.records)])).toEqual(sorted(ofTheCode));
  expect(sorted(LEDGER_FIRST)).toEqual(["prepared", "refused"]);
});

test("each mistake in the model is run and must be refuted; so is each witness, which must be reached", () => {
  const runs = readFileSync(join(FOLDER, "runs.txt"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .map(([name = "", slice = "", expectation = ""]) => ({ name, slice, expectation }));
  const inEveryMerge = runs.filter((run) => run.slice === "ci");
  const named = (expectation: string): readonly string[] =>
    sorted(inEveryMerge.filter((run) => run.expectation === expectation).map((run) => run.name));

  const mistakes = [...MODEL.matchAll(/^#(?:ifdef|ifndef|elif) (BUG_\w+)/gm)].map(([, name]) => name ?? "");
  expect(named("refuted")).toEqual(sorted(mistakes));
  expect(named("refuted").length).toBeGreaterThanOrEqual(12);
  const witnesses = [...MODEL.matchAll(/^#define ([A-Z_]+) \(/gm)].map(([, name]) => name ?? "");
  expect(named("reached")).toEqual(sorted(witnesses));
  expect(named("holds").length).toBeGreaterThan(0);
});
