import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What is in the package and who allows it, in the words of its licences: for /usr/share/doc/holdfast-agent/copyright. */
export function copyrightText(root: string, bundledFiles: readonly string[], nodeVersion: string): string {
  const folders = [...new Set(bundledFiles.map(packageFolder))].toSorted();
  return [
    "Holdfast's agent",
    "================",
    "Licensed under the Apache License, Version 2.0; on Debian its text is in /usr/share/common-licenses/Apache-2.0.",
    "",
    `/usr/lib/holdfast-agent/node is Node.js ${nodeVersion}, unchanged. Its licence and those of its parts:`,
    `https://github.com/nodejs/node/blob/${nodeVersion}/LICENSE`,
    "",
    "/usr/lib/holdfast-agent/holdfast-agent.mjs holds these packages:",
    ...folders.flatMap((folder) => ["", ...licenceOf(join(root, folder))]),
    "",
  ].join("\n");
}

/** The folder of the package that a file belongs to, scope included. */
function packageFolder(file: string): string {
  const marker = "node_modules/";
  const at = file.lastIndexOf(marker) + marker.length;
  const words = file.slice(at).split("/");
  return file.slice(0, at) + words.slice(0, words[0]?.startsWith("@") === true ? 2 : 1).join("/");
}

function licenceOf(folder: string): readonly string[] {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Readonly<
    Record<string, unknown>
  >;
  const title = `${String(name)} ${String(version)} (${typeof license === "string" ? license : "see its text"})`;
  const file = existsSync(folder)
    ? readdirSync(folder).find((entry) => /^licen[cs]e(\.\w+)?$/i.test(entry))
    : undefined;
  const text = file === undefined ? [] : ["", readFileSync(join(folder, file), "utf8").trim()];
  return [title, "-".repeat(title.length), ...text];
}
