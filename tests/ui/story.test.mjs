// The life of a release in a real browser, against a real server whose answers come from two engines: refused with what is
// missing, each with the button that supplies it; approved by two people; a worse version by exception, taken back by the
// watch; its incident, replay and review. What a page says is compared with what the API says and with what the test
// itself measured and asked.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { test as testOf } from "./told.mjs";
import { Engine, answerOf, messageOf, truthOf } from "./engine.mjs";
import { World, assertQuiet } from "./world.mjs";

const record = `# registry.yaml
record: demo/support
use: Route support messages to the right team.
oncall: [olga]
tier: production
model: demo/intents
task: text-classification
features: [support-routing]
data_class: internal
purpose: commercial
prompt: none
preprocessing: none
evaluation: {dataset: demo/messages, split: test}
monitoring: {accuracy_drop_max: 0.05, false_alarms_max: 0.01}
rollback: previous
deployment: {kind: attached, canary_percent: 20}
`;
const card = `---
license: apache-2.0
pipeline_tag: text-classification
datasets: [demo/messages]
---
# Intents

## Intended use

Routing of support messages, nothing else.

## Limitations

English alone.
`;
// The first messages with what each is really about, as a data set holds them.
const rowsOfData = (rows) => ["id,text,label,kind", ...Array.from({ length: rows }, (_, index) => `row-${index},${messageOf(index + 1)},${truthOf(index + 1)},${index % 4 === 0 ? "edge" : "normal"}`)].join("\n") + "\n";
const release = (number, verb = "") => `/api/registry/records/demo/support/releases/${number}${verb ? `/${verb}` : ""}`;
const wrongEvery = { 1: 10, 2: 3, 3: 700 };

let world;
let page; // One browser, signed in as ada, who may switch to boris and olga.
const tokens = {};
const engines = {};

before(async () => {
  world = await World.open();
  for (const name of ["ada", "boris", "olga"]) tokens[name] = world.token(name);
  world.admin("user", "create", "root", "--admin", "--fullname", "Rosa Root");
  tokens.root = world.token("root");
  world.admin("org", "member", "add", "demo", "ada", "--role", "admin");
  for (const [type, name] of [["model", "intents"], ["dataset", "messages"]])
    await world.api(tokens.ada, "POST", "/api/repos/create", { type, name, organization: "demo" });
  await world.commit(tokens.ada, "model", "demo/intents", { "README.md": card, "config.json": "{}\n", "tokenizer.json": '{"v": 1}\n' });
  await world.commit(tokens.ada, "dataset", "demo/messages", { "README.md": "---\nlicense: cc-by-4.0\n---\n# Messages\n", "test.csv": rowsOfData(100) });
  await world.api(tokens.ada, "PUT", "/api/registry/records/demo/support", record, "application/yaml");
  for (const [user, role, second] of [["boris", "owner", "root"], ["olga", "oncall", "boris"]]) {
    const made = await world.api(tokens.ada, "POST", "/api/registry/roles/demo", { user, role });
    await world.api(tokens[second], "POST", `/api/registry/roles/demo/${made.id}/confirm`, {});
  }
  await attach(1);
  page = await world.signedIn("ada", "boris", "olga");
});
after(async () => {
  await world?.close();
  for (const engine of Object.values(engines)) engine.stop();
});

// Each chapter begins where the one before ended: after a failure the rest would only wait.
let broken = false;
function test(name, chapter) {
  testOf(name, async (context) => {
    if (broken) return context.skip("an earlier chapter failed");
    try {
      await chapter();
    } catch (error) {
      broken = true;
      await world.shoot(page, "failed");
      throw error;
    }
  });
}
const api = (who, method, path, body) => world.api(tokens[who], method, path, body);

