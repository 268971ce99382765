import type { Finding, Severity } from "@holdfast/core/base/finding.ts";

/** Every code of the system domain, with how bad it is and what to do. The message is made where it is found, from what is there. */
export const SYSTEM_FINDINGS = {
  // The desired config alone.
  "system.config": { severity: "error", remedy: "Compose the config again; it was not made by this version." },
  "system.sysctl_hazard": {
    severity: "warning",
    remedy: "Make sure that it is meant; the trial does not show every harm of it.",
  },
  "system.sysctl_alias": { severity: "error", remedy: "Keep one of the two: they are the same setting of the kernel." },
  "system.ssh_all_doors_closed": { severity: "error", remedy: "Leave keys or passwords as a way in." },
  "system.ssh_root_passwords": { severity: "warning", remedy: "Write rootLogin: keys, or never." },
  "system.ssh_few_clients": {
    severity: "warning",
    remedy: "Keep one that every client of today speaks, or make sure what those who log in use.",
  },
  "system.banner_not_shown": {
    severity: "note",
    remedy: "Write ssh.banner: true if people shall see it before they log in.",
  },
  "system.logs_in_clear": {
    severity: "warning",
    remedy: "Write by: tls, send them through a tunnel, or to a log server in the same protected network.",
  },
  "system.logs_no_authority": {
    severity: "error",
    remedy: "Write the certificate of who vouches for them under system.logs.tls.authority.",
  },
  "system.sudo_free": { severity: "note", remedy: "Write sudo: password if the account has one." },
  "system.updates_restart_idle": { severity: "note", remedy: "Write install: security too, or take restart out." },
  "system.unit_not_at_boot": { severity: "note", remedy: "Write enabled too, if the next boot shall bring the same." },
  // A plan for one server.
  "system.found_unreadable": {
    severity: "error",
    remedy: "Look at /var/lib/holdfast/system/found.json on the server; nothing is changed until it can be read.",
  },
  "system.drift": { severity: "warning", remedy: "Find out who changed it; applying puts ours back." },
  "system.boot_differs": {
    severity: "warning",
    remedy: "Find out who changed the file; the next confirmed change writes it again.",
  },
  "system.many_restored": {
    severity: "warning",
    remedy: "Make sure that it is meant, and no slip in a selector or a label.",
  },
  "system.other_manager": {
    severity: "warning",
    remedy:
      "Let that program leave it alone (for cloud-init: preserve_hostname: true, manage_etc_hosts: false), or disable it.",
  },
  "system.restore": { severity: "note", remedy: "Nothing to do if that is meant." },
  "system.not_ours_to_take": {
    severity: "error",
    remedy: "Make it such that it can be put back, or take the setting out of the policy.",
  },
  "system.sysctl_unknown": {
    severity: "error",
    remedy: "Correct the name, load the module that brings the setting, or take it out.",
  },
  "system.sysctl_set_elsewhere": {
    severity: "note",
    remedy: "Nothing to do: ours holds. Taking theirs out avoids surprises.",
  },
  "system.sysctl_overridden": {
    severity: "warning",
    remedy: "Take the line out of that file: until Holdfast has started, theirs holds at boot.",
  },
  "system.sysctl_reaches": { severity: "note", remedy: "Nothing to do; an undo puts those back too." },
  "system.forwarding_stops": {
    severity: "warning",
    remedy: "Make sure that no container, virtual machine or tunnel needs it.",
  },
  "system.host_name_in_hosts": {
    severity: "warning",
    remedy: "Add the new name under system.hosts, or programs that look their own name up will wait.",
  },
  "system.host_name_in_certificates": {
    severity: "warning",
    remedy:
      "Get a certificate for the new name first; whoever checks the old one would no longer know this server by it.",
  },
  "system.hosts_shadowed": { severity: "note", remedy: "Nothing to do: our lines stand first." },
  "system.timezone_in_daemons": {
    severity: "note",
    remedy: "Restart the daemons whose logs or schedules are in local time.",
  },
  "system.ssh_missing": {
    severity: "error",
    remedy: "Install openssh-server, or take system.ssh out of the policies of this server.",
  },
  "system.ssh_socket_ignores_port": {
    severity: "error",
    remedy: "Disable ssh.socket on the server so that sshd listens by itself, or take port and listen out.",
  },
  "system.ssh_port_taken": { severity: "error", remedy: "Choose another port, or stop the program that has it." },
  "system.ssh_nobody_enters": {
    severity: "error",
    remedy: "Give somebody of those who may enter a key first, or let more people in.",
  },
  "system.ssh_nobody_seen": { severity: "danger", remedy: "Make sure by hand that somebody can still log in." },
  "system.ssh_nobody_now": {
    severity: "warning",
    remedy: "Nobody of this server's own accounts can log in by ssh today either.",
  },
  "system.nobody_administers": {
    severity: "danger",
    remedy: "Give one of those who can still log in rights by sudo, or make sure that another way to root exists.",
  },
  "system.management_path_cut": {
    severity: "error",
    remedy: "Keep a port of the management path, or put the new port into the Floor in the same change.",
  },
  "system.management_ssh_changed": {
    severity: "danger",
    remedy: "Make sure another way in stays open; the trial undoes it when the server cannot be reached.",
  },
  "system.management_ipv6_off": { severity: "danger", remedy: "Make sure that the server is managed over IPv4." },
  "system.unit_needed": { severity: "warning", remedy: "Look at the units that it takes down with it." },
  "system.ntp_not_timesyncd": {
    severity: "error",
    remedy: "Set its time servers there, or let systemd-timesyncd or chrony (with its sourcedir) keep the time.",
  },
  "system.ntp_nobody": {
    severity: "error",
    remedy: "Start systemd-timesyncd or chrony, or take system.ntp out of the policies of this server.",
  },
  "system.ntp_no_fallback": { severity: "error", remedy: "Put them among the servers, or take them out." },
  "system.ntp_beside_others": {
    severity: "note",
    remedy: "Nothing to do, or take them out of /etc/chrony/chrony.conf.",
  },
  "system.resolver_not_resolved": {
    severity: "error",
    remedy:
      "Start systemd-resolved and link /etc/resolv.conf to it, make it a plain file, or take system.resolver out.",
  },
  "system.resolver_managed": {
    severity: "error",
    remedy: "Say it there, or keep that program from the file.",
  },
  "system.resolver_too_many": { severity: "error", remedy: "Keep the first ones that shall be asked." },
  "system.logs_no_rsyslog": {
    severity: "error",
    remedy: "Install and start rsyslog, or take system.logs out of the policies of this server.",
  },
  "system.logs_no_tls": {
    severity: "error",
    remedy: "Install rsyslog-openssl (or rsyslog-gnutls) on the server, or send its logs another way.",
  },
  "system.updates_no_apt": {
    severity: "error",
    remedy: "Take system.updates out of the policies of this server: only apt's way of it is known here.",
  },
  "system.updates_no_package": {
    severity: "error",
    remedy: "Install unattended-upgrades on the server, or write install: none.",
  },
  "system.updates_no_timer": {
    severity: "error",
    remedy: "Enable and start apt-daily-upgrade.timer on the server.",
  },
  "system.updates_overridden": {
    severity: "error",
    remedy: "Take the line out of that file, or let its name come before 95-holdfast.conf.",
  },
  "system.updates_restart": {
    severity: "warning",
    remedy: "Make sure that what runs there comes back by itself, and that its peers do not restart at the same time.",
  },
  "system.proxy_no_apt": {
    severity: "error",
    remedy: "Take system.proxy out of the policies of this server: only apt's way of it is known here.",
  },
  "system.proxy_overridden": {
    severity: "error",
    remedy: "Take the line out of that file, or let its name come before 95-holdfast-proxy.conf.",
  },
  "system.task_no_unit": {
    severity: "error",
    remedy: "Install what brings it, correct its name, or leave this server out of the task by `without`.",
  },
  "system.task_unit_masked": { severity: "error", remedy: "Unmask it on the server, or take the task out." },
  "system.task_unit_stays": {
    severity: "warning",
    remedy: "Make sure that a service is meant which does its work and ends.",
  },
  "system.task_also_timed": {
    severity: "warning",
    remedy: "Make sure that both are meant; disable the other timer, or take the task out.",
  },
  "system.task_overridden": { severity: "error", remedy: "Take that file away: it decides when the task starts." },
  "system.task_not_taken_back": { severity: "note", remedy: "Nothing to do if what starts may start now." },
  "system.limits_above_kernel": {
    severity: "error",
    remedy: "Write a smaller number, or raise system.sysctl fs.nr_open in the same change.",
  },
  "system.limits_overridden": {
    severity: "error",
    remedy: "Take the line out of that file, or let its name come before 95-holdfast.conf.",
  },
  "system.limits_nobody": { severity: "warning", remedy: "Correct the name if somebody else is meant." },
  "system.limits_not_read": {
    severity: "warning",
    remedy: "Let sshd use PAM (UsePAM yes) with pam_limits in /etc/pam.d/sshd, or take system.limits out.",
  },
  "system.limits_next_login": { severity: "note", remedy: "Nothing to do; who needs them logs in anew." },
  "system.passwords_not_judged": {
    severity: "error",
    remedy: "Install libpam-pwquality on the server (it enters itself into PAM), or take system.passwords.quality out.",
  },
  "system.passwords_overridden": {
    severity: "error",
    remedy: "Take it out there: pam_pwquality reads it after our file, or cannot be told otherwise.",
  },
  "system.passwords_no_dictionary": {
    severity: "error",
    remedy: "Install cracklib-runtime and a list of words on the server, or write dictionary: false.",
  },
  "system.passwords_age_order": { severity: "error", remedy: "Write a shorter least or warn, or a longer most." },
  "system.passwords_age_new": {
    severity: "note",
    remedy: "For accounts that are there, look with chage -l and say it with chage; nothing of them changes here.",
  },
  "system.lockout_not_counted": {
    severity: "error",
    remedy:
      "Enter pam_faillock into PAM of the server with pam-auth-update (the user guide has both profiles), or take system.passwords.lockout out.",
  },
  "system.lockout_overridden": {
    severity: "error",
    remedy: "Take the word out there: it comes before what a file says.",
  },
  "system.lockout_keeps_out": {
    severity: "error",
    remedy: "Say it in the policy, or take it out of the file: people would be kept out by a slip, or for good.",
  },
  "system.lockout_for_good": {
    severity: "warning",
    remedy: "Write a time, or make sure that somebody is there to open accounts again (faillock --user NAME --reset).",
  },
  "system.lockout_root": {
    severity: "danger",
    remedy: "Write root: false unless a rule asks for it; keys of root let it in all the same.",
  },
  "system.lockout_by_anyone": {
    severity: "warning",
    remedy: "Give them keys: who has one gets in while the password is locked.",
  },
  "system.lockout_everybody": {
    severity: "danger",
    remedy: "Give somebody of them a key first, or let sshd be reached from known networks only.",
  },
  "system.user_removed": {
    severity: "warning",
    remedy: "Make sure that nobody needs it. It cannot be brought back after the confirmation, only made anew.",
  },
  "system.sudo_needs_password": {
    severity: "warning",
    remedy: "Let somebody set one with passwd, or write sudo: free.",
  },
  "system.group_made": { severity: "note", remedy: "Correct the name if another group is meant." },
  "system.modules_stay": { severity: "note", remedy: "Nothing to do; restart the server to be rid of them." },
} as const satisfies Record<string, { readonly severity: Severity; readonly remedy: string }>;

export type SystemCode = keyof typeof SYSTEM_FINDINGS;

export function finding(code: SystemCode, path: string, message: string): Finding {
  const { severity, remedy } = SYSTEM_FINDINGS[code];
  return { severity, code, path, message, remedy };
}
