import { getText } from "../api/client";
import { parse, quantile, total, type Sample } from "./prometheus";

// What the server measured since this page was opened, a point every two seconds, at most ten minutes of them.
export interface Point {
  at: number; // Seconds since 1970.
  answers: number; // A second, of models, by any door.
  failures: number; // What objectives count: a failure of ours, the model's or its engine's, or no capacity.
  p95: number | null; // Milliseconds.
  requests: number; // A second, of the whole server.
}

const ended = (...outcomes: string[]) => (labels: Record<string, string>): boolean => outcomes.includes(labels.outcome);

export interface Stage {
  stage: string;
  ms: number; // Mean of an answer.
}
const stageNames = ["queue", "load", "tokenize", "model", "upstream", "post", "guard"];

const step = 2000;
const pointsMax = 300;

function stagesSince(opened: Sample[], now: Sample[]): Stage[] {
  const grown = (stage: string, part: "sum" | "count"): number => {
    const of = (samples: Sample[]) => total(samples, `holdfast_serve_stage_duration_seconds_${part}`, (labels) => labels.stage === stage);
    return of(now) - of(opened);
  };
  const answers = grown("post", "count");
  return answers <= 0 ? [] : stageNames.map((stage) => ({ stage, ms: (grown(stage, "sum") / answers) * 1000 })).filter((one) => one.ms > 0);
}

export function liveFigures() {
  let points = $state.raw<Point[]>([]);
  let failure = $state.raw<unknown>(null);
  let stages = $state.raw<Stage[]>([]);
  let opened: Sample[] | null = null;
  let before: { at: number; samples: Sample[] } | null = null;

  async function read() {
    try {
      const samples = parse(await getText("/metrics"));
      const at = Date.now();
      if (before) {
        const seconds = Math.max(0.001, (at - before.at) / 1000);
        const rate = (name: string, fits?: (labels: Record<string, string>) => boolean) =>
          Math.max(0, total(samples, name, fits) - total(before?.samples ?? [], name, fits)) / seconds;
        const p95 = quantile(before.samples, samples, "holdfast_serve_request_duration_seconds", 0.95);
        points = [
          ...points.slice(-pointsMax + 1),
          {
            at: at / 1000,
            answers: rate("holdfast_serve_requests_total", ended("answered")),
            failures: rate("holdfast_serve_requests_total", ended("failed", "refused")),
            p95: p95 === null ? null : p95 * 1000,
            requests: rate("holdfast_http_requests_total"),
          },
        ];
      }
      before = { at, samples };
      opened ??= samples;
      stages = stagesSince(opened, samples);
      failure = null;
    } catch (error) {
      failure = error;
    }
  }
  $effect(() => {
    void read();
    const timer = setInterval(() => {
      if (!document.hidden) void read();
    }, step);
    return () => clearInterval(timer);
  });
  return {
    get points() {
      return points;
    },
    get stages() {
      return stages;
    },
    get failure() {
      return failure;
    },
  };
}
