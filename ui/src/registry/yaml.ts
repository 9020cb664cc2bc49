// One top-level field of a registry.yaml, set or added; the rest of the text, comments too, stays as it is.
export function withField(text: string, field: string, value: string): string {
  const line = `${field}: ${/^[\w./@ -]+$/.test(value) && !/^\s|\s$|^-/.test(value) ? value : JSON.stringify(value)}`;
  const lines = text.split("\n");
  const at = lines.findIndex((each) => each.startsWith(`${field}:`));
  if (at < 0) return `${text.replace(/\n*$/, "\n")}${line}\n`;
  let end = at + 1;
  while (end < lines.length && /^\s+\S/.test(lines[end])) end += 1;
  lines.splice(at, end - at, line);
  return lines.join("\n");
}
