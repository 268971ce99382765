import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { whyNotALine } from "@holdfast/core/log/line.ts";
import { expect, test } from "vitest";
import { journalSocket } from "../os/journal.ts";

const LOG = new URL("./log.ts", import.meta.url).href;

/** What another process writes with the agent's log. */
function written(role: string): readonly string[] {
  const program = `
    const { openLog } = await import(${JSON.stringify(LOG)});
    const log = openLog(${JSON.stringify(role)}, 1).with({ serverId: "s1" });
    log.info("one", { requestId: "r1", domain: "firewall" }, { step: "a" });
    log.warn("two");
    log.error("three", { resultCode: "x.y" });`;
  const argv = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", program];
  return execFileSync(process.execPath, argv, { encoding: "utf8", cwd: import.meta.dirname })
    .trimEnd()
    .split("\n");
}

test("every line is one JSON object with the standard members and names", () => {
  const lines = written("guard");
  expect(lines.map(whyNotALine)).toEqual([null, null, null]);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    level: "info",
    message: "one",
    process: "guard",
    request_id: "r1",
    domain: "firewall",
    server_id: "s1",
    step: "a",
  });
  expect(JSON.parse(lines[2] ?? "")).toMatchObject({ level: "error", result_code: "x.y" });
});

/**
 * Runs a program of Node's with a socket of datagrams as its journal, as the launcher of the units opens it, and answers with what came there and
 * what came to the stream. The journal begins to read after so many seconds, or with null only once the program is over.
 */
function withJournal(
  program: string,
  readsAfterSeconds: number | null,
): { entries: readonly string[]; stream: string } {
  const launcher = String.raw`
    use Socket; use Fcntl;
    socketpair(my $ours, my $theirs, AF_UNIX, SOCK_DGRAM, 0) or die;
    fcntl($theirs, F_SETFD, 0); fcntl($theirs, F_SETFL, O_NONBLOCK);
    my $node = fork;
    # Node makes what it writes to non-blocking, for whoever shares it.
    if ($node == 0) { close $ours; open STDERR, '>', '/dev/null'; $ENV{HOLDFAST_JOURNAL_FD} = fileno $theirs; exec { $ARGV[1] } @ARGV[1..$#ARGV]; }
    close $theirs;
    fcntl($ours, F_SETFL, O_NONBLOCK);
    my $over = 0;
    if ($ARGV[0] eq 'after') { waitpid $node, 0; $over = 1 } else { select undef, undef, undef, $ARGV[0] }
    for (;;) {
      if (defined recv $ours, my $entry, 65536, 0) { print STDERR unpack('H*', $entry), "\n"; next }
      last if $over;
      # What it sent before its end is read in one more round.
      $over = 1 if waitpid($node, 1) != 0;
      select undef, undef, undef, 0.01;
    }`;
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", "--input-type=module", "-e", program];
  const { stdout, stderr, status } = spawnSync(
    "perl",
    ["-e", launcher, String(readsAfterSeconds ?? "after"), ...node],
    {
      encoding: "utf8",
      cwd: import.meta.dirname,
    },
  );
  expect(status).toBe(0);
  const entries = stderr.split("\n").filter((line) => /^[0-9a-f]+$/.test(line));
  return { entries: entries.map((hex) => Buffer.from(hex, "hex").toString("latin1")), stream: stdout };
}

/** The fields of an entry of journald's native protocol in its form with lengths. */
function fieldsOf(entry: string): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (let rest = Buffer.from(entry, "latin1"); rest.length > 0;) {
    const end = rest.indexOf("\n");
    const length = Number(rest.readBigUInt64LE(end + 1));
    fields[rest.toString("utf8", 0, end)] = rest.toString("utf8", end + 9, end + 9 + length);
    rest = rest.subarray(end + 9 + length + 1);
  }
  return fields;
}

