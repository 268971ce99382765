import { expect, test } from "vitest";
import { linksTo, NO_EVIDENCE_LINKS, readEvidenceLinks } from "./evidence-links.ts";

test("addresses of logs and traces get the ids of a transaction, and lead nowhere without them", () => {
  const problems: string[] = [];
  const links = readEvidenceLinks(
    {
      HOLDFAST_LOGS_LINK: "https://logs.example/{request_id}?q={request_id}",
      HOLDFAST_TRACE_LINK: "http://127.0.0.1:3000/trace/{trace_id}",
    },
    problems,
  );
  expect(problems).toEqual([]);
  expect(linksTo(links, "a/b", "0af7")).toEqual({
    logs: "https://logs.example/a%2Fb?q=a%2Fb",
    trace: "http://127.0.0.1:3000/trace/0af7",
  });
  expect(linksTo(links, "a", null).trace).toBeNull();
  expect(linksTo(readEvidenceLinks({}, problems), "a", "b")).toEqual(NO_EVIDENCE_LINKS);
});

test("what is no address with its id in it is named, and a password in it is not repeated", () => {
  for (const wrong of [
    "logs.example/{request_id}",
    "javascript:alert('{request_id}')",
    "https://logs.example/",
    "https://kim:very-secret@logs.example/{request_id}",
  ]) {
    const problems: string[] = [];
    expect(readEvidenceLinks({ HOLDFAST_LOGS_LINK: wrong }, problems).logs, wrong).toBeNull();
    expect(problems).toEqual([
      expect.stringContaining("HOLDFAST_LOGS_LINK: expected an http or https address with {request_id}"),
    ]);
    expect(problems[0]).not.toContain("very-secret");
  }
});
