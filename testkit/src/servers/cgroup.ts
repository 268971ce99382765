import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kill } from "./process-table.ts";

/**
 * Each server lives in a control group of its own: systemd needs one to build its tree in, and `cgroup.kill` ends
 * everything in it at one instant, which is as near to a pulled plug as a process can come.
 * The machine may have the one hierarchy of today, or beside the old ones a `unified` and a `systemd` tree: a server gets a group in each.
 */
const ROOT = "/sys/fs/cgroup";

export function cgroupTrees(): readonly string[] {
  if (existsSync(join(ROOT, "cgroup.procs"))) return [ROOT];
  return ["unified", "systemd"]
    .map((tree) => join(ROOT, tree))
    .filter((tree) => existsSync(join(tree, "cgroup.procs")));
}

function labGroups(prefix: string): readonly string[] {
  return cgroupTrees().map((tree) => join(tree, `holdfast-lab.${prefix}`));
}

/** Returns the files into which a process writes its pid to join. */
export function makeServerGroups(prefix: string, server: string): readonly string[] {
  return labGroups(prefix).map((group) => {
    const own = join(group, server);
    mkdirSync(own, { recursive: true });
    return join(own, "cgroup.procs");
  });
}

export function killServerGroups(prefix: string, server: string): void {
  for (const group of labGroups(prefix)) killGroup(join(group, server));
}

/** Stops every process of a server at one instant, or lets them go on. False: this machine's hierarchy cannot. */
export function freezeServerGroups(prefix: string, server: string, frozen: boolean): boolean {
  const files = labGroups(prefix)
    .map((group) => join(group, server, "cgroup.freeze"))
    .filter((file) => existsSync(file));
  for (const file of files) writeFileSync(file, frozen ? "1" : "0");
  return files.length > 0;
}

export function removeServerGroups(prefix: string, server: string): void {
  for (const group of labGroups(prefix)) removeGroup(join(group, server));
}

export function killLabGroups(prefix: string): void {
  for (const group of labGroups(prefix)) killGroup(group);
}

/** False while a process is still in one of them. */
export function removeLabGroups(prefix: string): boolean {
  return labGroups(prefix).map(removeGroup).every(Boolean);
}

function killGroup(group: string): void {
  if (!existsSync(group)) return;
  try {
    writeFileSync(join(group, "cgroup.kill"), "1");
  } catch {
    // The old hierarchies and kernels before 5.14 have no cgroup.kill.
    for (const pid of membersOf(group)) kill(pid, "SIGKILL");
  }
}

function membersOf(group: string): readonly number[] {
  try {
    const own = readFileSync(join(group, "cgroup.procs"), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map(Number);
    return [...own, ...subgroupsOf(group).flatMap(membersOf)];
  } catch {
    return [];
  }
}

function subgroupsOf(group: string): readonly string[] {
  return readdirSync(group, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(group, entry.name));
}

function removeGroup(group: string): boolean {
  try {
    for (const subgroup of subgroupsOf(group)) removeGroup(subgroup);
    rmdirSync(group);
    return true;
  } catch {
    return !existsSync(group);
  }
}
