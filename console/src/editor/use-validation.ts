import { useEffect, useRef, useState } from "react";
import { type Answer, call, Unreachable } from "../api/client.ts";

/** After the last keystroke: short enough to feel immediate, long enough not to ask for every letter. */
const QUIET_MS = 350;
/** Longer with the text: a control plane reads a million characters in some two seconds, in which it does nothing else. */
const QUIET_MS_PER_CHARACTER = 0.002;
/** While the control plane does not answer. */
const AGAIN_MS = 4000;

export interface Validation {
  readonly state: "checking" | "checked" | "unreachable";
  /** Of the newest text that was checked: they stay on screen while a newer one is checked. */
  readonly findings: Answer<"validateDocuments">["findings"];
}

/** Findings while typing. An answer to an older text is dropped. */
export function useValidation(text: string): Validation {
  const [validation, setValidation] = useState<Validation>({ state: "checking", findings: [] });
  const newest = useRef("");
  useEffect(() => {
    newest.current = text;
    setValidation((before) => ({ ...before, state: "checking" }));
    const abort = new AbortController();
    let timer = window.setTimeout(() => void ask(), QUIET_MS + text.length * QUIET_MS_PER_CHARACTER);
    async function ask(): Promise<void> {
      try {
        const { findings } = await call("validateDocuments", { body: { text }, signal: abort.signal });
        if (newest.current === text) setValidation({ state: "checked", findings });
      } catch (error) {
        if (abort.signal.aborted) return;
        setValidation((before) => ({ ...before, state: "unreachable" }));
        // A refusal will not change by asking again; silence may.
        if (error instanceof Unreachable) timer = window.setTimeout(() => void ask(), AGAIN_MS);
      }
    }
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [text]);
  return validation;
}
