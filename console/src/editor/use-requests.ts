import { readRequestText } from "@holdfast/core/policy/request-text.ts";
import { useQueries } from "@tanstack/react-query";
import { queries } from "../api/queries.ts";
import type { RequestReading } from "./certify.ts";

/** What is known of each of these requests, as they are pasted. Nothing that does not have the form of a request is sent anywhere. */
export function useRequests(server: string, texts: readonly string[]): readonly RequestReading[] {
  const forms = texts.map((text) => readRequestText(text));
  const answers = useQueries({
    queries: forms.map((form) => ({
      ...queries.personRequest(server, form.ok ? form.value : ""),
      enabled: form.ok && server !== "",
    })),
  });
  return texts.map((text, at): RequestReading => {
    const [form, answer] = [forms[at], answers[at]];
    if (form === undefined || answer === undefined || text.trim() === "") return { state: "none" };
    if (!form.ok) return { state: "wrong", flaw: form.error, says: null };
    if (server === "") return { state: "none" };
    if (answer.error !== null) return { state: "unknown", error: answer.error };
    if (answer.data === undefined) return { state: "asking" };
    const { says, flaw, holder } = answer.data;
    if (flaw !== null) return { state: "wrong", flaw: flaw.kind, says };
    return says === null ? { state: "wrong", flaw: "unreadable", says } : { state: "good", says, holder };
  });
}
