import type { InstanceId } from "@holdfast/core/base/id.ts";
import type { Logger } from "pino";
import packageJson from "../../package.json" with { type: "json" };
import type { TracesConfig } from "../config.ts";
import { OtlpTraces } from "./otlp-traces.ts";
import { NO_TRACES, type Traces } from "./traces.ts";

export function openTraces(config: TracesConfig | null, instanceId: InstanceId, log: Logger): Traces {
  if (config === null) return NO_TRACES;
  return new OtlpTraces({
    url: config.url,
    authorization: config.authorization,
    by: { version: packageJson.version, instanceId },
    log,
  });
}
