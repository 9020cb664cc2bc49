// The life of a release in a real browser: refused, supplied, approved, released; worse by exception, and back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { World, assertQuiet } from "./world.mjs";

const record = `# registry.yaml
record: demo/support
use: Route support messages to the right team.
tier: internal
model: demo/intents
task: text-classification
features: [support-routing]
data_class: internal
purpose: commercial
prompt: none
preprocessing: none
evaluation: {dataset: demo/support-data, split: test}
monitoring: {accuracy_drop_max: 0.05}
rollback: previous
`;
const card = `---
license: apache-2.0
pipeline_tag: text-classification
datasets: [demo/support-data]
---
# Intents

## Intended use

Routing of support messages, nothing else.

## Limitations

English alone.
`;

let world;
let tokens;
before(async () => {
  world = await World.open();
  tokens = Object.fromEntries(["ada", "boris", "olga"].map((name) => [name, world.token(name)]));
  world.admin("org", "member", "add", "demo", "olga", "--role", "admin");
  for (const [type, name] of [["model", "intents"], ["dataset", "support-data"]])
    await world.api(tokens.ada, "POST", "/api/repos/create", { type, name, organization: "demo" });
  await world.commit(tokens.ada, "model", "demo/intents", { "README.md": card, "config.json": '{"architectures": ["BertForSequenceClassification"]}\n' });
  await world.commit(tokens.ada, "dataset", "demo/support-data", { "README.md": "---\nlicense: cc-by-4.0\n---\n# Data\n", "test.csv": "text,label\nhi,greeting\n" });
  await world.api(tokens.ada, "PUT", "/api/registry/records/demo/support", record, "application/yaml");
});
after(() => world?.close());

