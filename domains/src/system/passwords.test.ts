import { expect, test } from "vitest";
import { SimulatedSystem } from "../../test/simulated-system.ts";
import { system } from "./domain.ts";
import { FAILLOCK_FILE, faillockText, parseFaillockText, readLockout } from "./faillock-text.ts";
import { parseLoginLine, withLoginLine } from "./login-defs.ts";
import type { SystemConfig } from "./model.ts";
import { pamLines } from "./pam-stack.ts";
import { parseQualityText, QUALITY_MAIN, qualityText } from "./quality-text.ts";
import { systemSectionSchema } from "./section.ts";

const QUALITY = { length: 12, dictionary: true, root: false } as const;

function findingsOf(server: SimulatedSystem, passwords: SystemConfig["passwords"]) {
  const managementPath = { controlPlane: [], inbound: [] };
  const desired: SystemConfig = passwords === undefined ? {} : { passwords };
  return system.plan({ desired, confirmed: null, observed: server.observe(), managementPath }).findings;
}
const codes = (server: SimulatedSystem, passwords: SystemConfig["passwords"]) =>
  findingsOf(server, passwords).map(({ code }) => code);

test("a length is the length: what counts twice in the files of others is turned off with it", () => {
  expect(qualityText({ length: 12, digits: 1, dictionary: true, root: true }).split("\n").slice(1)).toEqual([
    "minlen = 12",
    "dcredit = -1",
    "ucredit = 0",
    "lcredit = 0",
    "ocredit = 0",
    "dictcheck = 1",
    "enforce_for_root",
    "enforcing = 1",
    "",
  ]);
});

test("without the modules in PAM nothing is planned, and the server says so before anybody asks", () => {
  const server = new SimulatedSystem();
  expect(codes(server, { quality: QUALITY })).toEqual([]);
  server.texts = {
    "pam sshd": "@include common-auth\n",
    "pam common-auth": "auth required pam_unix.so # pam_faillock.so\n",
  };
  expect(codes(server, { quality: QUALITY, lockout: { after: 5 } })).toEqual([
    "system.passwords_not_judged",
    "system.lockout_not_counted",
  ]);
  const lacks = system.lacks(server.observe());
  expect(lacks.map(({ feature }) => feature)).toEqual(
    expect.arrayContaining(["passwords.quality", "passwords.lockout"]),
  );
  server.texts = { "pam sshd": "auth required pam_faillock.so preauth\n" };
  expect(codes(server, { lockout: { after: 5 } })).toEqual(["system.lockout_not_counted"]);
});

test("what is read after ours, and a word that no file takes back, is named with its line", () => {
  const server = new SimulatedSystem();
  server.folders.set("/etc/security/pwquality.conf.d", {
    "20-site.conf": "minlen = 20\nenforce_for_root\n",
    "99-site.conf": "# house\nminlen = 8\ndictcheck=1\n",
  });
  server.texts = {
    ...server.texts,
    [QUALITY_MAIN]: "# minlen = 8\nucredit = 1\n",
    "pam common-password": "# house\npassword requisite pam_pwquality.so retry=3 minlen=6\n",
  };
  expect(findingsOf(server, { quality: QUALITY }).map(({ message }) => message)).toEqual([
    expect.stringMatching(/20-site.conf line 2 says enforce_for_root, /),
    expect.stringMatching(/99-site.conf line 2 says minlen = 8, /),
    expect.stringMatching(/pwquality.conf line 2 says ucredit = 1, /),
    expect.stringMatching(/common-password line 2 says minlen = 6, /),
  ]);
});

test("the dictionary must be there, or nobody could set a password", () => {
  const server = new SimulatedSystem();
  server.dictionaries = "";
  expect(codes(server, { quality: QUALITY })).toEqual(["system.passwords_no_dictionary"]);
  expect(codes(server, { quality: { ...QUALITY, dictionary: false } })).toEqual([]);
});

test("of the file of pam_faillock only what the policy says is replaced, and a word of theirs is taken out", () => {
  const server = new SimulatedSystem();
  const theirs = "# house\nsilent\neven_deny_root\ndeny=9\nroot_unlock_time = 60\ndir = /srv/lock\n";
  server.entries.set(FAILLOCK_FILE, { type: "file", mode: 0o644, text: theirs });
  const text = faillockText({ after: 5, for: 600, root: false }, server.observe());
  expect(text.split("\n").slice(1)).toEqual([
    "deny = 5",
    "unlock_time = 600",
    "# house",
    "silent",
    "dir = /srv/lock",
    "",
  ]);
  expect(readLockout(text)).toEqual({ after: 5, unlock: 600, root: false, rootUnlock: 600 });
});

test("root locked for good, and a lock after one slip, are refused also where another line of the file says so", () => {
  const server = new SimulatedSystem();
  expect(codes(server, { lockout: { after: 5, for: "never", root: true } })).toContain("system.lockout_keeps_out");
  const at = (text: string): void => void server.entries.set(FAILLOCK_FILE, { type: "file", mode: 0o644, text });
  at("deny = 1\n");
  expect(codes(server, { lockout: { for: 600 } })).toEqual(["system.lockout_keeps_out"]);
  expect(codes(server, { lockout: { after: 3 } })).not.toContain("system.lockout_keeps_out");
  at("even_deny_root\nunlock_time = 0\n");
  expect(codes(server, { lockout: { after: 5 } })).toEqual(["system.lockout_keeps_out"]);
  for (const text of ["exec = 5\n", `${faillockText({ after: 5 }, null)}deny = 1\n`])
    expect(parseFaillockText(text)).toMatchObject({ ok: false });
  expect(parseFaillockText("# theirs, to go back to\ndeny = 1\n")).toMatchObject({ ok: true });
});

