// How fast something goes, by what was seen of it: the last ten readings of each.
export interface Reading {
  at: number; // Milliseconds.
  done: number;
}
const readingsMax = 10;

export function note(seen: Map<number, Reading[]>, id: number, done: number, at: number): void {
  const readings = seen.get(id) ?? [];
  // Less than before: it began anew.
  const kept = readings.at(-1) && (readings.at(-1)?.done ?? 0) > done ? [] : readings;
  seen.set(id, [...kept, { at, done }].slice(-readingsMax));
}

// A second; null while it cannot be told.
export function rate(readings: Reading[]): number | null {
  const [first, last] = [readings[0], readings.at(-1)];
  if (!first || !last || last.at - first.at < 500) return null;
  return ((last.done - first.done) * 1000) / (last.at - first.at);
}

export function timeLeft(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s left`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min left`;
  return `${(seconds / 3600).toFixed(1)} h left`;
}
