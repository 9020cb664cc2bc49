// The text format of GET /metrics, read in the browser: enough for rates and quantiles of what was just measured.

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export function parse(text: string): Sample[] {
  const out: Sample[] = [];
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!match) continue;
    const labels: Record<string, string> = {};
    for (const pair of (match[2] ?? "").matchAll(/(\w+)="((?:\\.|[^"\\])*)"/g)) labels[pair[1]] = pair[2];
    out.push({ name: match[1], labels, value: match[3] === "+Inf" ? Infinity : Number(match[3]) });
  }
  return out;
}

export const total = (samples: Sample[], name: string, fits: (labels: Record<string, string>) => boolean = () => true): number =>
  samples.reduce((sum, one) => (one.name === name && fits(one.labels) ? sum + one.value : sum), 0);

// The quantile of what a histogram got between two readings, as PromQL's histogram_quantile gives it; null when
// it got nothing.
export function quantile(before: Sample[], now: Sample[], name: string, q: number, fits: (labels: Record<string, string>) => boolean = () => true): number | null {
  const buckets = new Map<number, number>();
  const add = (samples: Sample[], sign: number) => {
    for (const one of samples)
      if (one.name === `${name}_bucket` && fits(one.labels)) {
        const bound = one.labels.le === "+Inf" ? Infinity : Number(one.labels.le);
        buckets.set(bound, (buckets.get(bound) ?? 0) + sign * one.value);
      }
  };
  add(before, -1);
  add(now, 1);
  const sorted = [...buckets].sort((a, b) => a[0] - b[0]);
  const all = sorted.at(-1)?.[1] ?? 0;
  if (all <= 0) return null;
  const wanted = q * all;
  let below = 0;
  let from = 0;
  for (const [bound, count] of sorted) {
    if (count >= wanted) return bound === Infinity ? from : from + ((bound - from) * (wanted - below)) / Math.max(1e-9, count - below);
    below = count;
    from = bound;
  }
  return null;
}
