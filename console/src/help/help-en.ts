import type { HelpTexts } from "./help-page.ts";

/** The words of the guide where they are needed. Loaded with the panel that shows them. */
export const helpEn: HelpTexts = {
  overview: {
    what: "Is the fleet all right? What needs a person stands first; everything else is counted.",
    how: [
      "A tile counts the servers of one state and leads to them.",
      "“Applying now” has each server that is being changed, with the time it has left before it undoes the change by itself.",
      "An alert stays until its cause is gone. To accept one says that you have seen it; it mends nothing.",
      "An empty fleet shows the first three steps instead.",
    ],
  },
  servers: {
    what: "Every server that you may see, by state, label and what was last applied to it.",
    how: [
      "The filter reads names and labels (role=web); the address of the page carries it, so a link shows the same list.",
      "A saved view keeps a filter and an order in this browser.",
      "“Enroll a server” makes one command to be run on the server as root. Its token works once. Compare the fingerprint that the server prints before you approve the key.",
      "Nothing on a server is changed by enrolling it: what is found is recorded.",
    ],
  },
  server: {
    what: "One server: what it should have, what it has, what is being done to it, and what was done.",
    how: [
      "State: the last apply, an open one with its countdown, and drift. Drift is kept or put back, each through a change with a review.",
      "Effective config: what the server should have in each domain, and from which document every item comes.",
      "Live: what is in force, beside what should be. What is not ours is shown and never touched.",
      "Observe: what a firewall in observe mode would have dropped, to be decided group by group before it is enforced.",
      "Packets: what the firewall lets through and drops, as it happens. “Allow this” writes a rule into the pending change and nothing else.",
      "Tools: ping, trace, resolve and capture from the server. They change nothing, and who asked for what stands in the audit log.",
      "Timeline: every apply of this server. Agent: its certificate, its versions, and what the server lacks.",
    ],
  },
  documents: {
    what: "What servers should have: policies, groups, tunnels, and the floor that no policy can weaken.",
    how: [
      "A policy names the servers that it is for (selector). What it does not mention is not touched.",
      "“New document” begins a pending change in this browser; no server hears of it before the review.",
      "“Connect two sites…” makes one tunnel with both of its ends; “Let people in…” one for telephones and notebooks that call a server.",
    ],
  },
  document: {
    what: "One document with all its revisions. A revision never changes: an edit makes the next one.",
    how: [
      "A tunnel with an end that is not ours has its sheets below the text: what to tell the other administrator, or each person.",
      "“Compare” shows two revisions beside each other; the address carries which.",
      "“Edit” begins a pending change on top of the newest revision. Should somebody else make another meanwhile, you are told before anything is overwritten.",
      "Deleting is an edit too: it is reviewed, applied on trial and can be undone.",
    ],
  },
  editDocument: {
    what: "The document as a table, as forms and as text. They are one document: an edit in one changes only the lines that it concerns.",
    how: [
      "Everything typed is kept in this browser at once. A reload, a lost connection or the end of a session loses none of it.",
      "Rules stand in order, first match first. Findings appear below the rule that they are about.",
      "Below a cell, a name opens what it stands for. What this policy defines is edited there; a Group is shared and becomes a second edit of the same change.",
      "“Take back” undoes the last edit of the table.",
      "When you are done, press “Review…” in the bar at the bottom. Nothing reaches a server before.",
    ],
  },
  changes: {
    what: "Every change: what is being written, what waits for approval, what is on its way, and what was done.",
    how: [
      "What waits for your own approval stands first.",
      "A change is reviewed, approved, applied and rolled back as one, over all documents that it edits.",
    ],
  },
  change: {
    what: "The review of one change. Each server has answered with its own plan; none has changed anything.",
    how: [
      "Per server: the native difference, the steps, what would be cut, and the findings, the most dangerous first.",
      "A dangerous finding is ticked one by one; where the risk is high, the names of the servers are typed.",
      "Where the floor asks for approvals, another person gives them on this page. A new plan makes earlier approvals void.",
      "Apply is only here, and says in a sentence what it will do. First one server (the canary), then the others.",
      "“Plan a rollback” of an applied change makes a new change with a review of its own.",
    ],
  },
  rollout: {
    what: "One change on its way over its servers, in waves.",
    how: [
      "One server is first. The next wave begins when the last one is confirmed.",
      "On trial means: the change is live and the server will undo it by itself unless it is confirmed before the countdown ends.",
      "“Confirm” ends the trial early where a person may. “Abort and undo” goes back at once. Doing nothing is safe.",
    ],
  },
  apply: {
    what: "One apply to one server: the whole story, with two facts: how it ended, and how the server is.",
    how: [
      "Each step is recorded on the server before it begins. What it waits for stands in words.",
      "“Retry” tries the same revision anew. “Roll back” plans the way back to the last confirmed state. A button that is disabled says why.",
      "In doubt means that the answer of the server is awaited. It is asked; nothing is guessed.",
      "The request id is the thread through every log line and the audit log: copy it when you ask for help.",
    ],
  },
  failures: {
    what: "Every apply that failed or was undone, newest first, with its reason in plain words.",
    how: [
      "The server may be as it was, as asked, mixed or unknown: the second badge says which.",
      "Open one to see what to do next.",
    ],
  },
  audit: {
    what: "Every act of a person, an agent and the control plane, also those that were refused.",
    how: [
      "Search by person, action, server, result, or any word. The address carries the search.",
      "Every entry holds the digest of the one before. “Verify” reads all of them and says where the chain breaks, if it does.",
      "Heads of the log are kept on servers too: whoever rewrites the database is contradicted by them.",
    ],
  },
  account: {
    what: "How you sign in, and where you are signed in now.",
    how: [
      "A second factor or a passkey makes a stolen password useless.",
      "End a session that you do not know, then change the password.",
    ],
  },
  tokens: {
    what: "Your own tokens for the API and the command line. A token may do no more than you.",
    how: [
      "It is shown once. Give it as few permissions and as short a life as its task needs.",
      "A revoked token is refused from its next request on.",
    ],
  },
  users: {
    what: "Who may sign in here, and what each may do on which servers.",
    how: [
      "A new account has a password for one time: its owner chooses another at the first sign-in.",
      "Closing an account ends its sessions and its tokens at once; what it did stays in the audit log.",
    ],
  },
  user: {
    what: "One account: its roles and where they hold, its sessions, and how it signs in.",
    how: [
      "A role holds everywhere, or on servers with certain labels.",
      "Nobody can give more than they may do themselves.",
    ],
  },
  roles: {
    what: "Names for sets of permissions. Accounts get roles, never single permissions.",
    how: [
      "Approving is a permission of its own: who writes a change does not approve it.",
      "An edit of a role holds from the next request of everybody who has it.",
    ],
  },
  secrets: {
    what: "Keys and passwords that documents use by name. Their values go in and never come out.",
    how: [
      "A value is sealed for the server that needs it; neither a page nor a log shows it.",
      "A new value reaches servers by an apply on trial, as every change does.",
      "The list says which documents use a secret, and which secrets are due to be changed.",
    ],
  },
  agents: {
    what: "The agents of all servers with their certificates, and the key with which commands are signed.",
    how: [
      "Certificates renew themselves. One that is about to expire stands first and raises an alert.",
      "Revoking a certificate shuts its agent out at once; what is in force on the server stays.",
    ],
  },
  notifications: {
    what: "Where alerts are sent, and what became of each message.",
    how: [
      "Channels stand in a file on the control plane, because they hold passwords.",
      "A message that could not be delivered is tried again, and raises an alert of its own when it is given up.",
    ],
  },
  retention: {
    what: "What is kept for how long, and what is never thrown away.",
    how: ["It is read here and set nowhere: evidence that could be set to disappear is none."],
  },
  doctor: {
    what: "What Holdfast promises, with the evidence for each promise that was found here and now.",
    how: ["A line that is not good says what to do about it."],
  },
};