// An engine for the revision that the model's main branch has now.
async function attach(number) {
  engines[number] = await Engine.start(wrongEvery[number]);
  await api("root", "POST", "/api/endpoints/demo", { name: "support", record: "demo/support", model: "demo/intents", revision: "main", url: engines[number].url, engine: "tei" });
}
async function actAs(name) {
  const fullname = { ada: "Ada Lovelace", boris: "Boris Becker", olga: "Olga Onduty" }[name];
  await page.getByRole("button", { name: /Your menu/ }).click();
  await page.getByRole("button", { name: fullname }).click();
  await page.getByRole("button", { name: /Your menu/ }).filter({ hasText: name }).waitFor();
}
async function fill(values, button) {
  const dialog = page.getByRole("dialog");
  for (const [label, value] of Object.entries(values)) {
    const field = dialog.getByLabel(label);
    if ((await field.evaluate((element) => element.tagName)) === "SELECT") await field.selectOption(value);
    else await field.fill(value);
  }
  await dialog.getByRole("button", { name: button, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}
// Objectives and drift, as the server tells them at this moment, stand on the desk.
async function deskTellsPromises() {
  const told = (await api("ada", "GET", "/api/slo").catch(() => ({ slos: [] }))).slos.find((one) => one.record === "demo/support");
  if (!told?.availability) return;
  const row = page.getByRole("row").filter({ hasText: `${(told.availability.objective * 100).toFixed(1)} % answered` });
  await row.getByText(`${(Math.max(0, told.availability.budget_left) * 100).toFixed(0)} %`, { exact: true }).waitFor();
  const drift = await api("ada", "GET", "/api/drift/demo/support");
  await page.getByText(`${drift.window_rows} inputs against ${drift.reference_rows}`).waitFor();
  for (const one of drift.features) await page.getByText(one.psi.toFixed(2), { exact: true }).first().waitFor();
}
// A status of 200 without a label is no answer of a classifier, and the desk counts it as objectives do.
async function deskCountsWhatIsNoAnswer() {
  const listeners = engines[1].server.listeners("request");
  engines[1].server.removeAllListeners("request");
  engines[1].server.on("request", (request, response) => request.resume().on("end", () => response.setHeader("Content-Type", "application/json").end("[]")));
  await api("ada", "POST", "/endpoints/demo/support/predict", { inputs: "no label for this" });
  await page.locator("figcaption").filter({ hasText: "Not answered well" }).locator("strong").filter({ hasNotText: /^0 / }).waitFor();
  engines[1].server.removeAllListeners("request");
  for (const listener of listeners) engines[1].server.on("request", listener);
}
const missingRows = () => page.getByRole("list", { name: "What is missing" }).getByRole("listitem");
async function sees(text) {
  await page.getByText(text).first().waitFor();
}
// The rows that `holdfast eval` would have written for a release on the pinned data.
async function evaluation(number, rows) {
  const { model, revision } = await api("ada", "GET", release(number));
  const dataset = await api("ada", "GET", "/api/datasets/demo/messages");
  const items = Array.from({ length: rows }, (_, index) => ({ id: `row-${index}`, label: truthOf(index + 1), predicted: answerOf(messageOf(index + 1), wrongEvery[number])[0].label, kind: index % 4 === 0 ? "edge" : "normal" }));
  const accuracy = items.filter((item) => item.label === item.predicted).length / rows;
  const half = 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / rows);
  return {
    body: { model, revision, dataset: "demo/messages", dataset_revision: dataset.sha, split: "test", began: new Date().toISOString(), metric_code: "story-1", rows,
      metrics: { accuracy: { value: accuracy, low: accuracy - half, high: accuracy + half } }, latency_ms: { p50: 9, p95: 21 } },
    rows: items,
  };
}
async function addEvaluation(number, rows) {
  const result = await evaluation(number, rows);
  await addFile("evaluation.json", result);
  return result;
}
async function addFile(name, result) {
  await page.getByRole("button", { name: "Run it elsewhere" }).first().click();
  await page.getByRole("dialog").getByLabel("Result of the run").setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(JSON.stringify(result)) });
  await fill({}, "Add its result");
}
// The page's own button: the server asks the release's engine, row by row. What the page then shows is what the engine is
// known to answer, and what `evaluation` works out from the same rows by itself.
async function runEvaluation(number, run, rows) {
  const engine = engines[number];
  const listener = engine.server.listeners("request")[0];
  let reached;
  const half = new Promise((done) => (reached = done));
  let goOn;
  const held = new Promise((done) => (goOn = done));
  let seen = 0;
  engine.server.removeAllListeners("request");
  engine.server.on("request", async (request, response) => {
    if (++seen === rows / 2) {
      reached();
      await held;
    }
    listener(request, response);
  });
  await page.getByRole("button", { name: "Run the evaluation" }).first().click();
  await half;
  const bar = page.getByRole("progressbar", { name: "Rows of the evaluation" });
  await page.getByText(new RegExp(`${rows / 2 - 1} of ${rows} rows · .* a second · .* left`)).waitFor();
  assert.deepEqual([await bar.getAttribute("aria-valuenow"), await bar.getAttribute("aria-valuemax")], [String(rows / 2 - 1), String(rows)]);
  assert.ok(await page.getByRole("button", { name: "Running" }).first().isDisabled());
  await world.shoot(page, `release-evaluating-${run}`);
  goOn();
  await page.getByText(`run ${run} on demo/messages`).waitFor();
  await bar.waitFor({ state: "detached" });
  engine.server.removeAllListeners("request");
  engine.server.on("request", listener);
  const wanted = await evaluation(number, rows);
  const accuracy = wanted.body.metrics.accuracy.value;
  await page.getByRole("row").filter({ hasText: "accuracy" }).getByText(`${(accuracy * 100).toFixed(1)} %`).waitFor();
  const kept = (await api("ada", "GET", release(number))).evidence.filter((one) => one.kind === "evaluation").at(-1);
  const told = await api("ada", "GET", `/api/registry/evidence/${kept.id}?rows=true`);
  assert.equal(told.body.metrics.accuracy.value, accuracy);
  assert.deepEqual(told.row_list.map(({ id, label, predicted, kind }) => ({ id, label, predicted, kind })), wanted.rows);
  assert.equal(told.body.dataset_revision, wanted.body.dataset_revision);
}
// Messages to the endpoint, eight at a time; what is right follows as labels.
let asked = 0;
async function traffic(count) {
  const answers = [];
  const numbers = Array.from({ length: count }, () => ++asked);
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
      const response = await fetch(`${world.url}/endpoints/demo/support/predict`, { method: "POST", body: JSON.stringify({ inputs: messageOf(number) }),
        headers: { Authorization: `Bearer ${tokens.ada}`, "Content-Type": "application/json", "X-Holdfast-Feature": "support-routing", "X-Holdfast-Key": `user-${number}` } });
      assert.equal(response.status, 200, await response.clone().text());
      answers.push({ number, id: response.headers.get("X-Request-Id"), deployment: response.headers.get("X-Deployment"), body: await response.text() });
    }
  }));
  await api("ada", "POST", "/api/registry/feedback", { feedback: answers.map((answer) => ({ request: answer.id, label: truthOf(answer.number) })) });
  return answers;
}

