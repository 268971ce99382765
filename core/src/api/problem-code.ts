/** One refusal or failure of the API: its HTTP status, what it is called, and what to do about it when the place says no more. */
export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly remedy: string;
}

/** Every code that the API can answer with. Codes are stable; docs/api.md prints this table. */
export const PROBLEMS = {
  "access.credential_invalid": {
    status: 401,
    title: "The session or token is not valid",
    remedy: "Sign in again, or use a token that has not expired or been revoked.",
  },
  "access.csrf": {
    status: 403,
    title: "The request does not come from the console",
    remedy: "Send the csrfToken of GET /me as X-Holdfast-CSRF with every unsafe request of a browser session.",
  },
  "access.not_signed_in": {
    status: 401,
    title: "Nobody is signed in",
    remedy: "Sign in, or send an API token as Authorization: Bearer.",
  },
  "access.out_of_scope": {
    status: 403,
    title: "Outside of what the account may do",
    remedy: "Ask an administrator for the permission on these servers and domains.",
  },
  "access.permission_missing": {
    status: 403,
    title: "The permission is missing",
    remedy: "Ask an administrator; permissions never imply one another.",
  },
  "access.step_up_by_token": {
    status: 403,
    title: "A token cannot show who a person is",
    remedy:
      "Do it in the console, or with holdfast in a terminal, which asks you. For programs, the floor may say stepUp.tokens: allowed.",
  },
  "access.step_up_needed": {
    status: 403,
    title: "Show again who you are",
    remedy: "Show a passkey, or the password with a code, with POST /me/step-up; then send the same request again.",
  },
  "account.busy": { status: 503, title: "Too many sign-ins at once", remedy: "Try again in a few seconds." },
  "account.code_needed": {
    status: 401,
    title: "A code is needed",
    remedy: "Send the code of the authenticator with the password, or a recovery code.",
  },
  "account.exists": { status: 409, title: "The account exists", remedy: "Choose another name." },
  "account.factor_needed": {
    status: 409,
    title: "The account has no second factor",
    remedy:
      "Make a passkey or set an authenticator up: in the console under your account, or with holdfast me totp-on.",
  },
  "account.last_admin": {
    status: 409,
    title: "The last administrator",
    remedy: "Give another account the permission admin first.",
  },
  "account.last_factor": {
    status: 409,
    title: "The last second factor",
    remedy: "Set another one up first: a floor asks for it before a server moves.",
  },
  "account.locked_out": {
    status: 429,
    title: "Too many wrong passwords",
    remedy: "Wait, then try again; or sign in from another place.",
  },
  "account.more_than_own": {
    status: 403,
    title: "More than the account's own permissions",
    remedy: "A token holds at most what its maker holds.",
  },
  "account.must_change_password": {
    status: 403,
    title: "The one-time password must be changed",
    remedy: "Change it with POST /me/password, then sign in with the new one.",
  },
  "account.not_now": {
    status: 409,
    title: "The account is so already",
    remedy: "Nothing is left to do; the list of accounts shows their states.",
  },
  "account.own_permissions": {
    status: 403,
    title: "Nobody widens their own permissions",
    remedy: "Ask another administrator; what you hold you may give up yourself.",
  },
  "account.own_sign_in": {
    status: 403,
    title: "How you sign in is changed with your password",
    remedy: "Use POST /me/password or POST /me/totp/remove; without the password it takes another administrator.",
  },
  "account.passkey_challenge": {
    status: 409,
    title: "The challenge is not good any more",
    remedy: "Begin again: each challenge is for once, for one browser, and for five minutes.",
  },
  "account.passkey_counter": {
    status: 401,
    title: "The passkey may have been copied",
    remedy:
      "Sign in in another way, remove this passkey, and make a new one. An alert stands until that is done, or somebody else has looked.",
  },
  "account.passkey_exists": {
    status: 409,
    title: "The passkey is registered already",
    remedy: "Use it, or take another authenticator.",
  },
  "account.passkey_needed": {
    status: 401,
    title: "A passkey is needed",
    remedy: "Sign in with the passkey, or send a recovery code as the code.",
  },
  "account.passkey_refused": {
    status: 401,
    title: "The passkey is not accepted",
    remedy: "Use a passkey that was made for this console, or sign in in another way.",
  },
  "account.passkeys_full": {
    status: 409,
    title: "The account has as many passkeys as it may have",
    remedy: "Remove one that is not used any more.",
  },
  "account.passkeys_impossible": {
    status: 409,
    title: "There are no passkeys at this address",
    remedy:
      "Browsers make passkeys for names over https, never for addresses: set HOLDFAST_PUBLIC_URL to https://NAME, and open the console there.",
  },
  "account.password_needed": {
    status: 422,
    title: "The password is needed",
    remedy: "Send the password, or show a second factor with POST /me/step-up first.",
  },
  "account.role_in_use": {
    status: 409,
    title: "The role is held by somebody",
    remedy: "Take it from the accounts that hold it first.",
  },
  "account.role_unknown": {
    status: 422,
    title: "There is no such role",
    remedy: "The list of roles names those that are there.",
  },
  "account.same_password": { status: 422, title: "The password is the old one", remedy: "Choose a new one." },
  "account.session_needed": {
    status: 409,
    title: "Only a session can be shown to be a person's",
    remedy: "Sign in with POST /session; a token stays what it is.",
  },
  "account.totp_not_now": {
    status: 409,
    title: "Not possible with this second factor",
    remedy: "Look at secondFactor of GET /me; give one up before beginning another.",
  },
  "account.wrong_code": {
    status: 401,
    title: "The code is wrong",
    remedy: "Look at the authenticator's newest code, and at the clock of its phone.",
  },
  "account.wrong_kind": {
    status: 409,
    title: "Not possible for this kind of account",
    remedy: "People have passwords; services have tokens that an administrator makes.",
  },
  "account.wrong_password": {
    status: 401,
    title: "User or password is wrong",
    remedy: "Check both; after several wrong tries you have to wait.",
  },
  "alert.not_now": { status: 409, title: "The alert is not open", remedy: "Look at the alert; it says why." },
  "alert.own_passkey": {
    status: 403,
    title: "Nobody settles an alert about their own passkey",
    remedy: "Remove the passkey and make a new one, or ask somebody else with the permission apply on every server.",
  },
  "apply.base_moved": {
    status: 409,
    title: "The plan's base has moved",
    remedy: "Plan the change again and look at what it would do now.",
  },
  "apply.confirmed_from_inside": {
    status: 409,
    title: "A confirmation must come from outside the server",
    remedy:
      "Confirm from another machine; on the server itself, holdfast-agent confirm --yes says that you have seen it work.",
  },
  "apply.connection_too_old": {
    status: 409,
    title: "This connection is older than the change",
    remedy: "Confirm again: the next request comes over a new connection.",
  },
  "apply.not_now": {
    status: 409,
    title: "Not possible in this state",
    remedy: "Look at the apply; its actions say what is possible.",
  },
  "apply.quarantined": {
    status: 409,
    title: "A revision is quarantined on the server",
    remedy: "Mend the document in a new change, or retry the apply that was undone to release it.",
  },
  "apply.server_busy": {
    status: 409,
    title: "Another apply is under way on the server",
    remedy: "Wait for its end, or abort it.",
  },
  "apply.server_locked": { status: 409, title: "The server is locked", remedy: "Look at the server, then unlock it." },
  "apply.server_not_enrolled": { status: 409, title: "The server has no agent", remedy: "Enroll it first." },
  "apply.server_paused": {
    status: 409,
    title: "The server is paused",
    remedy: "Wait for the end of the pause, or resume it.",
  },
  "audit.chain_broken": {
    status: 409,
    title: "The audit log does not hold by itself",
    remedy: "Nothing makes up for an entry that was changed. See docs/runbooks/audit-broken.md.",
  },
  "audit.nothing_to_accept": {
    status: 409,
    title: "The audit log is what was kept elsewhere",
    remedy:
      "Look with holdfast audit verify; only a log that servers know more of, or another one of, can be accepted.",
  },
  "audit.other_epoch": {
    status: 409,
    title: "Another epoch is to be begun",
    remedy: "Somebody was quicker, or a server came back that knows more: read holdfast audit verify again.",
  },
  "change.approval_of_own": {
    status: 403,
    title: "Nobody approves their own change",
    remedy: "Ask somebody else with the permission approve.",
  },
  "change.approval_used": {
    status: 409,
    title: "A server has moved by this approval",
    remedy: "Abort or halt the rollout, or roll the change back; neither needs an approval.",
  },
  "change.base_moved": {
    status: 409,
    title: "A document has moved since the change was begun",
    remedy: "Take the newest revision into your text and make the change again.",
  },
  "change.break_glass_refused": {
    status: 403,
    title: "The floor does not let this go before its approvals",
    remedy:
      "Ask somebody with the permission approve; or set breakGlass in the floor, which is a change like any other.",
  },
  "change.danger_not_acknowledged": {
    status: 409,
    title: "A dangerous finding has not been acknowledged",
    remedy: "Read the findings; then acknowledge each of them, or mend the change.",
  },
  "change.empty": { status: 422, title: "The change holds nothing", remedy: "Give at least one document or deletion." },
  "change.invalid": {
    status: 422,
    title: "The documents cannot be applied",
    remedy: "Mend what the findings name; nothing was changed.",
  },
  "change.needs_approval": {
    status: 409,
    title: "Approvals are missing",
    remedy: "Ask somebody with the permission approve, who is not the author.",
  },
  "change.not_author": { status: 403, title: "The draft of another author", remedy: "Make a change of your own." },
  "change.not_now": {
    status: 409,
    title: "Not possible in this state",
    remedy: "Look at the change; its actions say what is possible.",
  },
  "change.not_plannable": {
    status: 409,
    title: "A plan cannot be applied",
    remedy: "Mend what the plan's findings say, or leave the server out.",
  },
  "change.plan_unknown": { status: 409, title: "Not a plan of this change", remedy: "Plan the change again." },
  "change.trial_weaker": {
    status: 422,
    title: "The trial is weaker than the floor's",
    remedy: "A change may only make its trial stricter: a longer soak, a shorter window, a person.",
  },
  "change.under_way": {
    status: 409,
    title: "A rollout of the change is under way",
    remedy: "Wait for its end, or abort or halt it.",
  },
  "etag.missing": {
    status: 428,
    title: "If-Match is missing",
    remedy: "Read the resource and send its ETag as If-Match.",
  },
  "etag.moved": {
    status: 412,
    title: "The resource has moved",
    remedy: "Read it again; somebody else has changed it since.",
  },
  "explain.impossible": {
    status: 422,
    title: "The packet cannot be judged",
    remedy: "See what the finding says of the packet or the config.",
  },
  "idempotency.in_progress": {
    status: 409,
    title: "The same request is being worked on",
    remedy: "Ask again with the same key in a moment.",
  },
  "idempotency.key_invalid": {
    status: 400,
    title: "The Idempotency-Key cannot be used",
    remedy: "Send 8 to 200 printable characters without spaces, for example a UUID.",
  },
  "idempotency.other_request": {
    status: 409,
    title: "The Idempotency-Key was used for another request",
    remedy: "Use a new key for a new request.",
  },
  "idempotency.outcome_unknown": {
    status: 409,
    title: "The first request has not been answered",
    remedy: "Read the resource to see what became of it, then use a new key.",
  },
  "idempotency.secret_shown_once": {
    status: 409,
    title: "The answer held a secret and is not repeated",
    remedy: "It was done. If the secret was lost, make a new one.",
  },
  "internal.error": {
    status: 500,
    title: "A fault in Holdfast",
    remedy: "Try again. If it stays, quote the request id; the log has the cause.",
  },
  "oidc.account_closed": {
    status: 403,
    title: "The account is closed",
    remedy: "Ask an administrator to open it again.",
  },
  "oidc.already_linked": {
    status: 409,
    title: "The account is linked to another subject",
    remedy: "Take that link away first: holdfast user unlink.",
  },
  "oidc.not_begun_here": {
    status: 401,
    title: "The sign-in was not begun in this browser",
    remedy: "Begin again, in one window. If you never began one, somebody sent you here: close the page.",
  },
  "oidc.not_configured": {
    status: 404,
    title: "There is no provider to sign in with",
    remedy: "Sign in with a password; HOLDFAST_OIDC_FILE configures a provider.",
  },
  "oidc.not_linked": {
    status: 403,
    title: "No account is linked to this person",
    remedy: "Give the subject to an administrator, who links it to your account: holdfast user link.",
  },
  "oidc.provider_refused": {
    status: 403,
    title: "The provider did not sign this person in",
    remedy: "Begin again, and let the provider sign you in; its own administrator knows why it would not.",
  },
  "oidc.provider_unreachable": {
    status: 503,
    title: "The provider does not answer",
    remedy: "Try again in a moment, or sign in with your password.",
  },
  "oidc.role_unfit": {
    status: 403,
    title: "The role for new accounts gives more than view",
    remedy:
      "Tell an administrator: newAccounts of HOLDFAST_OIDC_FILE names a role that is missing or gives more than view.",
  },
  "oidc.subject_taken": {
    status: 409,
    title: "The subject is linked to another account",
    remedy: "Compare the subject; one person at the provider is one account here.",
  },
  "oidc.token_invalid": {
    status: 401,
    title: "The provider's answer does not hold",
    remedy:
      "Begin again. If it stays, the log says what did not hold; look at the clocks and the client's settings too.",
  },
  "oidc.too_late": { status: 401, title: "The sign-in took too long", remedy: "Begin again." },
  "oidc.used": { status: 401, title: "The sign-in has been used", remedy: "Begin again." },
  "packets.no_firewall": {
    status: 409,
    title: "No firewall of Holdfast is in force there",
    remedy: "Apply a policy with a firewall section to the server first.",
  },
  "packets.too_many": {
    status: 429,
    title: "Too many look at packets",
    remedy: "Close another page or command that looks at packets, then try again.",
  },
  "packets.unavailable": {
    status: 409,
    title: "The server cannot show its packets",
    remedy:
      "See what the server says. It needs nft 1.0 and Linux 5.12 or newer, and nobody else who owns the table holdfast_watch.",
  },
  "packets.unsupported": {
    status: 409,
    title: "The agent cannot show packets",
    remedy: "Upgrade the agent on the server; it needs the firewall module.",
  },
  "request.cursor_invalid": {
    status: 400,
    title: "The cursor is not one of ours",
    remedy: "Begin without a cursor and follow nextCursor.",
  },
  "request.invalid": { status: 400, title: "The request is not understood", remedy: "Correct what the findings name." },
  "request.not_json": { status: 415, title: "The body is not JSON", remedy: "Send application/json." },
  "request.rate_limited": { status: 429, title: "Too many requests", remedy: "Wait as long as Retry-After says." },
  "request.too_large": {
    status: 413,
    title: "The body is too large",
    remedy: "Send at most 2 MiB; split the documents into several changes.",
  },
  "request.unknown_route": { status: 404, title: "There is no such address", remedy: "See GET /api/v1/openapi.json." },
  "resource.not_found": {
    status: 404,
    title: "There is no such thing, or you may not see it",
    remedy: "Check the name or id.",
  },
  "rollback.conflict": {
    status: 409,
    title: "Later changes stand in the way",
    remedy: "Roll back the later changes first, or make a new change that says what should be.",
  },
  "rollout.not_now": {
    status: 409,
    title: "Not possible in this state",
    remedy: "Look at the rollout; its actions say what is possible.",
  },
  "certificate.key_of_other": {
    status: 409,
    title: "The key is somebody else's",
    remedy:
      "Make a new key and a new request on this person's own device: a key that two have tells nobody which of them calls.",
  },
  "certificate.request": {
    status: 422,
    title: "The request cannot be certified",
    remedy: "The sheet of the person says how a request is made: holdfast tunnel sheet TUNNEL PERSON.",
  },
  "secret.damaged": {
    status: 500,
    title: "A secret does not open",
    remedy: "Its row in the database was changed. Restore it from a backup, or delete the secret and write it again.",
  },
  "secret.generated": {
    status: 422,
    title: "A generated key is not written",
    remedy: "Give the tunnel another version: holdfast secret rotate.",
  },
  "secret.in_use": {
    status: 409,
    title: "The secret is in use",
    remedy: "Take it out of the documents that name it, and apply that, first.",
  },
  "secret.key_missing": {
    status: 503,
    title: "The key of the secrets is missing",
    remedy: "Give this instance the key that the house uses: docs/secrets.md says where it comes from.",
  },
  "secret.key_unwritable": {
    status: 503,
    title: "The key of the secrets cannot be written",
    remedy: "Let the control plane write where its key is, and do it again; everything can still be opened.",
  },
  "secret.not_next": {
    status: 422,
    title: "Versions of a generated key are counted",
    remedy: "Name one that is there, or the next one; holdfast secret rotate writes it.",
  },
  "secret.one_key": {
    status: 409,
    title: "There is no new key yet",
    remedy: "Put the new key before the old one, then do this again.",
  },
  "secret.same_value": {
    status: 409,
    title: "The secret has this value already",
    remedy: "Name that version in the document, or write another value.",
  },
  "secret.unused": {
    status: 409,
    title: "No tunnel names the secret",
    remedy: "Write its new value as a version of its own; there is nothing to change on a server.",
  },
  "secret.value_needed": {
    status: 422,
    title: "The value has to be said",
    remedy: "Agree on a value with the administrator of the other end, and send it.",
  },
  "server.exists": {
    status: 409,
    title: "The server exists",
    remedy: "Choose another name; the name of a released server is never used again.",
  },
  "server.key_other": {
    status: 409,
    title: "The fingerprint is another one",
    remedy:
      "Compare again with what the server itself shows. If it differs, somebody else used the token: revoke it and make a new one.",
  },
  "server.not_now": { status: 409, title: "Not possible in this state", remedy: "Look at the server." },
  "server.unreachable": {
    status: 503,
    title: "The server cannot be asked now",
    remedy: "See whether its agent is connected, then ask again.",
  },
  "store.commit_unknown": {
    status: 503,
    title: "The database's answer was lost",
    remedy: "It may have been done: read the resource before you try again.",
  },
  "store.unavailable": {
    status: 503,
    title: "The database does not answer",
    remedy: "Nothing was changed. Try again in a moment.",
  },
  "tools.agent_too_old": {
    status: 409,
    title: "The agent knows no tools",
    remedy: "Upgrade the agent on the server.",
  },
  "tools.busy": {
    status: 409,
    title: "The server runs as many tools as it does at once",
    remedy: "Wait until another one has ended, or end it.",
  },
  "tools.invalid": {
    status: 409,
    title: "The server does not take this",
    remedy: "See what it says; an agent of another version may take less.",
  },
  "tools.lost": {
    status: 409,
    title: "The server knows nothing of this run",
    remedy: "Begin it again.",
  },
  "tools.missing_program": {
    status: 409,
    title: "The program is not on the server",
    remedy: "Install the package that the server names, then try again.",
  },
  "tools.not_permitted": {
    status: 409,
    title: "The server's kernel does not let the agent do this",
    remedy: "See what the server says.",
  },
  "tools.too_many": {
    status: 429,
    title: "Too many tools at once",
    remedy: "Wait until another one has ended, or end it.",
  },
  "tools.unavailable": {
    status: 409,
    title: "The server cannot do this now",
    remedy: "See what the server says, then try again.",
  },
  "tools.unsupported": {
    status: 409,
    title: "The agent does not have this tool",
    remedy: "Install the agent's package again, in the version of the control plane.",
  },
  "tunnel.act_under_way": {
    status: 409,
    title: "Another act on a tunnel of the server is under way",
    remedy: "Look at the tunnel in a moment, then do it again if it is still wanted.",
  },
  "tunnel.danger_not_acknowledged": {
    status: 409,
    title: "A dangerous finding has not been acknowledged",
    remedy: "Read the findings; then acknowledge the code of each of them.",
  },
  "tunnel.failed": {
    status: 502,
    title: "It was tried and did not come to its end",
    remedy: "See the findings, and the tunnel as it is now.",
  },
  "tunnel.outcome_unknown": {
    status: 503,
    title: "The answer was lost",
    remedy: "Look at the tunnel as it is now: it may have been done, and is not done again by itself.",
  },
  "tunnel.refused": {
    status: 409,
    title: "Not possible with the tunnel as it is",
    remedy: "See the findings; nothing was done.",
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;
