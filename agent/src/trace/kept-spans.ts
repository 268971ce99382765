import { type AgentSpans, joinAgentSpans, MOST_AGENT_SPANS, NO_AGENT_SPANS } from "@holdfast/core/trace/agent-span.ts";

/** Traces. One server has one transaction at a time, and its control plane asks when it has ended. */
const MOST_TRACES = 4;

/** What the session keeps until it is asked: also what came after the connection was cut that it was to be answered over. */
export class KeptSpans {
  readonly #traces = new Map<string, AgentSpans>();

  add(traceId: string, more: AgentSpans): void {
    this.#traces.set(traceId, joinAgentSpans(this.of(traceId), more, MOST_AGENT_SPANS));
    const [oldest] = this.#traces.keys();
    if (this.#traces.size > MOST_TRACES && oldest !== undefined) this.#traces.delete(oldest);
  }

  of(traceId: string): AgentSpans {
    return this.#traces.get(traceId) ?? NO_AGENT_SPANS;
  }
}
