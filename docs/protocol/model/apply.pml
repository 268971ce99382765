/* The apply protocol of one server, checked exhaustively. The text is ../apply.md; I1..I19 are its labels.
 *
 * Parties: a control plane of two instances (Control holds the lease; Zombie is the one that lost it and does not
 * know), and on the server the Guard, a Module, the Revert unit with its timer, and Power, which cuts at any time.
 * Two domains stand for four: domain 0 lives on disk (system), domain 1 lives in the kernel only, is lost at boot
 * and carries the management path (firewall). A configuration is the set of changes it contains, one bit for each.
 *
 * Durable on the control plane: st eff from act tx kind ph fen comp nxt (one atomic block = one database transaction).
 * An instance that dies is one that does not act, since Control reads nothing but these rows.
 * Durable on the server: led ltx nb maxf locked conf boot1 snap dom[0]. Volatile: armed mod r dom[1] cut.
 * A process of the server that dies is one that does not act; the timer belongs to none of them.
 * The network delays, reorders and doubles requests without bound; a message never taken is a lost one.
 *
 * Each -DBUG_x puts one known mistake in; every one must be refuted. */
#ifndef NAPP
#define NAPP 1                /* applies, each one change */
#endif
#ifndef NTX
#define NTX 2                 /* host transactions, forward and rollback together */
#endif
#ifndef MAXC
#define MAXC 1                /* power cuts */
#endif
#ifndef MAXT
#define MAXT 1                /* times the lease is taken over from an instance still alive */
#endif
#ifndef MAXFAIL
#define MAXFAIL 1             /* restores that fail for good */
#endif
#ifndef MAXFORCE
#define MAXFORCE 0            /* applies closed by hand while in doubt */
#endif
#ifndef CAP
#define CAP 2                 /* requests under way at once */
#endif
#ifndef CAPR
#define CAPR 1                /* replies under way at once */
#endif

mtype:state = { READY, APPLYING, APPLIED, FAILED, ROLLBACKING, ROLLED_BACK, CANCELLED };
mtype:effect = { E_NONE, E_RESTORE_FAILED, E_UNKNOWN };
mtype:ledger = { L_EMPTY, L_PREPARED, L_ARMED, L_STEP_BEGIN, L_STEP_DONE, L_ON_TRIAL, L_CONFIRMED, L_FINALIZED,
                 L_REVERTING, L_REVERTED, L_REVERT_FAILED, L_REFUSED };
mtype:phase = { P_IDLE, P_DISPATCHED, P_EXECUTING, P_CONFIRMING, P_ABORTING };
mtype:kind = { K_FORWARD, K_ROLLBACK };
mtype:verb = { PREPARE, EXECUTE, CONFIRM, BLIND_CONFIRM, ABORT, GET_TRANSACTION };
mtype:word = { R_PREPARED, R_ON_TRIAL, R_FINALIZED, R_REVERTED, R_REVERT_FAILED, R_REFUSED, R_UNKNOWN };
#define CUT_NONE 0
#define CUT_INBOUND 1         /* new connections to the server fail; the agent can still dial out */
#define CUT_OUTBOUND 2        /* the agent cannot dial; a session that is open stays open */

#define SLOTS 4               /* applies and transactions count from 1 to 3 */
chan toServer = [CAP] of { mtype:verb, byte, byte };          /* transaction, fence */
chan toControl = [CAPR] of { mtype:word, byte };                /* transaction */

