// What stands around an endpoint, in a real browser: its limits and what is left of them, who answers in its place and whether
// its breaker is open, how many of it run; and batches of requests. What a page says is what the API says.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { Engine, messageOf } from "./engine.mjs";
import { test } from "./told.mjs";
import { World, assertQuiet } from "./world.mjs";

let world;
let engine;
let page; // Boris's, who administers demo.
const tokens = {};
const api = (who, method, path, body) => world.api(tokens[who], method, path, body);
const ask = (number) =>
  fetch(`${world.url}/endpoints/demo/support`, { method: "POST", headers: { Authorization: `Bearer ${tokens.boris}`, "Content-Type": "application/json" }, body: JSON.stringify({ inputs: messageOf(number) }) });

before(async () => {
  world = await World.open();
  world.admin("user", "create", "root", "--admin", "--fullname", "Rosa Root");
  for (const name of ["ada", "boris", "root"]) tokens[name] = world.token(name);
  engine = await Engine.start(1000);
  await api("ada", "POST", "/api/repos/create", { type: "model", name: "intents", organization: "demo" });
  await world.commit(tokens.ada, "model", "demo/intents", { "README.md": "---\nlicense: mit\npipeline_tag: text-classification\n---\n# Intents\n", "config.json": "{}\n" });
  await api("root", "POST", "/api/endpoints/demo", { name: "support", model: "demo/intents", revision: "main", url: engine.url, engine: "tei" });
  page = await world.signedIn("boris");
});
after(async () => {
  await world?.close();
  engine?.stop();
});
async function fill(values, button) {
  const dialog = page.getByRole("dialog");
  for (const [label, value] of Object.entries(values)) await dialog.getByLabel(label).first().fill(value);
  await dialog.getByRole("button", { name: button, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

test("an endpoint's limits are set, and what is left of them goes down as it is asked", async () => {
  await page.goto(`${world.url}/registry/endpoints/demo/support`);
  await page.getByText("No limit.").first().waitFor();
  await page.getByRole("button", { name: "Set limits" }).click();
  await fill({ "Requests a day": "20" }, "Set them");
  await page.getByText("20 of 20 left").waitFor();
  for (let number = 1; number <= 3; ++number) assert.equal((await ask(number)).status, 200);
  const left = (await api("boris", "GET", "/api/quotas/endpoint/demo/support")).limits.requests_day.remaining;
  await page.getByText(`${left} of 20 left`).waitFor(); // Asked anew by the page itself.
  await page.getByText("The engine outside decides how many of it run.").waitFor();
  const key = (await api("boris", "GET", "/api/receipts/key")).key;
  await page.getByText(key).waitFor();
  // Who does not administer the namespace learns neither limits nor fallbacks.
  const other = await world.signedIn("ada");
  await other.goto(`${world.url}/registry/endpoints/demo/support`);
  await other.getByText("limits are seen by who administers demo").waitFor();
  assert.equal(await other.getByText("When it cannot answer").count(), 0);
  await other.context().close();
  assertQuiet(assert, world, page);
});

test("when its engine is gone something else answers, and the page shows the breaker open", async () => {
  await page.getByText("nothing answers in its place").waitFor();
  await page.getByRole("button", { name: "Change", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Who answers then").fill("answer [not json");
  await dialog.getByRole("button", { name: "Save it" }).click();
  await dialog.getByRole("alert").getByText("The fixed answer is no JSON").waitFor();
  await fill({ "Who answers then": 'model demo/absent@v2\nanswer [{"label": "later", "score": 1}]', "Given up after, in ms": "5000" }, "Save it");
  const chain = page.getByRole("list", { name: "Fallback chain" });
  await chain.getByText("fixed answer").waitFor();
  assert.equal(await chain.getByRole("listitem").count(), 3);
  await page.getByText("breaker closed: it is asked").waitFor();
  await world.shoot(page, "endpoint-serving");
  engine.stop();
  for (let number = 0; number < 6; ++number) {
    const answer = await ask(number + 10);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("x-holdfast-fallback"), /answer|fixed/);
  }
  await page.getByText(/breaker (open|half open)/).waitFor();
  await world.shoot(page, "endpoint-breaker");
  await page.route("**/fallback", (route) => route.fulfill({ status: 500, json: { error: "the chain cannot be read" } }));
  await page.reload();
  await page.getByRole("alert").getByText("the chain cannot be read").waitFor();
  await page.unrouteAll();
  assertQuiet(assert, world, page);
});

test("a managed endpoint says how many of it run, and why it does not", async () => {
  await api("boris", "POST", "/api/endpoints/demo", { name: "own", model: "demo/intents", revision: "main", min_replicas: 1, max_replicas: 2, scale_to_zero_minutes: 15 });
  await page.goto(`${world.url}/registry/endpoints/demo/own`);
  const replicas = page.getByRole("region", { name: "Replicas" });
  await replicas.getByText("after 15 min without a request").waitFor();
  // Its model is no model: the page says so by itself once the server knows.
  await page.getByText("failed", { exact: true }).waitFor({ timeout: 120_000 });
  const told = await api("boris", "GET", "/api/endpoints/demo/own");
  await page.getByText(told.why).first().waitFor();
  await replicas.getByRole("button", { name: "Resume" }).waitFor();
  await world.shoot(page, "endpoint-managed");
  await page.goto(`${world.url}/registry/endpoints`);
  await page.getByRole("link", { name: /demo\/own/ }).waitFor();
  assertQuiet(assert, world, page);
});

test("batches: how far, how fast, what failed and where its answers are", async () => {
  await page.goto(`${world.url}/registry/endpoints`);
  await page.getByRole("link", { name: "Batches" }).click();
  await page.getByText("No batches yet").waitFor();
  const lines = [1, 2, 3].map((number) => JSON.stringify({ custom_id: `row-${number}`, method: "POST", url: "/v1/embeddings", body: { model: "demo/intents", input: messageOf(number) } })).join("\n");
  const form = new FormData();
  form.set("purpose", "batch");
  form.set("file", new Blob([lines]), "requests.jsonl");
  const headers = { Authorization: `Bearer ${tokens.boris}` };
  const file = await (await fetch(`${world.url}/v1/files`, { method: "POST", headers, body: form })).json();
  const made = await api("boris", "POST", "/v1/batches", { endpoint: "/v1/embeddings", input_file_id: file.id, completion_window: "24h", metadata: { description: "every message of March" } });
  await page.reload();
  const row = page.getByRole("list", { name: "Batches" }).getByRole("listitem").filter({ hasText: made.id });
  await row.getByText("every message of March").waitFor();
  await row.getByText("3 failed").waitFor({ timeout: 120_000 }); // No model answers there: the page follows it to its end.
  await row.getByText("completed", { exact: true }).waitFor();
  await row.getByRole("link", { name: "Failures" }).waitFor();
  const failures = await page.evaluate(async (href) => (await fetch(href)).text(), await row.getByRole("link", { name: "Failures" }).getAttribute("href"));
  assert.equal(failures.trim().split("\n").length, 3);
  // On its way, told by answers of the test's own.
  let asked = 0;
  const whole = await api("boris", "GET", `/v1/batches/${made.id}`);
  await page.route("**/v1/batches?*", (route) =>
    route.fulfill({ json: { object: "list", has_more: false, data: [{ ...whole, id: "batch_running", status: "in_progress", output_file_id: null, error_file_id: null, completed_at: null, request_counts: { total: 10_000, completed: Math.round(9000 * (1 - 1 / (++asked + 1))), failed: 3 } }, whole] } }),
  );
  await page.reload();
  await page.getByText(/a second, .* left/).waitFor();
  await page.getByRole("button", { name: "Cancel" }).waitFor();
  await world.shoot(page, "batches");
  await page.unrouteAll();
  await page.route("**/v1/batches?*", (route) => route.fulfill({ status: 500, json: { error: { message: "the disk is gone" } } }));
  await page.reload();
  await page.getByRole("alert").getByText("the disk is gone").waitFor();
  await page.unrouteAll();
  assertQuiet(assert, world, page);
});
