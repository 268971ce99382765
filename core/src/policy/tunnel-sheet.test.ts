import { expect, test } from "vitest";
import { tunnelSheetText } from "./tunnel-sheet.ts";

test("as a text to send: whose it is, then the values below each other", () => {
  const text = tunnelSheetText("seoul-acme", {
    end: "acme",
    reader: "the administrator of acme",
    rows: [
      ["version", "IKEv2 only"],
      ["IKE proposals", "aes256gcm16-prfsha384-ecp384"],
    ],
  });
  expect(text).toBe(
    "Tunnel seoul-acme: parameters for the administrator of acme\n\n" +
      "version        IKEv2 only\n" +
      "IKE proposals  aes256gcm16-prfsha384-ecp384\n",
  );
});