/* --- the control plane's rows --- */
mtype:state st[SLOTS] = READY;
mtype:effect eff[SLOTS] = E_NONE;
mtype:state from = READY;     /* where an operator's rollback found the apply */
mtype:kind kind = K_FORWARD;
mtype:phase ph = P_IDLE;
byte act = 0; byte tx = 0; byte fen = 0; byte comp = 0; byte napp = 0; byte nxt = 1;
byte fwd[SLOTS]; byte rbk[SLOTS];                /* an apply's forward transaction, and its latest rollback */
byte own[SLOTS]; byte tgt[SLOTS]; bool isrb[SLOTS];      /* a transaction's plan: immutable, carried by Prepare */
byte takeovers = 0; byte forced = 0;
/* --- what the instance without the lease still has in its memory --- */
byte zact = 0; byte ztx = 0; byte zfen = 0; mtype:phase zph = P_IDLE;
/* --- the server --- */
mtype:ledger led = L_EMPTY;   /* last record of the newest transaction; older ones are forgotten */
byte ltx = 0; byte nb = 0; byte maxf = 0; byte locked = 0;    /* by which failed undo */
byte conf = 0;                /* the confirmed configuration */
byte boot1 = 0; byte bcut = CUT_NONE;            /* what domain 1 is after a boot */
byte dom[2]; byte snap[2]; byte scut = CUT_NONE; byte cut = CUT_NONE;
byte tcut = CUT_NONE;         /* what domain 1 of this transaction does to the management path */
bool armed = false; byte mod = 0; byte r = 0;
byte crashes = 0; byte fails = 0;
/* --- ghosts: the truth that the invariants are about --- */
mtype:ledger res[SLOTS] = L_EMPTY;               /* the outcome of a transaction, once it has one */
bool everfailed[SLOTS];
byte topf = 0;                                   /* highest fence ever accepted */
#ifdef BUG_PARTIAL_CLEAN
byte snapok = 3;
#endif
#ifdef BUG_REVERT_NOT_RECORDED
bool undoing = false;
#endif

#define change(a) (1 << ((a) - 1))
#define open (led == L_ARMED || led == L_STEP_BEGIN || led == L_STEP_DONE || led == L_ON_TRIAL)
#define free (led == L_EMPTY || led == L_FINALIZED || led == L_REVERTED || \
              led == L_REFUSED || led == L_REVERT_FAILED)
#ifdef BUG_STALE_CONNECTION   /* sessions are kept when the trial starts: the old one survives a cut */
#define reach true
#else                         /* a session that is open outlives the cut until the trial starts and closes it */
#define reach (cut != CUT_OUTBOUND || led == L_STEP_BEGIN || led == L_STEP_DONE)
#endif

/* I13: the only legal moves of an apply */
#define legal(s, t) ( \
  (s == READY && (t == APPLYING || t == CANCELLED)) || \
  (s == APPLYING && (t == APPLIED || t == FAILED || t == ROLLBACKING)) || \
  (s == APPLIED && t == ROLLBACKING) || \
  (s == ROLLBACKING && (t == ROLLED_BACK || t == FAILED || t == APPLIED)) || \
  (s == FAILED && t == ROLLBACKING) )
#define MUST(truth, label) if :: !(truth) -> printf(label); assert(false) :: else -> skip fi
/* I23: which record may follow which, for one transaction; its first one is `prepared` or `refused` */
#define follows(l, k) ( \
  (l == L_PREPARED && (k == L_ARMED || k == L_REVERTED)) || \
  (l == L_ARMED && (k == L_STEP_BEGIN || k == L_REVERTING)) || \
  (l == L_STEP_BEGIN && (k == L_STEP_DONE || k == L_REVERTING)) || \
  (l == L_STEP_DONE && (k == L_STEP_BEGIN || k == L_ON_TRIAL || k == L_REVERTING)) || \
  (l == L_ON_TRIAL && (k == L_CONFIRMED || k == L_REVERTING)) || \
  (l == L_CONFIRMED && k == L_FINALIZED) || \
  (l == L_REVERTING && (k == L_REVERTED || k == L_REVERT_FAILED)) || \
  (l == L_REVERT_FAILED && k == L_REVERTING) )
inline record(k) { MUST(follows(led, k), "violated I23\n"); led = k }
inline move(a, t) { MUST(legal(st[a], t), "violated I13\n"); st[a] = t }
/* I3: a transaction has one outcome, for ever; an undo that failed may come through when it is tried again */
inline outcome(t, v) { MUST((res[t] == L_EMPTY || res[t] == v || (res[t] == L_REVERT_FAILED && v == L_REVERTED)), "violated I3\n"); res[t] = v }
#define SEND(when, q, t, f) atomic { when && nfull(toServer) && !(toServer ?? [q, eval(t), eval(f)]) -> toServer !! q, t, f }
inline reply(q, t) { if :: nfull(toControl) -> toControl !! q, t :: skip fi }

