// What the tab of the browser and a screen reader call this page.
export function title(...parts: string[]): void {
  document.title = [...parts, "Holdfast"].join(" · ");
}