test("promotion is refused with every missing fact, and each has the button that supplies it", async () => {
  await page.goto(`${world.url}/registry`);
  await page.getByRole("link", { name: /demo\/support/ }).click();
  await page.getByText("The record lacks a fact").waitFor();
  await world.shoot(page, "record");
  await page.getByRole("button", { name: "New release" }).click();
  await fill({ "What is new": "the first" }, "Make it");
  await page.waitForURL(/demo\/support\/1$/);
  await page.getByRole("button", { name: "Promote" }).click();
  await page.getByRole("alert").getByText("Refused.").waitFor();
  const { missing, state } = await api("ada", "GET", release(1));
  assert.equal(state, "candidate", "nothing moved");
  assert.deepEqual(missing.map((one) => one.fact), ["owner", "criteria"]);
  const buttons = { edit_record: "Fill it in", set_criteria: "Set criteria" };
  assert.equal(await missingRows().count(), missing.length);
  for (const [index, one] of missing.entries()) {
    const row = missingRows().nth(index);
    assert.ok((await row.innerText()).includes(one.needs), `the row says what is needed: ${one.needs}`);
    assert.equal(await row.getByRole("button").innerText(), buttons[one.supply.action]);
  }
  await world.shoot(page, "release-refused");
  // The card lacks nothing, and approves nothing.
  await page.goto(`${world.url}/demo/intents`);
  await page.locator("aside").getByText("not approved").waitFor();
  await sees("A card, however complete, approves nothing");
  await world.shoot(page, "card-not-approved");
  await page.goto(`${world.url}/registry/demo/support/1`);
});

