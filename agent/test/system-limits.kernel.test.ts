import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { abort, apply, onTrial, refused, TRIAL } from "./change-stage.ts";
import { SystemdAgent } from "./systemd-agent.ts";

/** What sessions may take: a person logs in through the server's own sshd and PAM, and asks what they got. */
let lab: Lab;
let server: LabServer;
let agent: SystemdAgent;

const FILE = "/etc/security/limits.d/95-holdfast.conf";
const limits = (who: string, soft: number, hard: number): Json => ({ limits: { [who]: { nofile: { soft, hard } } } });

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfl-${process.pid}` });
  server = lab.server({ name: "web", kind: "systemd", enable: ["ssh"], attachments: [] });
  await server.start();
  await server.must([
    "sh",
    "-c",
    [
      "useradd --create-home --shell /bin/bash kim",
      "ssh-keygen -q -t ed25519 -N '' -f /root/kim",
      "mkdir -p /home/kim/.ssh",
      "cp /root/kim.pub /home/kim/.ssh/authorized_keys",
      "chown -R kim: /home/kim/.ssh",
      "chmod -R go= /home/kim/.ssh",
    ].join(" && "),
  ]);
  agent = new SystemdAgent(server);
  await agent.install();
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
});

/** What a login of kim's may take: soft and hard. */
async function login(): Promise<{ readonly code: number | null; readonly stdout: string }> {
  const options = [
    "-i",
    "/root/kim",
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=20",
  ];
  return server.exec(["ssh", ...options, "kim@127.0.0.1", "ulimit -Sn; ulimit -Hn; ulimit -Su"]);
}

async function drifted(): Promise<boolean> {
  const { domains } = await (await agent.guard()).getState({});
  return domains.find(({ domain }) => domain === "system")?.drift === true;
}

test("who logs in on trial has what the policy says; the undo takes it back; drift is seen; released, nothing is left", async () => {
  const found = (await login()).stdout;
  expect(found).toMatch(/^\d+\n\d+\n/);
  const first = await onTrial(agent, { system: limits("everyone", 700, 800) });
  expect((await login()).stdout).toMatch(/^700\n800\n/);
  await abort(agent, first.id);
  expect((await login()).stdout).toBe(found);

  const system = {
    limits: { everyone: { nofile: { soft: 700, hard: 800 } }, "group kim": { nproc: { soft: 300, hard: 400 } } },
  };
  await apply(agent, { system });
  expect((await login()).stdout).toBe("700\n800\n300\n");
  expect(await drifted()).toBe(false);
  await server.must(["sh", "-c", `cp -p ${FILE} /run/ours && echo 'kim hard nofile 900' >>${FILE}`]);
  expect(await drifted()).toBe(true);
  await server.must(["cp", "-p", "/run/ours", FILE]);
  expect(await drifted()).toBe(false);
  await apply(agent, { system: {} });
  expect((await login()).stdout).toBe(found);
  expect(await server.must(["ls", "-A", "/etc/security/limits.d"])).toBe("");
});

test("more open files than the kernel gives is set for nobody, and is refused with the numbers", async () => {
  const most = Number(await server.must(["cat", "/proc/sys/fs/nr_open"]));
  expect(await refused(agent, { system: limits("user kim", 1024, most + 1) })).toMatch(
    new RegExp(`system\\.limits_above_kernel.*${most} open files at most.*could not set ${most + 1}`),
  );
  // What cannot be set is not there after the login, and only the log says so.
  await server.must(["sh", "-c", `mkdir -p /etc/security/limits.d && echo 'kim hard nofile ${most + 1}' >${FILE}`]);
  expect((await login()).stdout).not.toContain(String(most + 1));
  const said = () => server.must(["journalctl", "--no-pager", "-t", "sshd"]);
  await expect.poll(said, { timeout: 20_000 }).toContain("Could not set limit for 'nofile'");
  await server.must(["rm", FILE]);
  expect((await login()).code).toBe(0);
  const codes = (await agent.findings({ system: limits("user kim", 1024, most) }, TRIAL)).map(({ code }) => code);
  expect(codes).toEqual(["system.limits_next_login"]);
});

test("a file that is read after ours and limits the same is named with its line; a power cut on trial leaves none of ours", async () => {
  const late = "/etc/security/limits.d/99-site.conf";
  await server.writeFile(late, "# house\n* - nofile 5000\n");
  expect(await refused(agent, { system: limits("everyone", 700, 800) })).toContain(
    `${late} line 2 limits nofile of * to 5000`,
  );
  await server.must(["mv", late, "/etc/security/limits.d/20-site.conf"]);
  await onTrial(agent, { system: limits("everyone", 700, 800) });
  expect((await login()).stdout).toMatch(/^700\n800\n/);
  agent.letGo();
  await server.cut();
  await server.startAgain();
  expect(await agent.story()).toContain("server.rebooted");
  expect(await server.must(["ls", "-A", "/etc/security/limits.d"])).toBe("20-site.conf\n");
}, 300_000);
