import { useSyncExternalStore } from "react";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const STORAGE_KEY = "holdfast.theme";
/** The component library's switch. */
const DARK_CLASS = "pf-v6-theme-dark";

const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function kept(): Theme {
  const text = localStorage.getItem(STORAGE_KEY);
  return THEMES.find((theme) => theme === text) ?? "system";
}

export function isDark(): boolean {
  const theme = kept();
  return theme === "dark" || (theme === "system" && systemIsDark.matches);
}

function show(): void {
  document.documentElement.classList.toggle(DARK_CLASS, isDark());
  document.documentElement.style.colorScheme = isDark() ? "dark" : "light";
  for (const listener of listeners) listener();
}

/** Before the first paint, so that nothing flashes. */
export function startTheme(): void {
  systemIsDark.addEventListener("change", show);
  show();
}

export function setTheme(theme: Theme): void {
  localStorage.setItem(STORAGE_KEY, theme);
  show();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, kept);
}