/* ------------------------------------------------------------------ control plane */
inline close() { act = 0; tx = 0; ph = P_IDLE; kind = K_FORWARD; from = READY }
inline begin(a, k, target) {
  act = a; kind = k; tx = nxt; nxt++; fen++; ph = P_DISPATCHED; own[tx] = a; tgt[tx] = target;
  if :: k == K_ROLLBACK -> isrb[tx] = true; rbk[a] = tx :: else -> fwd[a] = tx fi }
inline back_where_it_was() {                     /* a rollback that did not happen */
  if :: from == APPLIED -> move(act, APPLIED) :: else -> move(act, FAILED) fi; close() }
inline abort_it() {                              /* nothing was executed: there is nothing to roll back */
  if :: st[act] == APPLYING && ph != P_DISPATCHED -> move(act, ROLLBACKING) :: else -> skip fi; ph = P_ABORTING }
#define executed (st[act] == ROLLBACKING || ph == P_EXECUTING || ph == P_CONFIRMING)
inline verdict(v) {
  if
  :: v == R_FINALIZED && kind == K_FORWARD ->
#ifdef BUG_ABORT_LOST_IS_ROLLED_BACK
     if :: st[act] == ROLLBACKING -> move(act, ROLLED_BACK) :: else -> move(act, APPLIED); comp = comp | change(act) fi; close()
#else
     move(act, APPLIED); comp = comp | change(act); close()
#endif
  :: v == R_FINALIZED && kind == K_ROLLBACK -> move(act, ROLLED_BACK); eff[act] = E_NONE; comp = comp & (7 - change(act)); close()
  :: (v == R_REVERTED || v == R_REFUSED) && kind == K_ROLLBACK ->
#ifdef BUG_UNDONE_ROLLBACK_IS_ROLLED_BACK
     move(act, ROLLED_BACK); close()
#else
     back_where_it_was()
#endif
  :: v == R_REFUSED && kind == K_FORWARD && st[act] == APPLYING -> move(act, FAILED); eff[act] = E_NONE; close()
  :: v == R_REFUSED && kind == K_FORWARD && st[act] != APPLYING -> move(act, ROLLED_BACK); close()
  :: v == R_REVERTED && kind == K_FORWARD && !executed -> move(act, FAILED); eff[act] = E_NONE; close()
  :: v == R_REVERTED && kind == K_FORWARD && executed ->
     if :: st[act] == APPLYING -> move(act, ROLLBACKING) :: else -> skip fi; move(act, ROLLED_BACK); close()
  :: v == R_REVERT_FAILED ->
     if :: st[act] == APPLYING -> move(act, ROLLBACKING) :: else -> skip fi;
     move(act, FAILED);
#ifdef BUG_DOUBT_FORGOTTEN
     eff[act] = E_RESTORE_FAILED;
#else                          /* a failed rollback of what is unknown does not make it known */
     if :: eff[act] != E_UNKNOWN -> eff[act] = E_RESTORE_FAILED :: else -> skip fi;
#endif
     close()
  fi }
#define uncertain ((st[1] == FAILED && eff[1] == E_UNKNOWN) || (st[2] == FAILED && eff[2] == E_UNKNOWN) || \
                   (st[3] == FAILED && eff[3] == E_UNKNOWN))
#ifdef BUG_FORCE_WITHOUT_LOCK
#define claimable true
#else
#define claimable (!uncertain)
#endif
#define rollbackable(a) (st[a] == APPLIED || (st[a] == FAILED && eff[a] != E_NONE))