const OPEN = `const { openLog } = await import(${JSON.stringify(LOG)}); const log = openLog("guard", 1);`;
/** More than net.unix.max_dgram_qlen, which is 10 from the kernel and 512 from systemd. */
const LINES = 1_000;
const MANY = `${OPEN} for (let i = 0; i < ${String(LINES)}; i++) log.info("line " + i, { requestId: "r1" });`;
const messageOf = (entry: string): string =>
  (JSON.parse(fieldsOf(entry)["MESSAGE"] ?? "") as { message: string }).message;

test("a line of a transaction goes to the journal with its fields, any other to the stream", () => {
  const { entries, stream } = withJournal(
    `${OPEN} log.info("alone"); log.warn("two\\nlines", { requestId: "r1", domain: "vpn" });`,
    0,
  );
  expect(entries.map(fieldsOf)).toEqual([
    {
      MESSAGE: expect.stringContaining('"two\\nlines"') as string,
      PRIORITY: "4",
      SYSLOG_IDENTIFIER: "holdfast-guard",
      REQUEST_ID: "r1",
      DOMAIN: "vpn",
      TARGET_HOST: hostname(),
    },
  ]);
  expect(stream.trimEnd().split("\n").map(whyNotALine)).toEqual([null]);
  expect(stream).toContain('"alone"');
});

test("a journal that is slow gets every line in order; nothing waited for it", () => {
  const { entries, stream } = withJournal(`${MANY} process.stdout.write("went on\\n");`, 0.3);
  expect(stream).toBe("went on\n");
  expect(entries.map(messageOf)).toEqual(Array.from({ length: LINES }, (_, at) => `line ${String(at)}`));
});

test("a journal that takes nothing any more leaves the lines to the stream", () => {
  const { entries, stream } = withJournal(MANY, null);
  const streamed = stream.trimEnd().split("\n");
  expect(entries.length).toBeGreaterThan(0);
  expect(streamed.map(whyNotALine).filter((why) => why !== null)).toEqual([]);
  const said = [
    ...entries.map(messageOf),
    ...streamed.map((line) => (JSON.parse(line) as { message: string }).message),
  ];
  expect(said).toEqual(Array.from({ length: LINES }, (_, at) => `line ${String(at)}`));
});

test("no program that the agent starts inherits the journal's socket", () => {
  const program = `
    const { readdirSync } = await import("node:fs");
    const { execFileSync } = await import("node:child_process");
    const socket = process.env.HOLDFAST_JOURNAL_FD;
    const theirs = execFileSync("ls", ["/proc/self/fd"], { encoding: "utf8" }).split("\\n");
    console.log(readdirSync("/proc/self/fd").includes(socket), theirs.includes("0"), theirs.includes(socket));`;
  expect(withJournal(program, 0).stream).toBe("true true false\n");
});

test("only a socket is taken for the journal", () => {
  expect(journalSocket({})).toBeNull();
  for (const text of ["", "0", "x", "3x", "-1", "99999", "1e2"])
    expect(journalSocket({ HOLDFAST_JOURNAL_FD: text })).toBeNull();
  const file = openSync("/dev/null", "r");
  expect(journalSocket({ HOLDFAST_JOURNAL_FD: String(file) })).toBeNull();
  closeSync(file);
  expect(journalSocket({ HOLDFAST_JOURNAL_FD: String(file) })).toBeNull();
});

test("the launcher of the units starts the program where there is no journal, too", () => {
  const launcher = join(import.meta.dirname, "../../../deploy/systemd/with-journal.pl");
  const run = (...argv: readonly string[]): string =>
    execFileSync(
      "unshare",
      ["--mount", "--map-root-user", "sh", "-c", 'mount -t tmpfs none /run && exec perl "$@"', "sh", launcher, ...argv],
      {
        encoding: "utf8",
        env: { ...process.env, HOLDFAST_JOURNAL_FD: "7" },
      },
    );
  expect(run("/bin/sh", "-c", 'echo "${HOLDFAST_JOURNAL_FD-none}" "$1"', "sh", "a b")).toBe("none a b\n");
});
