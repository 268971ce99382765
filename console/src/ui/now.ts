import { useEffect, useState } from "react";
import { serverNowMs } from "../api/server-clock.ts";

/** The control plane's time, told again at this pace while the component is shown. */
export function useNowMs(everyMs = 1000): number {
  const [now, setNow] = useState(serverNowMs);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(serverNowMs()), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs]);
  return now;
}