hidden mtype:word cr; hidden byte ct;
proctype Control() {
end: do
  /* a READY apply is claimed or withdrawn; an operator starts a rollback */
  :: atomic { act == 0 && napp < NAPP && nxt <= NTX && claimable ->
       napp++; move(napp, APPLYING); begin(napp, K_FORWARD, comp | change(napp)) }
  :: atomic { act == 0 && napp < NAPP -> napp++; move(napp, CANCELLED) }
  :: atomic { act == 0 && nxt <= NTX && rollbackable(1) -> from = st[1]; move(1, ROLLBACKING); begin(1, K_ROLLBACK, comp & 6) }
#if NAPP > 1
  :: atomic { act == 0 && nxt <= NTX && rollbackable(2) -> from = st[2]; move(2, ROLLBACKING); begin(2, K_ROLLBACK, comp & 5) }
#endif
  /* requests, again and again, each with the fence of the present claim */
  :: SEND(ph == P_DISPATCHED, PREPARE, tx, fen)
  :: SEND(ph == P_EXECUTING, EXECUTE, tx, fen)
  :: SEND(ph == P_CONFIRMING, CONFIRM, tx, fen)
  :: SEND(ph == P_ABORTING, ABORT, tx, fen)
  :: SEND((ph == P_DISPATCHED || ph == P_EXECUTING), GET_TRANSACTION, tx, 0)
  /* what an old session, or a client that did not wait, may still deliver: a Confirm with no nonce in it */
  :: SEND(ph == P_EXECUTING, BLIND_CONFIRM, tx, fen)
  /* an operator or a reaper gives up; a timeout is never a verdict */
  :: atomic { act != 0 && ph != P_ABORTING ->
#ifdef BUG_TIMEOUT_IS_VERDICT
       if :: st[act] == APPLYING -> move(act, ROLLBACKING) :: else -> skip fi; move(act, ROLLED_BACK); close()
#else
       abort_it()
#endif
     }
  :: atomic { act != 0 && ph == P_ABORTING && forced < MAXFORCE ->
       forced++; if :: st[act] == APPLYING -> move(act, ROLLBACKING) :: else -> skip fi;
       move(act, FAILED); eff[act] = E_UNKNOWN; close(); fen++ }
  /* the other instance takes the lease; the first one lives on with what it remembers */
  :: atomic { act != 0 && takeovers < MAXT -> takeovers++; zact = act; ztx = tx; zph = ph; zfen = fen; fen++ }
  :: atomic { toControl ? cr, ct ->
       if
       :: ct != tx || act == 0 -> skip
       :: ct == tx && act != 0 && cr == R_PREPARED -> if :: ph == P_DISPATCHED -> ph = P_EXECUTING :: else -> skip fi
       :: ct == tx && act != 0 && cr == R_ON_TRIAL ->
          if
          :: ph == P_EXECUTING ->
#ifdef BUG_OUTBOUND_IS_ENOUGH
             if :: true -> ph = P_CONFIRMING :: abort_it() fi
#else                          /* new inbound connections to the ports of the floor, from outside */
#ifdef BUG_OPTIMISTIC
             if :: cut != CUT_INBOUND -> if :: nfull(toServer) -> toServer !! CONFIRM, tx, fen :: full(toServer) -> skip fi; verdict(R_FINALIZED)
                :: abort_it() fi
#else
             if :: cut != CUT_INBOUND -> ph = P_CONFIRMING :: abort_it() fi
#endif
#endif
          :: else -> skip
          fi
       :: ct == tx && act != 0 && cr == R_UNKNOWN ->
#ifdef BUG_NOT_FOUND_IS_FINAL
          verdict(R_REFUSED)
#else
          skip                 /* the request may still arrive: only Abort's tombstone ends it */
#endif
       :: else -> verdict(cr)
       fi }
  od }

/* The instance that lost the lease: it goes on sending with its old fence; its writes are compare-and-set on that
 * fence and touch no row. */
proctype Zombie() {
end: do
  :: SEND(zph == P_DISPATCHED, PREPARE, ztx, zfen)
  :: SEND(zph == P_EXECUTING, EXECUTE, ztx, zfen)
  :: SEND(zph == P_CONFIRMING, CONFIRM, ztx, zfen)
  :: SEND(zph == P_ABORTING, ABORT, ztx, zfen)
#ifdef BUG_ZOMBIE_WRITES
  :: atomic { zact != 0 && zph != P_ABORTING && zph != P_IDLE -> st[zact] = ROLLBACKING; zph = P_ABORTING }
#endif
  od }

