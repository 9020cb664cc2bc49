// An outside engine that speaks TEI's /predict, and the messages it is asked about. It is right but for one message in
// `wrongEvery`, so that a test knows what every answer of it has to be.
import { createServer } from "node:http";

export const labels = ["delivery", "billing", "account", "technical"];
const texts = ["Where is my parcel?", "Why was I charged twice?", "I cannot sign in any more.", "The app stops when I open it."];

export const messageOf = (number) => `${texts[number % texts.length]} (ticket ${number})`;
export const truthOf = (number) => labels[number % labels.length];

// What the engine says to a text, surest first.
export function answerOf(text, wrongEvery) {
  const number = Number(/ticket (\d+)/.exec(text)?.[1] ?? 0);
  const wrong = number % wrongEvery === 0;
  const label = labels[(labels.indexOf(truthOf(number)) + (wrong ? 1 : 0)) % labels.length];
  const score = wrong ? 0.45 + (number % 10) / 100 : 0.8 + (number % 19) / 100;
  const rest = (1 - score) / (labels.length - 1);
  return labels.map((each) => ({ label: each, score: each === label ? score : rest })).sort((a, b) => b.score - a.score);
}

export class Engine {
  static async start(wrongEvery) {
    const engine = new Engine();
    engine.server = createServer((request, response) => {
      let body = "";
      request.on("data", (piece) => (body += piece));
      request.on("end", () => {
        response.setHeader("Content-Type", "application/json");
        response.end(JSON.stringify(answerOf(String(JSON.parse(body || "{}").inputs ?? ""), wrongEvery)));
      });
    });
    await new Promise((done) => engine.server.listen(0, "127.0.0.1", done));
    engine.url = `http://127.0.0.1:${engine.server.address().port}`;
    return engine;
  }
  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
