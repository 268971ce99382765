import fc from "fast-check";
import { expect, test } from "vitest";
import { LONGEST_REQUEST, parseRequestText, requestPem } from "./request-text.ts";

const BODY = `MII${"B".repeat(97)}`;
const pem = (kind: string, body = BODY): string => `-----BEGIN ${kind}-----\n${body}\n-----END ${kind}-----\n`;

test("one request, in either of its two names, with any line ends", () => {
  for (const kind of ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"])
    expect(parseRequestText(`\r\n${pem(kind).replaceAll("\n", "\r\n")}`)).toEqual({ ok: true, value: BODY });
  expect(parseRequestText(requestPem(BODY))).toEqual({ ok: true, value: BODY });
});

test.each([
  ["a private key", pem("PRIVATE KEY"), "counts as spilt"],
  ["a request with its key", `${pem("CERTIFICATE REQUEST")}${pem("EC PRIVATE KEY")}`, "never leave the device"],
  ["an encrypted key", pem("ENCRYPTED PRIVATE KEY"), "never leave the device"],
  ["two requests", pem("CERTIFICATE REQUEST").repeat(2), "2 blocks of PEM"],
  ["a certificate", pem("CERTIFICATE"), "this is a certificate"],
  ["a public key", pem("PUBLIC KEY"), "no request for a certificate"],
  ["two names", pem("CERTIFICATE REQUEST").replace("END ", "END NEW "), "no request for a certificate"],
  ["text around it", `hello ${pem("CERTIFICATE REQUEST")}`, "no request for a certificate"],
  ["nothing", "", "no request for a certificate"],
  ["half of it", pem("CERTIFICATE REQUEST").slice(0, 90), "no request for a certificate"],
  ["too much", pem("CERTIFICATE REQUEST", "B".repeat(LONGEST_REQUEST)), "at most 16000"],
])("%s is refused with what to do, and not repeated", (_, text, words) => {
  const refused = parseRequestText(text);
  expect(refused).toMatchObject({ ok: false, error: expect.stringContaining(words) });
  expect(JSON.stringify(refused)).toContain("paste one request");
  expect(JSON.stringify(refused)).not.toContain("BBBB");
});

test("whatever is accepted is base64 and nothing else", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const read = parseRequestText(pem("CERTIFICATE REQUEST", text));
      if (read.ok) expect(read.value).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
    }),
  );
});