/* ------------------------------------------------------------------ server */
inline answer(t) {
  if
  :: t == ltx && led == L_PREPARED -> reply(R_PREPARED, t)
  :: t == ltx && led == L_ON_TRIAL -> reply(R_ON_TRIAL, t)
  :: t == ltx && led == L_FINALIZED -> reply(R_FINALIZED, t)
  :: t == ltx && led == L_REVERTED -> reply(R_REVERTED, t)
  :: t == ltx && led == L_REVERT_FAILED -> reply(R_REVERT_FAILED, t)
  :: t == ltx && led == L_REFUSED -> reply(R_REFUSED, t)
  :: else -> skip              /* under way, busy, or stale: no verdict */
  fi }
inline tombstone(t) {
  MUST((t != ltx), "violated I23\n");
  led = L_REFUSED; ltx = t; nb = 0; outcome(t, L_REFUSED) }
inline reverted() {
  record(L_REVERTED); outcome(ltx, L_REVERTED); armed = false;
  if :: locked == ltx -> locked = 0 :: else -> skip fi }
inline prepare(t) {
  MUST((isrb[t] || locked || tgt[t] == (conf | change(own[t]))), "violated I21\n");
  snap[0] = dom[0]; snap[1] = dom[1]; scut = cut; led = L_PREPARED; ltx = t; nb = 0 }
inline confirm(t) { record(L_CONFIRMED); outcome(t, L_CONFIRMED); armed = false; conf = tgt[t] }
/* The one way back. It kills the module and waits for it before anything is restored. */
inline start_revert() {
  record(L_REVERTING); r = nb; tcut = CUT_NONE;
#ifndef BUG_MODULE_OUTLIVES_REVERT
  mod = 0
#endif
  }

hidden mtype:verb gm; hidden byte gt; hidden byte gf; hidden byte higher;
hidden mtype:verb xm; hidden byte xt; hidden byte xf;
inline rotate() { toServer ? xm, xt, xf; toServer ! xm, xt, xf }
inline pick() {                /* any one of the requests under way; it may stay there and come again */
  if :: true :: len(toServer) > 1 -> rotate() :: len(toServer) > 2 -> rotate(); rotate() fi;
  if :: toServer ? gm, gt, gf :: toServer ? gm, gt, gf; toServer ! gm, gt, gf fi;
  xf = len(toServer);          /* put the bag back in its one order: fewer states, same behaviour */
  if :: xf > 1 -> sort() :: else -> skip fi }
inline sort() {
  do :: xf > 0 -> toServer ? xm, xt, hf; toServer !! xm, xt, hf; xf-- :: else -> break od }
hidden byte hf;

