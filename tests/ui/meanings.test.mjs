// The desk shows where errors gather by what was asked: two topics, of which an engine fails in one, told apart by the
// vectors of another engine. What the page says is compared with what was asked.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before } from "node:test";
import { test } from "./told.mjs";
import { World, assertQuiet } from "./world.mjs";

const card = "---\nlicense: apache-2.0\n---\n# Intents\n\nRoutes messages.\n";
const record = `record: demo/support
use: Route support messages.
owner: support
tier: prototype
model: demo/intents
task: text-classification
features: [support-routing]
deployment: {kind: attached}
`;
const asked = { password: 6, parcel: 9 };

let world, page, engine, ada, root;

// Fails for whoever asks about a password; its vectors are of two directions.
function answer(path, body) {
  if (path.endsWith("/embeddings"))
    return [200, { data: body.input.map((text, index) => ({ index, embedding: text.includes("password") ? [1, 0.1, 0] : [0, 0.1, 1] })) }];
  return String(body.inputs).includes("password") ? [500, { error: "no" }] : [200, [{ label: "other", score: 0.9 }]];
}

before(async () => {
  engine = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => (body += piece));
    request.on("end", () => {
      const [status, said] = answer(request.url, JSON.parse(body || "{}"));
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(said));
    });
  });
  await new Promise((done) => engine.listen(0, "127.0.0.1", done));
  world = await World.open({ options: ["--slo.meaning-endpoint", "demo/embedder", "--slo.meaning-percent", "100", "--cache.answers", "0"] });
  world.admin("user", "create", "root", "--admin", "--fullname", "Rosa Root");
  world.admin("org", "member", "add", "demo", "ada", "--role", "admin");
  [ada, root] = [world.token("ada"), world.token("root")];
  await world.api(ada, "POST", "/api/repos/create", { type: "model", name: "intents", organization: "demo" });
  await world.commit(ada, "model", "demo/intents", { "README.md": card, "config.json": "{}\n", "tokenizer.json": '{"v": 1}\n' });
  await world.api(ada, "PUT", "/api/registry/records/demo/support", record, "application/yaml");
  await world.api(ada, "POST", "/api/registry/records/demo/support/releases", { revision: "main" });
  const url = `http://127.0.0.1:${engine.address().port}`;
  await world.api(root, "POST", "/api/endpoints/demo", { name: "support", record: "demo/support", model: "demo/intents", revision: "main", url, engine: "tei" });
  await world.api(root, "POST", "/api/endpoints/demo", { name: "embedder", model: "demo/intents", url, engine: "openai" });
  for (let state = ""; state !== "deployed"; )
    ({ state } = await world.api(ada, "POST", "/api/registry/records/demo/support/releases/1/promote", { reason: "go" }));
  page = await world.signedIn("ada");
});
after(async () => {
  await world?.close();
  engine.closeAllConnections();
  engine.close();
});

test("the cluster that fails is the hot row of the desk", async () => {
  for (const [topic, count] of Object.entries(asked))
    for (let n = 0; n < count; ++n) await world.api(ada, "POST", "/endpoints/demo/support/predict", { inputs: `about my ${topic} ${n}` }).catch(() => null);
  const wanted = Object.values(asked).reduce((sum, count) => sum + count, 0);
  for (let tries = 0; ; ++tries) {
    const told = await world.api(ada, "GET", "/api/slo/demo/support/errors");
    if (told.meanings.reduce((sum, cell) => sum + cell.requests, 0) === wanted) break;
    assert.ok(tries < 100, JSON.stringify(told));
    await new Promise((done) => setTimeout(done, 100));
  }
  await page.goto(`${world.url}/registry/oncall`);
  await page.getByRole("heading", { name: "Where errors gather" }).waitFor();
  const row = page.getByRole("row").filter({ hasText: "alike, cluster 1" });
  await row.getByText(`${asked.password} of ${asked.password} failed`).first().waitFor({ state: "attached" });
  await row.getByText(`100.0 % of ${asked.password}`).waitFor();
  assert.equal(await page.getByRole("row").filter({ hasText: "alike, cluster 2" }).count(), 0, "what does not fail is one row less to read");
  await page.getByText("a cluster of inputs that are alike").waitFor();
  await world.shoot(page, "meanings");
  assertQuiet(assert, world, page);
});
