// The pages of the hub, clicked through in a real browser.
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { test } from "./told.mjs";
import { World, assertQuiet, screens } from "./world.mjs";

const card = `---
license: apache-2.0
pipeline_tag: sentence-similarity
library_name: sentence-transformers
tags: [english, small]
model-index:
- name: tiny
  results:
  - task: {type: sentence-similarity}
    dataset: {type: demo/pairs, name: Pairs}
    metrics:
    - {type: spearman, name: Rank correlation, value: 0.87654, verified: true}
---
# Sentence encoder

Turns sentences into **384 numbers**. [Its configuration](config.json) says how.

| layer | heads |
|---|---|
| 6 | 12 |

<script>window.stolen = true</script>
<img src="x" onerror="window.stolen = true"><img alt="badge" src="https://elsewhere.test/badge.svg">
<a href="javascript:window.stolen = true">a trap</a> <iframe src="https://elsewhere.test/"></iframe>
<form action="https://elsewhere.test/"><input name="password"></form>

\`\`\`python
model.encode(["a sentence"])
\`\`\`
`;

let world;
let token;
before(async () => {
  world = await World.open();
  token = world.token("ada");
  for (const [type, name] of [["model", "tiny-encoder"], ["model", "old-experiment"], ["dataset", "support-messages"]])
    await world.api(token, "POST", "/api/repos/create", { type, name, organization: "demo", private: name.startsWith("old") });
  await world.commit(token, "model", "demo/tiny-encoder", { "README.md": card, "config.json": '{"hidden_size": 384}\n',
    "folder/evil.html": "<script>window.stolen = true</script>", "folder/evil.svg": '<svg xmlns="http://www.w3.org/2000/svg" onload="stolen=1"/>' }, "First files");
  await world.commit(token, "model", "demo/tiny-encoder", { "notes.txt": "one\ntwo\n" }, "Add notes");
  await world.commit(token, "dataset", "demo/support-messages", { "README.md": "---\nlicense: cc-by-4.0\n---\n# Support messages\n\nShort ones.\n", "data/train.csv": "text,label\nhi,greeting\n" });
});
after(() => world?.close());

test("a stranger sees the start, the lists and a card, and nothing private", async () => {
  const page = await world.page();
  await page.goto(world.url);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.getByRole("link", { name: /tiny-encoder/ }).first().click();
  await page.getByRole("heading", { name: "Sentence encoder" }).waitFor();
  assert.equal(await page.getByText("old-experiment").count(), 0);
  await page.goto(`${world.url}/demo/old-experiment`);
  await page.getByText("There is no such model here").waitFor();
  assertQuiet(assert, world, page);
  await page.context().close();
});

test("a card cannot run, call out, or show a form", async () => {
  const page = await world.page();
  await page.goto(`${world.url}/demo/tiny-encoder`);
  await page.getByRole("heading", { name: "Sentence encoder" }).waitFor();
  await page.waitForTimeout(200);
  assert.equal(await page.evaluate(() => "stolen" in window), false);
  assert.equal(await page.locator(".markdown :is(script, iframe, form, input, [onerror], [style])").count(), 0);
  assert.equal(await page.locator('.markdown a[href^="javascript:"]').count(), 0);
  assert.equal(await page.getByText("badge").count(), 1, "a picture of another host is named, not fetched");
  assert.equal(await page.getByRole("link", { name: "Its configuration" }).getAttribute("href"), "/demo/tiny-encoder/blob/main/config.json");
  // Files that would run are sent so that they cannot.
  for (const name of ["evil.html", "evil.svg"]) {
    const answer = await page.request.get(`${world.url}/demo/tiny-encoder/resolve/main/folder/${name}`);
    assert.match(answer.headers()["content-disposition"], /^attachment/);
    assert.match(answer.headers()["content-security-policy"], /sandbox/);
    assert.equal(answer.headers()["x-content-type-options"], "nosniff");
  }
  // One answer that the card's own broken picture asks for is of this server.
  assert.deepEqual(page.asked.filter((url) => !url.startsWith(world.url)), []);
  await page.context().close();
});

