import { readOtlpRequest, type TakenSpan } from "@holdfast/testkit/collector/otlp-request.ts";
import { InsideProgram } from "@holdfast/testkit/servers/inside-program.ts";
import type { Collected } from "@holdfast/testkit/servers/inside/collect.ts";
import type { LabNode } from "@holdfast/testkit/servers/node.ts";
import { until } from "@holdfast/testkit/until.ts";
import { CLIENT_ADDRESS } from "./documents.ts";

const PORT = 4318;
/** What a control plane is told, so that its spans come here. */
export const TRACES = { HOLDFAST_TRACES_URL: `http://${CLIENT_ADDRESS}:${PORT}/v1/traces` };
/** Spans leave in batches, every few seconds. */
const ALL_HERE_WITHIN_MS = 20_000;

/** Takes the spans of one house. Must be closed. */
export class TraceTap {
  readonly #spans: TakenSpan[] = [];
  readonly #program: InsideProgram;

  private constructor(program: InsideProgram) {
    this.#program = program;
    program.listen((told) => {
      this.#spans.push(...readOtlpRequest(JSON.parse((told as Collected).body)));
    });
  }

  static async beside(client: LabNode): Promise<TraceTap> {
    return new TraceTap(await InsideProgram.start(client, "collect", { port: PORT, address: CLIENT_ADDRESS }));
  }

  get count(): number {
    return this.#spans.length;
  }

  /** The newest trace that has a span of this name, a line for each span: when it began, how long it took, and under what. */
  async lastWith(name: string): Promise<readonly string[]> {
    let seen = -1;
    await until(
      "the last spans",
      () => {
        const isQuiet = seen === this.count && this.#spans.some((span) => span.name === name);
        seen = this.count;
        return Promise.resolve(isQuiet);
      },
      ALL_HERE_WITHIN_MS,
      6_000,
    );
    const traceId = this.#spans.findLast((span) => span.name === name)?.traceId;
    return tree(this.#spans.filter((span) => span.traceId === traceId));
  }

  async close(): Promise<void> {
    await this.#program.stop();
  }
}

const NS_PER_MS = 1e6;

function tree(spans: readonly TakenSpan[]): readonly string[] {
  const inOrder = spans.toSorted((left, right) => Number(left.startNs - right.startNs));
  const began = inOrder[0]?.startNs ?? 0n;
  const ids = new Set(spans.map(({ id }) => id));
  const under = (parent: string | null, depth: number): readonly string[] =>
    inOrder
      .filter((span) => (parent === null ? span.parent === null || !ids.has(span.parent) : span.parent === parent))
      .flatMap((span) => [line(span, began, depth), ...under(span.id, depth + 1)]);
  return under(null, 0);
}

function line({ startNs, endNs, name, service }: TakenSpan, began: bigint, depth: number): string {
  const at = (Number(startNs - began) / NS_PER_MS).toFixed(1).padStart(9);
  const took = (Number(endNs - startNs) / NS_PER_MS).toFixed(1).padStart(8);
  return `${at} ${took}  ${"  ".repeat(depth)}${name} (${service})`;
}
