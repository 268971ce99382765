import { removeLab } from "./removal.ts";

/**
 * Labs of this process that are still open. A process that ends without closing them cleans up as it goes;
 * one that is killed outright takes its servers with it (child.ts) and leaves the rest to the next sweep.
 */
const open = new Map<string, { readonly directory: string; readonly prefix: string }>();
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function removeAll(): void {
  for (const [key, lab] of open) {
    open.delete(key);
    try {
      removeLab(lab.directory, lab.prefix);
    } catch (error) {
      process.stderr.write(`${String(error)}\n`);
    }
  }
}

function onSignal(signal: NodeJS.Signals): void {
  // Whoever else listens ends this process in its own order, and the exit hook sees to what it forgot.
  if (process.listenerCount(signal) > 1) return;
  removeAll();
  detach();
  process.kill(process.pid, signal);
}

function detach(): void {
  process.removeListener("exit", removeAll);
  for (const signal of SIGNALS) process.removeListener(signal, onSignal);
}

export function watchForExit(directory: string, prefix: string): void {
  if (open.size === 0) {
    process.on("exit", removeAll);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  open.set(`${directory}/${prefix}`, { directory, prefix });
}

export function stopWatching(directory: string, prefix: string): void {
  open.delete(`${directory}/${prefix}`);
  if (open.size === 0) detach();
}
