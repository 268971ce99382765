import type { LabServer } from "./server.ts";

/** strongSwan on a test server. What is installed here is installed there; nothing of it runs before it is asked for. */

/** Its own data plane, or none: the kernel of the machines that tests run on has no ESP. Restarts it. */
export async function useOwnDataPlane(server: LabServer, isOwn: boolean): Promise<void> {
  await server.writeFile(
    "/etc/strongswan.d/charon/kernel-libipsec.conf",
    `kernel-libipsec {\n  load = ${isOwn ? "yes" : "no"}\n}\n`,
  );
  await server.must(["systemctl", "restart", "strongswan.service"]);
}

/** What an administrator does on both ends of a tunnel. */
export async function putKey(server: LabServer, name: string, text: string): Promise<void> {
  await server.must(["mkdir", "-p", "-m", "700", "/etc/holdfast/secrets/vpn"]);
  await server.writeFile(`/etc/holdfast/secrets/vpn/${name}`, `${text}\n`, 0o600);
}
