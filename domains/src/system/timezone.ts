import { err, ok, type Result } from "@holdfast/core/base/result.ts";

/** The name of a zone in the tz database. Whether this server knows it is seen there. */
export function parseTimezone(text: string): Result<string, string> {
  const parts = text.split("/");
  const good = parts.length <= 3 && text.length <= 64 && parts.every((part) => /^[A-Z][A-Za-z0-9_+-]*$/.test(part));
  return good
    ? ok(text)
    : err(`${JSON.stringify(text.slice(0, 64))} is not a time zone; write it like Asia/Seoul, Europe/Berlin or UTC`);
}

/** The zone that the link /etc/localtime points to; null when it points elsewhere. */
export function zoneOfTarget(target: string): string | null {
  const found = /^(?:\.\.|)\/usr\/share\/zoneinfo\/(.+)$/.exec(target);
  const zone = found?.[1];
  return zone !== undefined && parseTimezone(zone).ok ? zone : null;
}

export function targetOfZone(zone: string): string {
  return `../usr/share/zoneinfo/${zone}`;
}
