import { err, ok, type Result } from "@holdfast/core/base/result.ts";

/**
 * Units that no policy starts, stops, enables or disables: what the machine stands on, and what brings it back. The network's own daemons
 * and sshd are reached through settings of their own, which know how they can hurt.
 */
const UNTOUCHABLE =
  /^(holdfast-|systemd-|dbus|init|basic|sysinit|ssh|sshd|getty|serial-getty|user@|user-|networking\.|NetworkManager|netplan)/;

const LONGEST = 120;

export function parseManagedUnit(text: string): Result<string, string> {
  const shown = JSON.stringify(text.slice(0, LONGEST));
  if (text.length > LONGEST || !/^[A-Za-z0-9_][A-Za-z0-9_.@:-]*\.(service|socket|timer|path)$/.test(text))
    return err(
      `${shown} is not the name of a unit; write it whole, like fail2ban.service (service, socket, timer or path)`,
    );
  return UNTOUCHABLE.test(text)
    ? err(`${text} is what this server stands on, and no policy starts or stops it`)
    : ok(text);
}
