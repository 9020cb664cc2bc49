// The chosen theme; public/theme.js applies it before the first paint.
type Theme = "system" | "light" | "dark";
const order: Theme[] = ["system", "light", "dark"];
const stored = localStorage.getItem("theme");

export const theme = $state<{ chosen: Theme }>({ chosen: stored === "light" || stored === "dark" ? stored : "system" });

export function nextTheme(): void {
  theme.chosen = order[(order.indexOf(theme.chosen) + 1) % order.length];
  if (theme.chosen === "system") {
    localStorage.removeItem("theme");
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem("theme", theme.chosen);
    document.documentElement.dataset.theme = theme.chosen;
  }
}
