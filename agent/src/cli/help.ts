export const HELP = `holdfast-agent: the part of Holdfast that lives on a server

For people, with root, also while no control plane can be reached:
  status [--json]         what is in force, what is open and how long it has left, whether the server is locked,
                          which head of the control plane's audit log it keeps
  why [REQUEST_ID]        the story of the last transaction, or of that one
  revert [--yes]          puts the server back to what it was before the open transaction
  confirm --yes           keeps what is on trial; only when you have seen that a NEW connection works
  enroll --control HOST:PORT --ca-fingerprint HEX (--token TOKEN | --token-file FILE)
         [--management-network CIDR]... [--ssh-port PORT]...
                          makes this server one of a control plane's; the command comes from
                          holdfast server enroll NAME
  move --control HOST:PORT [--only]
                          the control plane has another address: dials it, and writes it down when the same
                          house answers there; never while a transaction is open. The server's floor keeps the
                          old address open, too, until --only takes every other one out
  run                     guard, session and modules under one process, where there is no systemd
  version, help

Started by systemd or by the agent itself:
  session, guard, module DOMAIN, revert REQUEST_ID, boot, recover, tend

All take --root DIR, below which all files are (default /).

Example:  holdfast-agent why
Exit codes: 0 done, 1 refused or failed, 2 usage, 3 undone or not confirmed, 4 unreachable`;