test("whom anybody could keep out is named; where nobody has a key it is a danger", () => {
  const server = new SimulatedSystem();
  const [by] = findingsOf(server, { lockout: { after: 5 } });
  expect(by).toMatchObject({ code: "system.lockout_by_anyone", severity: "warning" });
  expect(by?.message).toContain("By a password alone get in lee");
  server.accounts = server.accounts.map((account) => ({ ...account, keys: 0 }));
  expect(codes(server, { lockout: { after: 5 } })).toEqual(["system.lockout_everybody"]);
  server.sshd = { ...server.sshd, passwordauthentication: "no" };
  expect(codes(server, { lockout: { after: 5, root: true } })).toEqual(["system.lockout_root"]);
});

test("a word behind the module comes before the file", () => {
  const server = new SimulatedSystem();
  server.texts = {
    "pam sshd":
      "auth required pam_faillock.so preauth deny=9\nauth [default=die] pam_faillock.so authfail conf=/etc/x\n",
  };
  const overridden = findingsOf(server, { lockout: { after: 5 } }).filter(({ code }) => code.endsWith("overridden"));
  expect(overridden.map(({ message }) => message)).toEqual([
    "/etc/pam.d/sshd line 1 says deny=9.",
    "/etc/pam.d/sshd line 2 says conf=/etc/x.",
  ]);
});

test("the age of passwords is one line each, and everything else stays byte for byte, also on the way back", () => {
  const text = "# PASS_MAX_DAYS 1\n\tPASS_MAX_DAYS   99999\nUMASK 022";
  const set = withLoginLine(text, "PASS_MAX_DAYS", "PASS_MAX_DAYS\t90");
  expect(set).toBe("# PASS_MAX_DAYS 1\nPASS_MAX_DAYS\t90\nUMASK 022");
  expect(withLoginLine(set, "PASS_MAX_DAYS", "\tPASS_MAX_DAYS   99999")).toBe(text);
  const added = withLoginLine(text, "PASS_WARN_AGE", "PASS_WARN_AGE\t14");
  expect(withLoginLine(added, "PASS_WARN_AGE", null)).toBe(text);
  expect(parseLoginLine("PASS_MAX_DAYS", "\tPASS_MAX_DAYS   99999")).toMatchObject({ ok: true });
  expect(parseLoginLine("PASS_MAX_DAYS", "PASS_MAX_DAYS\t1\nUMASK 000")).toMatchObject({ ok: false });
  expect(parseLoginLine("UMASK", "UMASK\t000")).toMatchObject({ ok: false });
});

test("a line that is there in other words stays; one that is there twice is not taken", () => {
  const server = new SimulatedSystem();
  server.loginDefs = "PASS_MAX_DAYS   90\n";
  expect(findingsOf(server, { age: { most: 90 } })).toEqual([]);
  expect(codes(server, { age: { most: 91 } })).toEqual(["system.passwords_age_new"]);
  server.loginDefs = "PASS_MAX_DAYS 90\nPASS_MAX_DAYS 80\n";
  expect(codes(server, { age: { most: 90 } })).toContain("system.not_ours_to_take");
});

test("PAM is followed through what it includes, by its own spelling", () => {
  const files = {
    sshd: "auth requisite pam_nologin.so\n@include common-auth\nauth substack password-auth\naccount required pam_unix.so\n",
    "common-auth": "-auth [success=1 default=ignore]  /lib/security/pam_unix.so nullok # x\n@include sshd\n",
    "password-auth": "auth\trequired pam_faillock.so  preauth silent\n",
  };
  const found = pamLines(files, "sshd", "auth").map(({ module, args }) => [module, ...args].join(" "));
  expect(found.slice(0, 2)).toEqual(["pam_nologin.so", "pam_unix.so nullok"]);
  expect(found).toContain("pam_faillock.so preauth silent");
});

test("a text that is not ours passes for none, and what cannot be meant is refused where it stands", () => {
  const text = qualityText({ length: 12 });
  expect(parseQualityText(text)).toMatchObject({ ok: true });
  for (const line of ["dictpath = /srv/words", "minlen = x", "enforcing"])
    expect(parseQualityText(`${text}${line}\n`), line).toMatchObject({ ok: false });
  const issueOf = (passwords: unknown) =>
    systemSectionSchema
      .safeParse({ passwords })
      .error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`)[0];
  expect(issueOf({ lockout: { after: 1 } })).toContain("passwords.lockout.after: 1 is not between 3 and 100");
  expect(issueOf({ lockout: { for: "1s" } })).toContain("or write never");
  expect(issueOf({ age: { most: "36h" } })).toContain("whole days");
  expect(issueOf({ quality: { length: 4 } })).toContain("passwords.quality.length");
  expect(issueOf({ quality: {} })).toContain("what a new password must be");
  expect(
    issueOf({ quality: { length: 12 }, age: { most: "90d" }, lockout: { after: 5, for: "never" } }),
  ).toBeUndefined();
});

test("days that leave no day on which it may be changed are refused, and a lock for good is told", () => {
  const said = system.validate({ passwords: { age: { most: 30, least: 30, warn: 7 }, lockout: { for: "never" } } });
  expect(said.map(({ code, path }) => `${code} ${path}`)).toEqual([
    "system.passwords_age_order system.passwords.age.least",
    "system.lockout_for_good system.passwords.lockout.for",
  ]);
});
