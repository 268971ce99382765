/**
 * Where people look at the log and the trace of a transaction: addresses of somebody else's program, in which its ids are put. Only whoever starts
 * the control plane says them, so that no page can be made to lead elsewhere.
 */
export interface EvidenceLinks {
  /** With `{request_id}`; null: nowhere. */
  readonly logs: string | null;
  /** With `{trace_id}`; null: nowhere. */
  readonly trace: string | null;
}

export const NO_EVIDENCE_LINKS: EvidenceLinks = { logs: null, trace: null };

type Environment = Readonly<Record<string, string | undefined>>;

export function readEvidenceLinks(env: Environment, problems: string[]): EvidenceLinks {
  const read = (name: string, id: string, example: string): string | null => {
    const text = env[name] ?? "";
    if (text === "") return null;
    const url = URL.canParse(text) ? new URL(text) : null;
    if (
      url !== null &&
      /^https?:$/.test(url.protocol) &&
      url.username === "" &&
      url.password === "" &&
      text.includes(id)
    )
      return text;
    problems.push(`${name}: expected an http or https address with ${id} in it and no password, such as ${example}`);
    return null;
  };
  return {
    logs: read("HOLDFAST_LOGS_LINK", REQUEST_ID, `https://logs.example/search?q=${REQUEST_ID}`),
    trace: read("HOLDFAST_TRACE_LINK", TRACE_ID, `https://traces.example/trace/${TRACE_ID}`),
  };
}

const REQUEST_ID = "{request_id}";
const TRACE_ID = "{trace_id}";

/** Of one transaction; without its id there is no link. */
export function linksTo({ logs, trace }: EvidenceLinks, requestId: string, traceId: string | null): EvidenceLinks {
  return {
    logs: logs === null ? null : logs.replaceAll(REQUEST_ID, encodeURIComponent(requestId)),
    trace: trace === null || traceId === null ? null : trace.replaceAll(TRACE_ID, encodeURIComponent(traceId)),
  };
}
