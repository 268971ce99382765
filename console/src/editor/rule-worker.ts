/** The worker that `performBeside` starts: it does one task and is ended. */
import { NOTHING_HANDED_OVER, type Order, PERFORM, type TaskName } from "./rule-task.ts";

function perform<Name extends TaskName>({ name, ask }: Order<Name>): void {
  self.postMessage(PERFORM[name](ask), NOTHING_HANDED_OVER);
}

self.addEventListener("message", ({ data }: MessageEvent<Order<TaskName>>) => perform(data));