async function actAs(page, fullname) {
  await page.getByRole("button", { name: /Your menu/ }).click();
  await page.getByRole("button", { name: fullname }).click();
  await page.getByRole("button", { name: /Your menu/ }).filter({ hasText: fullname.split(" ")[0].toLowerCase() }).waitFor();
}
async function fill(page, values, button) {
  const dialog = page.getByRole("dialog");
  for (const [label, value] of Object.entries(values)) {
    const field = dialog.getByLabel(label);
    if ((await field.evaluate((element) => element.tagName)) === "SELECT") await field.selectOption(value);
    else await field.fill(value);
  }
  await dialog.getByRole("button", { name: button, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}
// What `holdfast eval` would add: rows of the pinned release on the pinned data.
async function evaluate(number, correct, rows = 400) {
  const release = await world.api(tokens.ada, "GET", `/api/registry/records/demo/support/releases/${number}`);
  const dataset = await world.api(tokens.ada, "GET", "/api/datasets/demo/support-data");
  const accuracy = correct / rows;
  const half = 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / rows);
  const interval = { value: accuracy, low: accuracy - half, high: accuracy + half };
  return world.api(tokens.ada, "POST", `/api/registry/records/demo/support/releases/${number}/evidence`, {
    kind: "evaluation",
    body: { model: release.model, revision: release.revision, dataset: "demo/support-data", dataset_revision: dataset.sha, split: "test", criteria: 1,
      began: new Date().toISOString(), metric_code: "test", rows, metrics: { accuracy: interval, f1_macro: interval }, slices: { "kind:normal": { rows, accuracy } },
      ece: 0.03, latency_ms: { p50: 9, p95: 21 } },
    rows: Array.from({ length: rows }, (_, index) => ({ label: "a", predicted: index < correct ? "a" : "b", kind: "normal" })),
  });
}

test("promotion is refused with the missing facts, each with the button that supplies it", async () => {
  const page = await world.signedIn("ada", "boris", "olga");
  await page.goto(`${world.url}/registry`);
  await page.getByRole("link", { name: /demo\/support/ }).click();
  await world.shoot(page, "record");
  await page.getByRole("button", { name: "New release" }).click();
  await fill(page, { "What is new": "the first" }, "Make it");
  await page.waitForURL(/demo\/support\/1$/);
  await page.getByRole("button", { name: "Promote" }).click();
  await page.getByText(/facts? (is|are) missing/).waitFor();
  await world.shoot(page, "release-refused");

  await page.getByRole("button", { name: "Fill it in" }).first().click();
  await fill(page, { owner: "support-platform" }, "Fill it in");
  await page.getByRole("button", { name: "Set criteria" }).click();
  await fill(page, { "At least": "0.8", Margin: "0.05" }, "Set criteria");
  await page.getByRole("button", { name: "Set criteria" }).waitFor({ state: "detached" });
  await evaluate(1, 352);
  for (let left = 3; left > 0; --left) {
    await page.reload();
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForTimeout(300);
    const fill_in = page.getByRole("button", { name: "Fill it in" });
    const evidence = page.getByRole("button", { name: "Add evidence" });
    if ((await fill_in.count()) > 0) {
      await fill_in.first().click();
      const label = await page.getByRole("dialog").locator(".label").first().innerText();
      if (label === "registry.yaml") break;
      await fill(page, { [label]: label === "oncall" ? "olga" : "internal" }, "Fill it in");
    } else if ((await evidence.count()) > 0) {
      await evidence.first().click();
      await fill(page, { Verdict: "pass", Why: "Read by a person." }, "Add evidence");
    } else break;
  }
  await world.shoot(page, "release-supplied");
  await page.getByRole("button", { name: "Promote" }).click();
  await page.getByText("validated", { exact: true }).first().waitFor();
  assertQuiet(assert, world, page);
  await page.context().close();
});

test("the author cannot approve; another person in the role can, and it is released", async () => {
  const page = await world.signedIn("ada", "boris", "olga");
  await page.goto(`${world.url}/registry/demo/support`);
  await page.getByRole("button", { name: "Propose", exact: true }).click();
  await fill(page, { "User name": "boris", Role: "owner" }, "Propose").catch(async () => {
    // The author is no administrator of the namespace: one proposes, another confirms.
    await page.getByRole("button", { name: "Cancel" }).click();
  });
  await world.api(tokens.olga, "POST", "/api/registry/roles/demo", { user: "boris", role: "owner" }).catch(() => {});
  const { roles } = await world.api(tokens.ada, "GET", "/api/registry/roles/demo");
  const proposed = roles.find((role) => role.user === "boris" && role.state === "proposed");
  await world.api(tokens.boris, "POST", `/api/registry/roles/demo/${proposed.id}/confirm`, {}).then(
    () => assert.fail("nobody confirms their own role"),
    () => {},
  );
  world.admin("user", "create", "carla", "--fullname", "Carla Chief");
  world.admin("org", "member", "add", "demo", "carla", "--role", "admin");
  await world.api(world.token("carla"), "POST", `/api/registry/roles/demo/${proposed.id}/confirm`, {});
  await page.goto(`${world.url}/registry/demo/support/1`);
  await page.getByText("You made this release, so others approve it").waitFor();
  await actAs(page, "Boris Becker");
  await page.getByRole("button", { name: "Approve", exact: true }).first().click();
  await fill(page, { "Your reason": "The figures hold." }, "Approve");
  await page.getByText("new in this role").waitFor();
  await world.shoot(page, "release-approved");
  await actAs(page, "Ada Lovelace");
  await page.getByRole("button", { name: "Promote" }).click();
  await page.getByText("deployed", { exact: true }).first().waitFor();
  assertQuiet(assert, world, page);
  await page.context().close();
});

test("a worse release enters by an exception of two people, shown red, and is rolled back", async () => {
  await world.commit(tokens.ada, "model", "demo/intents", { "config.json": '{"architectures": ["BertForSequenceClassification"], "worse": true}\n' }, "Train on other labels");
  await world.api(tokens.ada, "POST", "/api/registry/records/demo/support/releases", { revision: "main", note: "other labels" });
  const page = await world.signedIn("ada", "boris", "olga");
  await page.goto(`${world.url}/registry/demo/support/2`);
  await page.getByRole("button", { name: "Propose an exception" }).click();
  await fill(page, { "Why it cannot wait": "The campaign starts on Monday." }, "Propose it");
  await page.getByText("An exception for v2 is proposed").waitFor();
  await actAs(page, "Boris Becker");
  await page.getByRole("button", { name: "Confirm it" }).click();
  await fill(page, { "Why it is acceptable until then": "A day is fine." }, "Confirm");
  await page.getByText("v2 serves by exception").waitFor();
  await actAs(page, "Ada Lovelace");
  await page.getByRole("button", { name: "Start the canary by exception" }).click();
  await fill(page, { Why: "Both of us stand for it." }, "Start it");
  await page.getByText("How it does").waitFor();
  await world.shoot(page, "release-canary");
  await page.goto(`${world.url}/registry`);
  await page.getByText("exception").first().waitFor();
  await world.shoot(page, "records");
  await page.goto(`${world.url}/registry/oncall`);
  await page.getByText("What changed last").waitFor();
  await page.waitForTimeout(4500);
  await world.shoot(page, "oncall");
  await page.goto(`${world.url}/registry/whatis/support-routing`);
  await page.getByText("Whose it is").waitFor();
  await world.shoot(page, "whatis");
  await page.goto(`${world.url}/registry/demo/support/2`);
  await page.getByRole("button", { name: "Roll back" }).click();
  await fill(page, { Why: "It is worse." }, "Roll back now");
  await page.getByText("rolled back", { exact: true }).first().waitFor();
  await world.shoot(page, "release-rolled-back");
  await page.goto(`${world.url}/registry/review/demo/support`);
  await page.getByText("The queue is empty").waitFor();
  await world.shoot(page, "review-empty");
  assertQuiet(assert, world, page);
  await page.context().close();
});