proctype Guard() {
end: do
  :: atomic { reach && nempty(toServer) -> pick();
       if
       :: gm == GET_TRANSACTION -> if :: gt == ltx -> answer(gt) :: else -> reply(R_UNKNOWN, gt) fi   /* a read: no fence */
       :: gm != GET_TRANSACTION ->
       if
#ifndef BUG_NO_FENCE
       :: gf < maxf && gm != ABORT -> skip
#ifdef BUG_TOMBSTONE_OLD       /* a forgotten transaction gets a verdict instead of STALE */
       :: gf < maxf && gm == ABORT && gt != ltx && free -> tombstone(gt); answer(gt)
       :: gf < maxf && gm == ABORT && !(gt != ltx && free) -> skip
#else
       :: gf < maxf && gm == ABORT -> skip
#endif
       :: gf >= maxf ->
#else
       :: true ->
#endif
          higher = (gf > maxf);
#ifdef BUG_NO_FENCE
          higher = true;
#endif
#ifdef BUG_ABORT_FORGETS
          if :: gm == ABORT && gt != ltx -> skip :: else -> maxf = gf fi;
#else
          if :: gf > maxf -> maxf = gf :: else -> skip fi;
#endif
          if :: maxf > topf -> topf = maxf :: else -> skip fi;
          if
          :: gm == PREPARE ->
             if
             :: gt != ltx && higher && (free || led == L_PREPARED) ->
                if :: led == L_PREPARED -> reverted() :: else -> skip fi;                /* superseded, unchanged */
                if
                :: true -> tombstone(gt)             /* refused: invalid, drifted, no space, no way back */
#ifdef BUG_APPLY_WHILE_LOCKED
                :: true -> prepare(gt)
#else
                :: (!locked || isrb[gt]) -> prepare(gt)
#endif
                fi; answer(gt)
             :: else -> answer(gt)
             fi
          :: gm == EXECUTE ->
             if
             :: gt == ltx && led == L_PREPARED ->
                MUST((!locked || isrb[gt]), "violated I22\n");
#ifdef BUG_ARM_LATE
                led = L_STEP_DONE
#else
                record(L_ARMED); armed = true
#endif
             :: else -> answer(gt)
             fi
          :: gm == CONFIRM ->
             if
#ifdef BUG_PARTIAL_CLEAN
             :: gt == ltx && led == L_ON_TRIAL && armed -> snapok = 2
#else
#ifdef BUG_FINALIZE_BEFORE_CONFIRM
             :: gt == ltx && led == L_ON_TRIAL && boot1 != tgt[gt] -> boot1 = tgt[gt]; bcut = tcut
             :: gt == ltx && led == L_ON_TRIAL && boot1 == tgt[gt] -> confirm(gt)
#else
             :: gt == ltx && led == L_ON_TRIAL -> confirm(gt)
#endif
#endif
             :: else -> answer(gt)
             fi
          :: gm == BLIND_CONFIRM ->
             if
#ifdef BUG_CONFIRM_WITHOUT_NONCE
             :: gt == ltx && led == L_ON_TRIAL -> confirm(gt)
#endif
             :: else -> answer(gt)
             fi
          :: gm == ABORT ->
             if
             :: gt == ltx && led == L_PREPARED -> reverted(); answer(gt)                 /* nothing was changed */
             :: gt == ltx && open -> start_revert()
             :: gt == ltx && led != L_PREPARED && !open -> answer(gt)
#ifdef BUG_ABORT_FORGETS
             :: gt != ltx && free -> reply(R_REFUSED, gt)
             :: gt != ltx && !free -> skip
#else
             :: gt != ltx && free && higher -> tombstone(gt); answer(gt)
             :: gt != ltx && !(free && higher) -> skip                                   /* busy, or stale: no verdict */
#endif
             fi
          fi
       fi
       fi }
  :: atomic { (led == L_ARMED || (led == L_STEP_DONE && nb < 2)) && mod == 0 -> record(L_STEP_BEGIN); nb++; mod = 1 }
  :: atomic { led == L_STEP_BEGIN && mod == 2 -> record(L_STEP_DONE); mod = 0 }          /* the module says so */
  :: atomic { led == L_STEP_BEGIN -> start_revert() }                                  /* failed, or late */
  :: atomic { led == L_STEP_DONE && nb == 2 -> record(L_ON_TRIAL);
#ifdef BUG_ARM_LATE
       armed = true
#endif
     }
#ifdef BUG_VOLATILE_TIMER      /* the timer is in a process, and the process dies */
  :: atomic { armed -> armed = false }
#endif
#ifdef BUG_PARTIAL_CLEAN
  :: atomic { led == L_ON_TRIAL && snapok == 2 -> snapok = 0 }
  :: atomic { led == L_ON_TRIAL && snapok == 0 -> snapok = 3; confirm(ltx) }
#endif
  /* finalize: domain 1 becomes what the server boots with, then the record. Done again by the boot unit. */
  :: atomic { led == L_CONFIRMED && (boot1 != tgt[ltx] || dom[1] != tgt[ltx]) ->
       boot1 = tgt[ltx]; dom[1] = tgt[ltx]; bcut = tcut; cut = tcut }
  :: atomic { led == L_CONFIRMED && boot1 == tgt[ltx] && dom[1] == tgt[ltx] -> record(L_FINALIZED); tcut = CUT_NONE;
       if :: isrb[ltx] -> locked = 0 :: else -> skip fi }
  od }

