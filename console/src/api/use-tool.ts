import type { toolAskSchema } from "@holdfast/core/api/tool.ts";
import { useEffect, useState } from "react";
import type { z } from "zod";
import { NOTHING_RUN, type ToolRun, toolRunReader } from "../live/tool-run.ts";
import { follow, Unreachable } from "./client.ts";

export type ToolForm = z.input<typeof toolAskSchema>;

export interface UsedTool {
  /** What was asked for last; null before the first. */
  readonly asked: ToolForm | null;
  readonly run: ToolRun;
  readonly isRunning: boolean;
  /** Why it could not begin, or how it was cut. */
  readonly error: Error | null;
  readonly begin: (form: ToolForm) => void;
  readonly stop: () => void;
}

/** A run of a tool on a server: begun by a press, ended by itself, by another press, or by leaving the page. */
export function useTool(name: string): UsedTool {
  const [asked, setAsked] = useState<ToolForm | null>(null);
  const [run, setRun] = useState(NOTHING_RUN);
  const [isRunning, setRunning] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => {
    if (!isRunning || asked === null) return undefined;
    const leave = new AbortController();
    const read = toolRunReader();
    setError(null);
    setRun(NOTHING_RUN);
    follow("useTool", { name }, leave.signal, (part) => setRun(read(part)), asked)
      .catch((cause: unknown) => {
        if (leave.signal.aborted) return;
        setError(cause instanceof Error ? cause : new Unreachable(String(cause)));
      })
      .finally(() => {
        if (!leave.signal.aborted) setRunning(false);
      });
    return () => leave.abort();
  }, [name, isRunning, asked]);
  return {
    asked,
    run,
    isRunning,
    error,
    begin: (form) => {
      setAsked(form);
      setRunning(true);
    },
    stop: () => {
      setRunning(false);
      // The control plane ends it when this page goes; what it would say of that comes to nobody.
      setRun((before) => ({ ...before, lost: null, ended: before.ended ?? { outcome: "stopped", message: "" } }));
    },
  };
}
