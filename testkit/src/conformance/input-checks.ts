import { create, toBinary, type DescMessage, type DescMethodUnary, type MessageInitShape } from "@bufbuild/protobuf";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { ModuleConfigRequestSchema, ModuleService } from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import { demand, must, type Bench } from "./bench.ts";
import type { Check } from "./check.ts";
import type { Answer } from "./module-client.ts";

const { method } = ModuleService;

/** Bytes: above what any process of ours sends in one message (64 MiB). */
const TOO_LARGE = 65 * 1024 * 1024;
/** Field 1000 as a varint 1: of a message of some later version. */
const UNKNOWN_FIELD = Uint8Array.of(0xc0, 0x3e, 0x01);
/** A length that runs past the end. */
const NO_MESSAGE = Uint8Array.of(0x0a, 0x7f, 0x01);

/** What no module may take, and what every module must bear. */
export const INPUT_CHECKS: readonly Check[] = [
  harmless("an invalid config is refused by findings that name the field", async ({ client, moduleCase }) => {
    for (const { config, field } of moduleCase.configs.invalid) {
      const { findings } = must(await client.call(method.validate, { configJson: canonicalJson(config) }), "Validate");
      const error = findings.find(({ severity, path }) => severity === "error" && path.includes(field));
      demand(
        error !== undefined,
        `Validate has no error whose path holds "${field}": ${JSON.stringify(findings.map(({ path }) => path))}`,
      );
      demand(
        error.code !== "" && error.message !== "" && error.remedy !== "",
        `the finding at ${error.path} has no code, message or remedy`,
      );
    }
  }),
  harmless("an invalid config is never planned", async (bench) => {
    for (const { config, field } of bench.moduleCase.configs.invalid) {
      const answer = await bench.client.call(method.plan, bench.planRequest(config));
      if (!answer.ok) demandRefused(answer, field);
      else {
        demand(answer.message.steps.length === 0, `Plan has steps for a config with a wrong "${field}"`);
        const named = answer.message.findings.some(
          ({ severity, path }) => severity === "error" && path.includes(field),
        );
        demand(named, `Plan has no error whose path holds "${field}"`);
      }
    }
  }),
  ...(["verify", "persist", "load"] as const).map((call) =>
    harmless(`${method[call].name} refuses an invalid config and names the field`, async ({ client, moduleCase }) => {
      for (const { config, field } of moduleCase.configs.invalid) {
        demandRefused(await client.call(method[call], { configJson: canonicalJson(config) }), field);
      }
    }),
  ),
  harmless("what is not JSON is refused", async (bench) => {
    for (const text of ["", "{", "nothing"]) {
      for (const call of ["validate", "verify", "persist", "load"] as const) {
        const bytes = toBinary(ModuleConfigRequestSchema, create(ModuleConfigRequestSchema, { configJson: text }));
        demandRefused(await bench.client.send(method[call].name, bytes), "config_json");
      }
      for (const field of ["configJson", "confirmedJson", "managementPathJson"] as const) {
        const request = { ...bench.planRequest(bench.moduleCase.configs.b), [field]: text };
        demandRefused(await bench.client.call(method.plan, request), method.plan.input.field[field].name);
      }
      demandRefused(await bench.client.call(method.restore, { snapshotJson: text }), "snapshot_json");
    }
  }),
  harmless("what is no snapshot is not restored", async ({ client }) => {
    for (const snapshotJson of ["null", "[]", "{}", '{"a":{"b":[1,"x"]}}']) {
      const answer = await client.call(method.restore, { snapshotJson });
      demand(!answer.ok || answer.message.mismatches.length > 0, `Restore takes ${snapshotJson} for a snapshot`);
    }
  }),
  harmless("a message that is too large is refused", async (bench) => {
    const answer = await bench.client.call(method.validate, { configJson: `"${"x".repeat(TOO_LARGE)}"` });
    demand(!answer.ok, `a message of ${TOO_LARGE} bytes was taken`);
    demand(answer.status === "RESOURCE_EXHAUSTED", `refused with ${answer.status}; expected RESOURCE_EXHAUSTED`);
  }),
  harmless("bytes that are no message are refused", async ({ client }) => {
    demand(!(await client.send(method.verify.name, NO_MESSAGE)).ok, "Verify answers to bytes that are no message");
  }),
  harmless("an unknown call is refused as unimplemented", async ({ client }) => {
    const answer = await client.send("Explode", new Uint8Array());
    demand(
      !answer.ok && answer.status === "UNIMPLEMENTED",
      `an unknown call was answered with ${answer.ok ? "OK" : answer.status}`,
    );
  }),
  harmless("a field of a later version is passed over", async (bench) => {
    const plan = bench.planRequest(bench.moduleCase.configs.b);
    await demandSameWithUnknownField(bench, method.describe, {});
    await demandSameWithUnknownField(bench, method.verify, { configJson: canonicalJson(bench.moduleCase.configs.a) });
    await demandSameWithUnknownField(bench, method.plan, plan);
  }),
];

async function demandSameWithUnknownField<Input extends DescMessage, Output extends DescMessage>(
  { client }: Bench,
  call: DescMethodUnary<Input, Output>,
  request: MessageInitShape<Input>,
): Promise<void> {
  const known = await client.call(call, request);
  must<unknown>(known, call.name);
  const more = await client.send(
    call.name,
    Buffer.concat([toBinary(call.input, create(call.input, request)), UNKNOWN_FIELD]),
  );
  must(more, `${call.name} with an unknown field`);
  const same = known.ok && more.ok && Buffer.from(known.bytes).equals(more.bytes);
  demand(same, `${call.name} answers otherwise when its message has a field that it does not know`);
}

function demandRefused(answer: Answer<unknown>, field: string): void {
  demand(!answer.ok, `a call with a wrong "${field}" was answered with OK`);
  demand(answer.status === "INVALID_ARGUMENT", `refused with ${answer.status}; expected INVALID_ARGUMENT`);
  demand(answer.text.includes(field), `refused without naming "${field}": ${answer.text}`);
}

/** The server is as before, and the module still answers. */
function harmless(name: string, run: (bench: Bench) => Promise<void>): Check {
  return {
    rule: "contract",
    name,
    from: "a",
    run: async (bench) => {
      const before = await bench.look();
      await run(bench);
      await bench.unchangedSince(before, "bad input");
    },
  };
}
