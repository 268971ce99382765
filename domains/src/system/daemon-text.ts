import type { SystemConfig } from "./model.ts";

/** Our files for systemd-timesyncd and systemd-resolved. An empty value takes away what files before ours have listed. */
const HEAD = "# Made by Holdfast from a policy; changes here are overwritten.";

export function ntpText(ntp: NonNullable<SystemConfig["ntp"]>): string {
  return section("Time", [
    ["NTP", ntp.servers],
    ["FallbackNTP", ntp.fallback],
  ]);
}

export function resolverText(resolver: NonNullable<SystemConfig["resolver"]>): string {
  return section("Resolve", [
    ["DNS", resolver.servers],
    ["Domains", resolver.search],
  ]);
}

function section(
  name: string,
  lists: readonly (readonly [key: string, values: readonly string[] | undefined])[],
): string {
  const lines = lists.flatMap(([key, values]) =>
    values === undefined ? [] : [`${key}=`, `${key}=${values.join(" ")}`],
  );
  return `${[HEAD, `[${name}]`, ...lines].join("\n")}\n`;
}