test("the facts are supplied one by one, and too few rows are waited for", async () => {
  await page.getByRole("button", { name: "Fill it in" }).click();
  await fill({ owner: "support-platform" }, "Fill it in");
  await page.getByRole("button", { name: "Fill it in" }).waitFor({ state: "detached" });
  assert.equal((await api("ada", "GET", "/api/registry/records/demo/support")).owner, "support-platform");
  await page.getByRole("button", { name: "Set criteria" }).click();
  await world.shoot(page, "dialog-criteria");
  await fill({ "At least": "0.8", Margin: "0.03" }, "Set criteria");
  await page.getByRole("button", { name: "Run it elsewhere" }).click();
  const { missing } = await api("ada", "GET", release(1));
  const command = missing.find((one) => one.supply.action === "run_evaluation").supply.command;
  assert.equal((await page.getByRole("dialog").locator("pre").innerText()).trim(), command);
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await runEvaluation(1, 1, 100);
  const short = (await api("ada", "GET", release(1))).missing;
  assert.match(short[0].needs, /more rows/);
  await sees(short[0].needs);
  await world.commit(tokens.ada, "dataset", "demo/messages", { "test.csv": rowsOfData(600) }, "More rows");
  await runEvaluation(1, 2, 600);
  await page.getByText("Nothing is missing").waitFor();
  await world.shoot(page, "release-supplied");
  await page.getByRole("button", { name: "Promote" }).click();
  await sees("It is validated now.");
  assert.equal((await api("ada", "GET", release(1))).state, "validated");
});

test("a forged result is refused in the page, with the reason", async () => {
  await page.goto(`${world.url}/registry/demo/support/1`);
  const forged = await evaluation(1, 600);
  forged.body.metrics.accuracy.value = 0.99;
  await page.getByRole("button", { name: "Add evidence" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Result of the run").setInputFiles({ name: "forged.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(forged)) });
  const answered = page.waitForResponse((response) => response.url().endsWith("/evidence"));
  await dialog.getByRole("button", { name: "Add its result" }).click();
  const refusal = await (await answered).json();
  await dialog.getByRole("alert").getByText(refusal.error).waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
});

test("a role needs a second person; two people approve, and not the author", async () => {
  await page.getByRole("button", { name: "Propose someone" }).click();
  await fill({ "User name": "olga" }, "Propose someone");
  await page.goto(`${world.url}/registry/demo/support`);
  await page.getByText("waits for a second person").waitFor();
  await actAs("boris");
  const row = page.getByRole("listitem").filter({ hasText: "olga reviewer" });
  await row.getByRole("button", { name: "Confirm" }).click();
  await row.getByText("new", { exact: true }).waitFor();
  const { roles } = await api("ada", "GET", "/api/registry/roles/demo");
  assert.deepEqual(roles.filter((role) => role.user === "olga" && role.role === "reviewer").map((role) => [role.state, role.proposed_by, role.confirmed_by]), [["granted", "ada", "boris"]]);

  await page.goto(`${world.url}/registry/demo/support/1`);
  await actAs("ada");
  await page.getByText("You made this release, so others approve it").waitFor();
  assert.equal(await page.getByRole("button", { name: "Approve", exact: true }).count(), 0, "the author gets no button");
  await actAs("boris");
  const approval = (role) => page.getByRole("list", { name: "Approvals" }).getByRole("listitem").filter({ has: page.getByText(role, { exact: true }) });
  await approval("owner").getByRole("button", { name: "Approve", exact: true }).click();
  await fill({ "Your reason": "The figures hold." }, "Approve");
  await page.getByText("new in this role").waitFor();
  assert.equal((await api("ada", "GET", release(1))).state, "validated", "one of two");
  await actAs("olga");
  await approval("reviewer").getByRole("button", { name: "Approve", exact: true }).click();
  await fill({ "Your reason": "Read its failures." }, "Approve");
  await page.getByText("approved", { exact: true }).first().waitFor();
  const { approvals, state } = await api("ada", "GET", release(1));
  assert.deepEqual([state, ...approvals.map((one) => `${one.user} ${one.role} ${one.new}`)], ["approved", "boris owner true", "olga reviewer true"]);
  await world.shoot(page, "release-approved");
  await actAs("ada");
  await page.getByRole("button", { name: "Promote" }).click();
  await sees("It is deployed now.");
  assert.equal((await api("ada", "GET", release(1))).state, "deployed");
  assertQuiet(assert, world, page);
});

