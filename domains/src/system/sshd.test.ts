import fc from "fast-check";
import { expect, test } from "vitest";
import { systemConfig } from "../../test/system-arbitrary.ts";
import { whoEnters } from "./sshd-access.ts";
import {
  effectiveProblem,
  parseEffective,
  parseSshdText,
  sshdEffective,
  sshdText,
  withIncludesFrom,
} from "./sshd-text.ts";

test("every text that we make is one that the performer takes", () => {
  fc.assert(
    fc.property(systemConfig, ({ ssh }) => {
      if (ssh !== undefined) expect(parseSshdText(sshdText(ssh))).toEqual({ ok: true, value: null });
    }),
  );
});

test.each([
  ["a keyword of which we know nothing", "AuthorizedKeysCommand /bin/sh"],
  ["a block that holds for some only", "Match all"],
  ["a file of others", "Include /tmp/evil"],
  ["another banner", "Banner /etc/shadow"],
  ["a value with quotes", 'AllowUsers "kim"'],
  ["nothing", ""],
])("the performer refuses %s", (_what, line) => {
  const text = sshdText({ maxTries: 3 });
  expect(parseSshdText(text).ok).toBe(true);
  expect(parseSshdText(`${text}${line}\n`).ok).toBe(false);
  expect(parseSshdText(text.replace("# Made", "# made")).ok).toBe(false);
});

test("what sshd makes of it is compared value by value; another file that wins is named", () => {
  const wanted = sshdEffective({
    port: [22, 2222],
    rootLogin: "keys",
    ciphers: ["a", "b"],
    allowUsers: ["kim", "lee"],
  });
  const said =
    "port 2222\nport 22\npermitrootlogin without-password\nciphers a,b\nallowusers lee\nallowusers kim\nx11forwarding no\n";
  expect(effectiveProblem(wanted, parseEffective(said))).toBeNull();
  expect(effectiveProblem(wanted, parseEffective(said.replace("without-password", "yes")))).toContain(
    "permitrootlogin yes",
  );
  // The order of ciphers is what is preferred.
  expect(effectiveProblem(wanted, parseEffective(said.replace("a,b", "b,a")))).toContain("ciphers");
  expect(effectiveProblem(wanted, parseEffective(said.replace("port 2222\n", "")))).toContain("port 22");
});

test("the copy that sshd is asked about includes the copy of the folder, and a main file that includes nothing is seen", () => {
  const main = "# Debian\nInclude /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n";
  expect(withIncludesFrom(main, "/etc/ssh/sshd_config.d", "/run/check")).toBe(
    "# Debian\nInclude /run/check/*.conf\nUsePAM yes\n",
  );
  expect(withIncludesFrom("UsePAM yes\n", "/etc/ssh/sshd_config.d", "/run/check")).toBeNull();
});

test("patterns of accounts are read as sshd reads them", () => {
  const account = (name: string, groups: readonly string[]) =>
    ({
      name,
      uid: 1000,
      shell: "/bin/sh",
      groups,
      primary: name,
      comment: "",
      expires: "",
      keys: 1,
      password: "locked",
    }) as const;
  const accounts = [account("kim", ["ops"]), account("lee", ["dev"]), account("a.b", ["ops", "dev"])];
  const enters = (effective: Record<string, readonly string[]>) => whoEnters(effective, accounts, null);
  expect(enters({})).toEqual(["a.b", "kim", "lee"]);
  expect(enters({ allowusers: ["k*"] })).toEqual(["kim"]);
  expect(enters({ allowusers: ["?im", "lee@10.*"] })).toEqual(["kim", "lee"]);
  expect(enters({ denyusers: ["a?b"], allowgroups: ["ops"] })).toEqual(["kim"]);
  expect(enters({ denygroups: ["d*"] })).toEqual(["kim"]);
  expect(enters({ pubkeyauthentication: ["no"], passwordauthentication: ["yes"] })).toEqual([]);
  expect(enters({ authorizedkeysfile: ["/etc/keys/%u"] })).toBeNull();
});
