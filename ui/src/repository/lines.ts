// Two texts, line by line: what stayed, went and came, by the longest common run of lines.
export interface Line {
  kind: "same" | "removed" | "added";
  text: string;
}
const linesMax = 600;

export function compareLines(before: string, after: string): Line[] {
  const a = before === "" ? [] : before.split("\n");
  const b = after === "" ? [] : after.split("\n");
  const gone = (lines: string[]): Line[] => lines.map((text) => ({ kind: "removed", text }));
  const come = (lines: string[]): Line[] => lines.map((text) => ({ kind: "added", text }));
  // Too long to compare each with each: the one whole, then the other.
  if (a.length > linesMax || b.length > linesMax) return [...gone(a), ...come(b)];
  const width = b.length + 1;
  const common = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; --i)
    for (let j = b.length - 1; j >= 0; --j)
      common[i * width + j] = a[i] === b[j] ? common[(i + 1) * width + j + 1] + 1 : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
  const out: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      out.push({ kind: "same", text: a[i] });
      i += 1;
      j += 1;
    } else if (common[(i + 1) * width + j] >= common[i * width + j + 1]) {
      out.push({ kind: "removed", text: a[i] });
      i += 1;
    } else {
      out.push({ kind: "added", text: b[j] });
      j += 1;
    }
  }
  return [...out, ...gone(a.slice(i)), ...come(b.slice(j))];
}
