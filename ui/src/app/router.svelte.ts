// The address bar is the state: pages are chosen by `route.segments`, links are ordinary links.

function read() {
  const segments = location.pathname
    .split("/")
    .filter((part) => part !== "")
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
  return { path: location.pathname, segments, query: new URLSearchParams(location.search), hash: location.hash };
}

export const route = $state({ ...read(), visits: 0 });

function refresh(): void {
  Object.assign(route, read());
}

export function go(path: string, how: "push" | "replace" = "push"): void {
  const before = location.pathname;
  if (how === "push") history.pushState(null, "", path);
  else history.replaceState(null, "", path);
  refresh();
  route.visits += 1;
  if (location.pathname !== before) window.scrollTo(0, 0);
}

// Clicks on links of this site change the page without loading it anew; what the server serves itself (files,
// downloads) and clicks with a modifier stay the browser's.
export function interceptLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest("a");
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (/^\/(api|static|metrics|healthz)(\/|$)/.test(link.pathname) || /\/(resolve|raw)\//.test(link.pathname)) return;
  if (link.pathname === location.pathname && link.hash) return;
  event.preventDefault();
  go(link.pathname + link.search + link.hash);
}

window.addEventListener("popstate", refresh);