proctype Module() {
end: do
  :: atomic { mod == 1 ->
#ifndef BUG_MODULE_OUTLIVES_REVERT
       MUST((armed && led == L_STEP_BEGIN), "violated I6\n");
#endif
       dom[nb - 1] = tgt[ltx]; mod = 2;
       if
       :: nb == 2 -> if :: tcut = CUT_NONE :: tcut = CUT_INBOUND :: tcut = CUT_OUTBOUND fi; cut = tcut
       :: else -> skip
       fi }
  od }

inline restore(d) { dom[d] = snap[d]; if :: d == 1 -> cut = scut :: else -> skip fi }

/* PID 1's timer and the unit it starts. Nothing here needs a network, a control plane or the guard. */
proctype Revert() {
end: do
#ifdef BUG_REVERT_NOT_RECORDED
  :: atomic { armed && led == L_ON_TRIAL && !undoing -> undoing = true; r = nb }
  :: atomic { undoing && r > 0 && (led == L_ON_TRIAL || led == L_CONFIRMED || led == L_FINALIZED) -> r--; restore(r) }
  :: atomic { undoing && r == 0 -> undoing = false; if :: led == L_ON_TRIAL -> reverted() :: else -> skip fi }
  :: atomic { armed && open && led != L_ON_TRIAL -> start_revert() }
#else
#ifdef BUG_PARTIAL_CLEAN
  :: atomic { armed && open && snapok == 3 -> start_revert() }
#else
  :: atomic { armed && open -> start_revert() }                                        /* the deadline */
#endif
#endif
  :: atomic { led == L_REVERTING && r > 0 -> r--;
#ifdef BUG_PARTIAL_CLEAN
       if :: snapok & (1 << r) -> restore(r) :: else -> skip fi
#else
#ifdef BUG_REVERT_ONLY_DONE    /* the step that was cut off in the middle is left alone */
       if :: r == nb - 1 && nb == 2 && dom[r] != tgt[ltx] -> skip :: r == nb - 1 && nb == 1 -> skip :: else -> restore(r) fi
#else
       restore(r)
#endif
#endif
     }
  :: atomic { led == L_REVERTING && r > 0 && fails < MAXFAIL -> fails++;
#ifdef BUG_RESTORE_FAILURE_HIDDEN
       r--
#else
       record(L_REVERT_FAILED); outcome(ltx, L_REVERT_FAILED); everfailed[ltx] = true; armed = false;
       if :: locked == 0 -> locked = ltx :: else -> skip fi
#endif
     }
  :: atomic { led == L_REVERT_FAILED -> start_revert() }                               /* tried again: by a boot, by a person */
  :: atomic { led == L_REVERTING && r == 0 -> reverted() }
  od }

/* Power is cut and comes back. While it is away nothing happens on the server, which is the same as nobody acting:
 * one step is enough. The boot units run before networking: load what was confirmed, settle what was open. */
proctype Power() {
end: do
  :: atomic { crashes < MAXC -> crashes++; armed = false; mod = 0; r = 0; dom[1] = boot1; cut = bcut;
#ifdef BUG_FENCE_VOLATILE
       maxf = 0;
#endif
#ifdef BUG_REVERT_NOT_RECORDED
       undoing = false;
#endif
       if
#ifdef BUG_RESUME_TIMER_AFTER_BOOT
       :: led == L_ON_TRIAL -> armed = true
       :: open && led != L_ON_TRIAL -> start_revert()
#else
#ifdef BUG_BOOT_FORGETS_TRIAL
       :: open -> skip
#else
       :: open -> start_revert()                                                       /* another boot: undo, never resume */
#endif
#endif
       :: led == L_REVERTING -> r = nb                                                 /* again, from the start */
       :: led == L_PREPARED -> reverted()                                              /* nothing was changed */
#ifdef BUG_BOOT_SKIPS_FINALIZE
       :: led == L_CONFIRMED -> led = L_FINALIZED
#endif
       :: else -> skip
       fi }
  od }