test("the endpoint answers, and an old answer is traced, and replayed bit for bit", async () => {
  await page.goto(`${world.url}/demo/intents`);
  await page.locator("aside").getByText("v1 is approved").waitFor();
  await page.goto(`${world.url}/registry/endpoints`);
  await page.getByRole("link", { name: /demo\/support/ }).waitFor();
  await world.shoot(page, "endpoints");
  await page.getByRole("link", { name: /demo\/support/ }).click();
  await page.getByLabel("Text").fill(messageOf(20)); // One that release 1 gets wrong.
  await page.getByRole("button", { name: "Ask the model" }).click();
  const wanted = answerOf(messageOf(20), wrongEvery[1]);
  assert.notEqual(wanted[0].label, truthOf(20));
  const rows = page.getByRole("list", { name: "Labels" }).getByRole("listitem");
  await rows.first().waitFor();
  const shown = (await rows.allInnerTexts()).map((text) => text.split(/\s*\n\s*/).slice(0, 2).join(" "));
  assert.deepEqual(shown, wanted.map((one) => `${one.label} ${(one.score * 100).toFixed(1)} %`));
  const [kept] = (await api("ada", "GET", "/api/registry/requests?record=demo/support&limit=1")).requests;
  assert.equal(kept.predictions[0].label, wanted[0].label);
  await page.getByRole("listitem").filter({ hasText: wanted[0].label }).getByRole("button", { name: "Replay" }).click();
  await page.getByRole("heading", { name: "The same answer, bit for bit" }).waitFor();
  const digests = await page.getByRole("dialog").locator("dd").allInnerTexts();
  const whole = await api("ada", "GET", `/api/registry/requests/${kept.id}`);
  assert.equal(digests[0], digests[1]);
  assert.ok((await page.getByRole("dialog").locator("pre").innerText()).includes(JSON.parse(whole.output)[0].label));
  await world.shoot(page, "replay");
  await page.keyboard.press("Escape");
  // Where its time went, from the answer itself; nothing of what was asked is there.
  await page.getByRole("listitem").filter({ hasText: wanted[0].label }).getByRole("link", { name: "Trace" }).first().click();
  await page.getByRole("heading", { level: 1, name: `Trace ${kept.id.slice(0, 8)}` }).waitFor();
  const trace = await api("ada", "GET", `/api/traces/${kept.id}`);
  assert.deepEqual(trace.spans.map((span) => span.name).slice(1), ["upstream", "post"]);
  const spanRows = await page.getByRole("region", { name: "Where the time went" }).getByRole("listitem").allInnerTexts();
  assert.deepEqual(spanRows.map((text) => text.trim().split(/\s*\n\s*/)[0]), ["the whole request", "engine outside", "after the model"]);
  const bars = await page.locator("section .bar-of").evaluateAll((all) => all.map((bar) => bar.getBoundingClientRect().width));
  const lane = bars[0];
  for (const [index, span] of trace.spans.entries())
    assert.ok(Math.abs(bars[index] - Math.max(3, (lane * span.duration_ms) / trace.duration_ms)) < 2, `${span.name} is ${bars[index]} of ${lane} px wide`);
  assert.ok(!JSON.stringify(trace).includes("ticket"), "no text of the request");
  await world.shoot(page, "trace");
  await page.goBack();
  await page.getByRole("button", { name: "Replay" }).first().waitFor();
  // An engine that answers otherwise today is told from one that answers the same.
  engines[1].server.removeAllListeners("request");
  engines[1].server.on("request", (request, response) => request.resume().on("end", () => response.setHeader("Content-Type", "application/json").end("[]")));
  await page.getByRole("listitem").filter({ hasText: wanted[0].label }).getByRole("button", { name: "Replay" }).click();
  await page.getByRole("heading", { name: "The answer differs" }).waitFor();
  await page.keyboard.press("Escape");
  engines[1].stop();
  await api("ada", "DELETE", "/api/endpoints/demo/support").catch(() => {});
  await attach(1);
  assertQuiet(assert, world, page);
});

