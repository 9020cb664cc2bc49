import DOMPurify from "dompurify";
import { Marked } from "marked";

// Handlers in raw HTML lose their names before anything parses them, so that the browser has nothing to refuse.
const marked = new Marked({ gfm: true, renderer: { html: ({ text }) => text.replace(/\bon\w+\s*=/gi, "data-handler=") } });

// A card begins with YAML between two lines of "---": that is for machines.
export function withoutFrontMatter(text: string): string {
  const match = /^\uFEFF?---[ \t]*\r?\n[\s\S]*?\r?\n---[ \t]*(\r?\n|$)/.exec(text);
  return match ? text.slice(match[0].length) : text;
}

const isFar = (address: string): boolean => {
  try {
    return new URL(address, location.href).origin !== location.origin;
  } catch {
    return true;
  }
};
const isRelative = (address: string): boolean => !/^([a-z][a-z0-9+.-]*:|\/|#)/i.test(address);

function place(root: DocumentFragment, base: string, pictures: string): void {
  for (const image of root.querySelectorAll("img")) {
    const source = image.getAttribute("src") ?? "";
    const address = isRelative(source) && pictures ? pictures + source.replace(/^\.\//, "") : source;
    if (isFar(address) || address.startsWith("data:")) {
      // Nothing is fetched from another host: not even by a picture in a card.
      const note = document.createElement("span");
      note.className = "far-picture";
      note.textContent = image.getAttribute("alt") || "picture on another host";
      image.replaceWith(note);
    } else {
      image.setAttribute("src", address);
      image.setAttribute("loading", "lazy");
    }
  }
  // The page has its first heading already.
  for (const level of [5, 4, 3, 2, 1])
    for (const heading of root.querySelectorAll(`h${level}`)) {
      const lower = document.createElement(`h${level + 1}`);
      lower.append(...heading.childNodes);
      heading.replaceWith(lower);
    }
  for (const link of root.querySelectorAll("a[href]")) {
    const address = link.getAttribute("href") ?? "";
    if (isRelative(address) && base) link.setAttribute("href", base + address.replace(/^\.\//, ""));
    if (isFar(link.getAttribute("href") ?? "")) {
      link.setAttribute("rel", "noopener noreferrer nofollow");
      link.setAttribute("target", "_blank");
    }
  }
}

// Markdown to HTML with neither script, style, form, frame nor a name that could shadow one of the page's own.
export function rendered(text: string, base: string, pictures: string): string {
  const html = marked.parse(withoutFrontMatter(text), { async: false });
  const clean = DOMPurify.sanitize(html, {
    USE_PROFILES: { html: true },
    FORBID_TAGS: ["style", "form", "input", "button", "textarea", "select", "iframe", "video", "audio", "picture", "source", "link", "meta"],
    FORBID_ATTR: ["style", "id", "name", "class", "srcset", "ping", "action", "formaction", "tabindex", "autofocus"],
    ALLOW_DATA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  place(clean, base, pictures);
  const holder = document.createElement("div");
  holder.append(clean);
  return holder.innerHTML;
}