test("the policy of every page names this server alone, and programs get no page", async () => {
  for (const path of ["/", "/login", "/demo/tiny-encoder", "/datasets/demo/support-messages/tree/main", "/registry/oncall", "/nobody-at-all"]) {
    const answer = await fetch(world.url + path, { headers: { Accept: "text/html" } });
    assert.equal(answer.status, 200, path);
    const policy = answer.headers.get("content-security-policy");
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/, path);
    assert.doesNotMatch(policy, /unsafe|http|\*/, path);
    const program = await fetch(world.url + path, { headers: { Accept: "*/*" } });
    assert.equal(program.status, 404, path);
    assert.match(program.headers.get("content-type"), /json/, path);
  }
});

test("signing in by password, a wrong one first, and out again", async () => {
  world.admin("user", "create", "paula", "--fullname", "Paula Password");
  const { execFileSync } = await import("node:child_process");
  execFileSync(process.env.HOLDFAST_PROGRAM ?? "build/holdfast", ["user", "password", "paula", "--data", world.data], { input: "correct horse\n" });
  const page = await world.page();
  await page.goto(`${world.url}/models`);
  await page.getByRole("link", { name: "Sign in" }).click();
  await world.shoot(page, "sign-in");
  await page.getByLabel("User name").fill("paula");
  await page.getByLabel("Password").fill("wrong horse");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("do not go together").waitFor();
  await page.getByLabel("Password").fill("correct horse");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${world.url}/models`);
  const cookies = await page.context().cookies();
  assert.equal(cookies.length, 1);
  assert.ok(cookies[0].httpOnly && cookies[0].sameSite === "Strict");
  assert.equal(await page.evaluate(() => document.cookie), "", "no script sees the session");
  await page.getByRole("button", { name: /Your menu/ }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("link", { name: "Sign in" }).waitFor();
  assert.equal((await page.context().cookies()).length, 0);
  assertQuiet(assert, world, page);
  await page.context().close();
});

test("a link signs in once, and lets switch among its people", async () => {
  const link = world.admin("user", "sign-in-link", "ada", "boris", "olga", "--url", world.url).trim();
  const page = await world.page();
  await page.goto(link);
  await page.getByText("Good to see you, Ada").waitFor();
  assert.ok(!page.url().includes("#"), "the secret leaves the address bar");
  await page.getByRole("button", { name: /Your menu/ }).click();
  await world.shoot(page, "switch");
  await page.getByRole("button", { name: "Boris Becker" }).click();
  await page.getByText("Good to see you, Boris").waitFor();
  const other = await world.page();
  await other.goto(link);
  await other.getByText("used already or is too old").waitFor();
  assertQuiet(assert, world, page);
  await page.context().close();
  await other.context().close();
});

test("home, lists and search", async () => {
  const page = await world.signedIn("ada");
  await page.getByRole("link", { name: /tiny-encoder/ }).first().waitFor();
  await world.shoot(page, "home");
  await page.keyboard.press("/");
  await page.keyboard.type("support");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: 'Results for "support"' }).waitFor();
  await page.getByRole("link", { name: /support-messages/ }).waitFor();
  await world.shoot(page, "search");
  await page.getByRole("link", { name: "Models", exact: true }).click();
  await page.getByRole("link", { name: /old-experiment/ }).waitFor();
  await page.getByLabel("Order").selectOption("createdAt");
  await page.waitForURL(/sort=createdAt/);
  await page.goto(`${world.url}/demo`);
  await page.getByRole("heading", { name: "Members" }).waitFor();
  await world.shoot(page, "organisation");
  await page.goto(`${world.url}/no/such-thing`);
  await page.getByText("There is no such model").waitFor();
  await world.shoot(page, "not-found");
  assertQuiet(assert, world, page);
  await page.context().close();
});

test("a repository: card, files, a file, history, upload", async () => {
  const page = await world.signedIn("ada");
  await page.goto(`${world.url}/demo/tiny-encoder`);
  await page.getByRole("heading", { name: "Sentence encoder" }).waitFor();
  page.complaints.length = 0; // The card's broken picture.
  await world.shoot(page, "card");
  await page.getByRole("link", { name: "Files", exact: true }).click();
  await page.getByRole("link", { name: "notes.txt", exact: true }).waitFor();
  await world.shoot(page, "files");
  await page.getByRole("link", { name: "notes.txt", exact: true }).click();
  await page.getByText("two").waitFor();
  await world.shoot(page, "file");
  await page.getByRole("navigation", { name: "Folders" }).getByRole("link", { name: "tiny-encoder" }).click();
  await page.getByRole("link", { name: "folder", exact: true }).click();
  await page.getByRole("link", { name: "evil.html", exact: true }).waitFor();
  await page.getByRole("link", { name: "..", exact: true }).click();
  await page.getByRole("button", { name: "Add files" }).click();
  const path = join(world.folder, "new.json");
  writeFileSync(path, '{"answer": 42}\n');
  await page.getByLabel("Files", { exact: true }).setInputFiles(path);
  await page.getByLabel("What changes").fill("Add an answer");
  await page.getByRole("button", { name: "Commit" }).click();
  await page.getByRole("link", { name: "new.json", exact: true }).waitFor();
  await page.getByRole("link", { name: "History", exact: true }).first().click();
  await page.getByText("Add an answer").waitFor();
  await world.shoot(page, "history");
  assertQuiet(assert, world, page);
  await page.context().close();
});

test("a card cannot call its own figures verified", async () => {
  const page = await world.signedIn("ada");
  await page.goto(`${world.url}/demo/tiny-encoder`);
  await page.getByText("Rank correlation").waitFor();
  await page.getByText("self-reported").waitFor();
  assert.equal(await page.getByText("verified by run").count(), 0);
  const info = await world.api(token, "GET", "/api/models/demo/tiny-encoder");
  for (const index of [info["model-index"], info.cardData["model-index"]]) assert.equal(index[0].results[0].metrics[0].verified, false);
  assertQuiet(assert, world, page);
  await page.context().close();
});

test("discussions and pull requests", async () => {
  const page = await world.signedIn("boris");
  await page.goto(`${world.url}/demo/tiny-encoder/discussions`);
  await page.getByText("Nothing is open").waitFor();
  await page.getByRole("link", { name: "Start a discussion" }).click();
  await page.getByLabel("Title").fill("Which languages does it know?");
  await page.getByLabel("What is it about").fill("I tried **German**.\n\n<img src=x onerror=alert(1)>");
  await page.getByRole("button", { name: "Start it" }).click();
  await page.getByRole("heading", { name: /Which languages/ }).waitFor();
  await page.getByLabel("Say something").fill("English alone.");
  await page.getByRole("button", { name: "Comment" }).click();
  await page.getByText("English alone.").first().waitFor();
  await world.shoot(page, "discussion");
  await page.getByRole("button", { name: "Close it" }).click();
  await page.getByRole("button", { name: "Open it again" }).waitFor();
  const made = await world.commit(token, "model", "demo/tiny-encoder", { "notes.txt": "one\nthree\n" }, "Change notes", "main?create_pr=1");
  const number = /discussions\/(\d+)/.exec(made.pullRequestUrl)[1];
  await page.goto(`${world.url}/demo/tiny-encoder/discussions/${number}`);
  await page.getByText("+three").waitFor();
  await world.shoot(page, "pull-request");
  await page.getByRole("button", { name: "Merge it" }).click();
  await page.getByText("merged", { exact: true }).first().waitFor();
  assertQuiet(assert, world, page);
  await page.context().close();
});

test("while a page is fetched, the page before it stays, and none before that comes back", async () => {
  const page = await world.signedIn("ada");
  let letGo;
  const held = new Promise((done) => (letGo = done));
  await page.route(/NewRepository[^/]*\.js$/, async (route) => {
    await held;
    await route.continue();
  });
  const link = page.getByRole("link", { name: "New repository" }).first();
  await link.click();
  await page.waitForURL(`${world.url}/new`);
  assert.equal(await page.getByLabel("User name").count(), 0, "the sign-in page came back");
  assert.equal(await link.isVisible(), true, "the page before is gone");
  letGo();
  await page.getByRole("button", { name: "Make the repository" }).waitFor();
  assertQuiet(assert, world, page);
  await page.context().close();
});

test("a new repository, its settings, its end", async () => {
  const page = await world.signedIn("ada");
  await page.getByRole("link", { name: "New repository" }).first().click();
  await page.getByLabel("Name").fill("fresh");
  await world.shoot(page, "new-repository");
  await page.getByRole("button", { name: "Make the repository" }).click();
  await page.getByText("Nothing here yet").waitFor();
  await world.shoot(page, "empty-repository");
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Make it public" }).click();
  await page.getByText("It is public now").waitFor();
  await world.shoot(page, "settings");
  await page.getByLabel("New name").fill("ada/fresher");
  await page.getByRole("button", { name: "Move it" }).click();
  await page.waitForURL(`${world.url}/ada/fresher/settings`);
  await page.getByLabel("Type ada/fresher to delete it").fill("ada/fresher");
  await page.getByRole("button", { name: "Delete this repository" }).click();
  await page.waitForURL(`${world.url}/ada`);
  assertQuiet(assert, world, page);
  await page.context().close();
});

test("an access token is shown once, works, and is revoked", async () => {
  const page = await world.signedIn("ada");
  await page.goto(`${world.url}/settings/tokens`);
  await page.getByLabel("Name").fill("laptop");
  await page.getByLabel("Works for").selectOption("30");
  await page.getByRole("button", { name: "Make the token" }).click();
  const value = await page.getByRole("status").locator("code").innerText();
  assert.match(value, /^hf_/);
  await world.shoot(page, "tokens");
  const whoami = await fetch(`${world.url}/api/whoami-v2`, { headers: { Authorization: `Bearer ${value}` } });
  assert.equal(whoami.status, 200);
  await page.reload();
  await page.getByText("laptop", { exact: true }).waitFor();
  assert.equal(await page.getByText(value).count(), 0);
  const row = page.getByRole("listitem").filter({ hasText: "laptop" });
  await row.getByRole("button", { name: "Revoke" }).click();
  await row.getByRole("button", { name: "Revoke it" }).click();
  await row.waitFor({ state: "detached" });
  assert.equal((await fetch(`${world.url}/api/whoami-v2`, { headers: { Authorization: `Bearer ${value}` } })).status, 401);
  assertQuiet(assert, world, page);
  await page.context().close();
});

test("every page can be walked with the keyboard and named by a screen reader", async () => {
  const page = await world.signedIn("ada");
  for (const path of ["/", "/models", "/demo", "/demo/tiny-encoder", "/demo/tiny-encoder/tree/main", "/settings/tokens", "/new", "/registry", "/registry/oncall", "/registry/review"]) {
    await page.goto(world.url + path);
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll("button, a[href], input, select, textarea")]
        .filter((element) => {
          const labels = "labels" in element && element.labels ? [...element.labels].map((label) => label.textContent).join("") : "";
          return !(element.getAttribute("aria-label") || element.textContent || labels || element.title).trim();
        })
        .map((element) => element.outerHTML.slice(0, 120)),
    );
    assert.deepEqual(nameless, [], path);
    assert.equal(await page.locator("h1").count(), 1, `one first heading on ${path}`);
    assert.ok((await page.title()).endsWith("Holdfast"), path);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wider <= 0, `${path} is wider than its window by ${wider}`);
  }
  await page.goto(world.url);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to the content");
  assert.ok(readdirSync(screens).length >= 30);
  await page.context().close();
});