test("a worse release enters by an exception of two people, and everyone sees it in red", async () => {
  await world.commit(tokens.ada, "model", "demo/intents", { "config.json": '{"worse": true}\n' }, "Train on other labels");
  await api("ada", "POST", "/api/registry/records/demo/support/releases", { revision: "main", note: "other labels" });
  await attach(2);
  await page.goto(`${world.url}/registry/demo/support/2`);
  await page.getByRole("button", { name: "Propose an exception" }).click();
  await world.shoot(page, "dialog-exception");
  await fill({ "Why it cannot wait": "The campaign starts on Monday." }, "Propose it");
  await page.getByText("An exception for v2 is proposed").waitFor();
  assert.equal(await page.getByRole("button", { name: "Confirm it" }).count(), 0, "nobody confirms their own exception");
  await actAs("boris");
  await page.getByRole("button", { name: "Confirm it" }).click();
  await fill({ "Why it is acceptable until then": "A day is fine." }, "Confirm");
  const notice = page.getByRole("note").filter({ hasText: "v2 serves by exception" });
  await notice.getByText("ada and boris").waitFor();
  const red = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--bad-soft"));
  const shown = await notice.evaluate((element, colour) => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.background = colour;
    const wanted = getComputedStyle(probe).backgroundColor;
    probe.remove();
    return [getComputedStyle(element).backgroundColor, wanted];
  }, red);
  assert.equal(shown[0], shown[1], "an exception is red");
  await page.goto(`${world.url}/registry/demo/support`);
  await page.getByRole("note").filter({ hasText: "v2 serves by exception" }).waitFor();
  await page.goto(`${world.url}/registry/demo/support/2`);
  await actAs("ada");
});

test("the canary bends, the watch takes it back, and the clock on the page is the measured one", async () => {
  await page.getByRole("button", { name: "Start the canary by exception" }).click();
  const pressed = Date.now();
  await fill({ Why: "Both of us stand for it." }, "Start it");
  await page.getByRole("img", { name: "20 percent of the requests go to the canary" }).waitFor();
  const counts = { stable: 0, canary: 0 };
  const count = (answers) => answers.forEach((answer) => (counts[answer.deployment.endsWith("/canary") ? "canary" : "stable"] += 1));
  count(await traffic(40));
  // The page counts by itself what was asked, without being loaded again.
  await page.getByRole("row").filter({ hasText: "Requests" }).getByRole("cell", { name: String(counts.canary), exact: true }).waitFor();
  const cells = await page.getByRole("row").filter({ hasText: "Requests" }).getByRole("cell").allInnerTexts();
  assert.deepEqual(cells, [String(counts.stable), String(counts.canary)]);
  await world.shoot(page, "release-canary");
  let seen = 0;
  let state = "canary";
  while (state === "canary") {
    assert.ok(asked < 4000, "the watch sees the drop");
    count(await traffic(100));
    state = (await api("ada", "GET", release(2))).state;
    seen = Date.now();
  }
  assert.equal(state, "rolled_back");
  await page.getByText("detected in").waitFor();
  const [incident] = (await api("ada", "GET", "/api/registry/incidents?record=demo/support")).incidents;
  assert.ok(incident.detected_after_ms > 0 && incident.detected_after_ms <= seen - pressed, `${incident.detected_after_ms} ms of ${seen - pressed}`);
  assert.ok(incident.restored_after_ms >= 0 && incident.restored_after_ms < 60_000);
  const clock = page.getByRole("region", { name: "Rolled back" });
  const facts = await clock.locator("dd").allInnerTexts();
  assert.equal(facts[0], `${(incident.detected_after_ms / 1000).toFixed(1)} s`);
  assert.equal(facts[1], incident.restored_after_ms < 1000 ? `${incident.restored_after_ms} ms` : `${(incident.restored_after_ms / 1000).toFixed(1)} s`);
  await clock.getByText(incident.cause).waitFor();
  assert.match(incident.cause, /accuracy fell/);
  const stages = await page.getByRole("list", { name: "Stages of the release" }).getByRole("listitem").allInnerTexts();
  assert.deepEqual(stages.map((text) => text.trim()), ["candidate", "validated: skipped", "approved: skipped", "rolled back", "deployed"]);
  await world.shoot(page, "release-rolled-back");
  const back = await traffic(60);
  assert.deepEqual([...new Set(back.map((answer) => answer.deployment))], ["demo/support/1/stable"]);
  assertQuiet(assert, world, page);
});