/* ------------------------------------------------------------------ invariants */
#define fwdres(a) res[fwd[a]]
#define rbkres(a) res[rbk[a]]
#define undone(a) (fwdres(a) == L_REVERTED || fwdres(a) == L_REFUSED)
#define I1a(a) (st[a] != APPLIED || (fwdres(a) == L_CONFIRMED && rbkres(a) != L_CONFIRMED))
#define I2a(a) (st[a] != ROLLED_BACK || undone(a) || rbkres(a) == L_CONFIRMED)
#define I2b(a) (!(st[a] == FAILED && eff[a] == E_NONE) || undone(a))
#define rf(a, t) (own[t] == a && everfailed[t])
#define I2c(a) (!(st[a] == FAILED && eff[a] == E_RESTORE_FAILED) || rf(a, 1) || rf(a, 2) || rf(a, 3))
#define isopen(a) (st[a] == APPLYING || st[a] == ROLLBACKING)
#define all(P) (P(1) && P(2) && P(3))
/* at rest: no timer is armed and nothing is being undone or finalized; a locked server waits for a person */
#define rest (!armed && led != L_REVERTING && led != L_CONFIRMED && !locked)

#define I1 all(I1a)
#define I2 (all(I2a) && all(I2b) && all(I2c))
#define I4 (!rest || dom[0] == dom[1])
#define I5 (!rest || (dom[0] == conf && dom[1] == conf))
#define I7 ((!rest || cut == CUT_NONE) && (led != L_CONFIRMED || cut == CUT_NONE))
#define I9 (maxf == topf)
#define I10 (isopen(1) + isopen(2) + isopen(3) == (act != 0))
#define I17 (boot1 == conf || led == L_CONFIRMED || locked)
#define I21 (act != 0 || uncertain || comp == conf)

/* Witnesses: with -DREACH=<name> the search must find a state where that holds, or the invariants above say nothing about it. */
#define ABORT_LOST (kind == K_FORWARD && st[1] == ROLLBACKING && led == L_FINALIZED && ltx == 1)
#define ROLLED_BACK_BY_OPERATOR (st[1] == ROLLED_BACK && fwdres(1) == L_CONFIRMED)
#define ROLLBACK_UNDONE (st[1] == APPLIED && rbkres(1) == L_REVERTED)
#define WITHDRAWN (st[1] == CANCELLED)
#define NOTHING_CHANGED (st[1] == FAILED && eff[1] == E_NONE)
#define UNDO_FAILED (st[1] == FAILED && eff[1] == E_RESTORE_FAILED)
#define UNDO_CAME_THROUGH (everfailed[1] && res[1] == L_REVERTED)
#define CLOSED_IN_DOUBT (st[1] == FAILED && eff[1] == E_UNKNOWN && led == L_FINALIZED)
#define CUT_BEFORE_FINALIZED (led == L_CONFIRMED && dom[1] != conf)
#define ZOMBIE_AHEAD (st[1] == APPLIED && zph == P_CONFIRMING && maxf > zfen)
#define SECOND_ON_TRIAL (st[1] == APPLIED && ltx == 2 && led == L_ON_TRIAL && !isrb[2])

#ifndef LIVE
proctype Monitor() {
#ifdef REACH
end: if :: atomic { REACH -> printf("reached\n"); assert(false) } fi
#else
end: if
  :: atomic { !I1 -> printf("violated I1\n"); assert(false) }
  :: atomic { !I2 -> printf("violated I2\n"); assert(false) }
  :: atomic { !I4 -> printf("violated I4\n"); assert(false) }
  :: atomic { !I5 -> printf("violated I5\n"); assert(false) }
  :: atomic { !I7 -> printf("violated I7\n"); assert(false) }
  :: atomic { !I9 -> printf("violated I9\n"); assert(false) }
  :: atomic { !I10 -> printf("violated I10\n"); assert(false) }
  :: atomic { !I17 -> printf("violated I17\n"); assert(false) }
  :: atomic { !I21 -> printf("violated I21\n"); assert(false) }
  fi
#endif
}
#else
/* I8, under weak fairness: PID 1 runs what is due */
ltl live { [] (cut != CUT_NONE -> <> (cut == CUT_NONE || locked)) }
#endif

init { atomic {
  run Control(); run Zombie(); run Guard(); run Module(); run Revert(); run Power();
#ifndef LIVE
  run Monitor()
#endif
} }