test("the incident holds versions, failing samples and the timeline; the desk shows it", async () => {
  const [incident] = (await api("ada", "GET", "/api/registry/incidents?record=demo/support")).incidents;
  await page.getByRole("link", { name: /^Incident/ }).click();
  await page.getByRole("heading", { level: 1, name: `Incident ${incident.id}` }).waitFor();
  await page.getByText("v2 stopped serving; v1 took over").waitFor();
  await page.getByRole("img", { name: "20 percent of the requests go to the canary" }).waitFor();
  const samples = page.getByRole("list", { name: "Failing samples" }).getByRole("listitem");
  assert.equal(await samples.count(), incident.samples.length);
  for (const [index, sample] of incident.samples.slice(0, 3).entries()) {
    const text = await samples.nth(index).innerText();
    const number = Number(/ticket (\d+)/.exec(sample.input)[1]);
    assert.ok(text.includes(messageOf(number)) && text.includes(answerOf(messageOf(number), wrongEvery[2])[0].label) && text.includes(truthOf(number)), text);
  }
  for (const moment of incident.timeline) await sees(moment.what);
  await page.getByRole("row").filter({ hasText: "Labels" }).getByRole("cell", { name: String(incident.figures.canary.labels), exact: true }).waitFor();
  await world.shoot(page, "incident");
  await page.goto(`${world.url}/registry`);
  await page.getByRole("link", { name: /demo\/support/ }).getByText("incident").waitFor();
  await world.shoot(page, "records");
  await page.goto(`${world.url}/registry/oncall`);
  await page.getByRole("region", { name: "Rolled back" }).getByText(incident.cause).waitFor();
  const before = (await api("ada", "GET", "/api/registry/requests?record=demo/support&limit=200")).requests.filter((one) => one.release === 1).length;
  await page.getByRole("row").filter({ hasText: "demo/support" }).filter({ hasText: "v1" }).getByRole("cell", { name: String(before), exact: true }).waitFor();
  await traffic(60);
  await page.waitForTimeout(2500);
  await traffic(60);
  await page.waitForTimeout(2500);
  await deskTellsPromises();
  await world.shoot(page, "oncall");
  await deskCountsWhatIsNoAnswer();
  await page.goto(`${world.url}/registry/oncall`);
  await page.getByRole("heading", { name: "Where errors gather" }).waitFor();
  await page.getByRole("row").filter({ hasText: /Latin, to \d+ letters/ }).getByText(/\d of \d+ failed, model \d/).first().waitFor({ state: "attached" });
  await world.shoot(page, "errors");
  await page.goto(`${world.url}/registry/whatis/support-routing`);
  await page.getByText("Whose it is").waitFor();
  const told = (await api("ada", "GET", "/api/registry/whatis/support-routing")).records[0];
  const text = await page.getByRole("article").innerText();
  for (const part of ["v1", told.deployed.revision.slice(0, 8), "support-platform", "olga", "boris as owner", "open incident", "frozen"]) assert.ok(text.includes(part), `whatis says ${part}`);
  await world.shoot(page, "whatis");
  await page.goto(`${world.url}/registry/endpoints/demo/support`);
  await page.getByText("frozen", { exact: true }).first().waitFor();
  await page.waitForTimeout(2500);
  await world.shoot(page, "endpoint");
  assertQuiet(assert, world, page);
});

test("the review queue edits and rejects, and what is corrected becomes data and golden examples", async () => {
  await page.goto(`${world.url}/registry/review/demo/support`);
  const rows = page.getByRole("list", { name: "To review" }).getByRole("listitem");
  await rows.first().waitFor();
  const { items } = await api("ada", "GET", "/api/registry/records/demo/support/review?state=open");
  const wrong = items.find((item) => item.why === "wrong");
  await world.shoot(page, "review");
  const first = rows.filter({ hasText: wrong.input }).first();
  assert.ok((await first.innerText()).includes(`v${wrong.release} said ${wrong.label}`));
  await first.getByRole("combobox", { name: "Right label" }).fill(wrong.truth);
  await first.getByRole("button", { name: "Correct it" }).click();
  const other = items.find((item) => item.id !== wrong.id && item.input !== wrong.input);
  const second = rows.filter({ hasText: other.input }).first();
  await second.getByRole("button", { name: "Reject", exact: true }).click();
  await second.getByLabel("Why it is rejected").fill("No message at all.");
  await second.getByRole("button", { name: "Reject it" }).click();
  const wanted = { [wrong.id]: "edited", [other.id]: "rejected" };
  const judged = async () => (await api("ada", "GET", "/api/registry/records/demo/support/review?state=")).items.filter((item) => item.id in wanted && item.state === wanted[item.id]);
  while ((await judged()).length < 2) await page.waitForTimeout(100);
  const states = Object.fromEntries((await api("ada", "GET", "/api/registry/records/demo/support/review?state=")).items.map((item) => [item.id, item]));
  assert.deepEqual([states[wrong.id].state, states[wrong.id].truth, states[other.id].state], ["edited", wrong.truth, "rejected"]);
  await page.getByRole("button", { name: "Make a dataset of it" }).click();
  await fill({ Dataset: "demo/messages" }, "Make it");
  await page.getByRole("status").getByText("2 rows are in").waitFor();
  const golden = (await api("ada", "GET", "/api/registry/records/demo/support/golden")).examples;
  await page.getByRole("status").getByText(`${golden.length} became golden`).waitFor();
  await world.shoot(page, "review-exported");
});

test("frozen releases stay where they are until the incident is closed; then the golden examples are asked for", async () => {
  await world.commit(tokens.ada, "model", "demo/intents", { "config.json": '{"better": true}\n' }, "Train on what was corrected");
  await api("ada", "POST", "/api/registry/records/demo/support/releases", { revision: "main", note: "learned" });
  await page.goto(`${world.url}/registry/demo/support/3`);
  await page.getByRole("note").getByText("Releases are frozen by (watch)").waitFor();
  await addEvaluation(3, 600);
  await page.getByRole("button", { name: "Promote" }).click();
  await page.getByRole("alert").getByText("Refused.").waitFor();
  assert.equal((await api("ada", "GET", release(3))).state, "candidate");
  await world.shoot(page, "release-frozen");
  await page.goto(`${world.url}/registry/incidents/1`);
  await page.getByRole("button", { name: "Close it" }).click();
  await fill({ "What was done about it": "The labels were corrupted; trained again." }, "Close it");
  await page.getByText("closed", { exact: true }).waitFor();
  await page.goto(`${world.url}/registry/demo/support/3`);
  await page.getByRole("button", { name: "Unfreeze" }).click();
  await fill({ "Why it is safe now": "Understood." }, "Unfreeze");
  await page.getByRole("button", { name: "Unfreeze" }).waitFor({ state: "detached" });
  assert.equal((await api("ada", "GET", "/api/registry/records/demo/support")).frozen, null);
  const { missing } = await api("ada", "GET", release(3));
  assert.deepEqual(missing.map((one) => one.fact), ["golden"]);
  assert.equal(await missingRows().count(), 1);
  await sees(missing[0].needs);
  await world.shoot(page, "release-golden");
  await attach(3);
  await page.getByRole("button", { name: "Run them" }).click();
  await fill({}, "Run them");
  await page.getByText("Nothing is missing").waitFor();
  await page.getByRole("button", { name: "Promote" }).click();
  await sees("It is validated now.");
  assertQuiet(assert, world, page);
});

test("a repository that is deleted names the release that answers from it, and keeps its content", async () => {
  await actAs("boris");
  await page.goto(`${world.url}/demo/intents/settings`);
  await page.getByLabel("Type demo/intents to delete it").fill("demo/intents");
  await page.getByRole("button", { name: "Delete this repository" }).click();
  await page.getByRole("status").getByText(/still stands? on it/).waitFor();
  const stands = page.getByRole("list", { name: "What stands on it" }).getByRole("link", { name: "demo/support/1" });
  assert.equal(await stands.getAttribute("href"), "/registry/demo/support/1");
  await world.shoot(page, "deleted-with-releases");
  await stands.click();
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  assert.equal((await api("ada", "GET", release(1))).state, "deployed", "it answers as before");
  assertQuiet(assert, world, page);
});
