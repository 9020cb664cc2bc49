// The supply chain in a real browser: a hub in front of another hub, what it takes over, what a check stops at the door and
// a person lets in; where a model is from, by which licences, whose weights it holds and what stands on them; webhooks.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect, createServer as listen } from "node:net";
import { join } from "node:path";
import { after, before } from "node:test";
import { test } from "./told.mjs";
import { World, assertQuiet } from "./world.mjs";

// Looks up os.system: what every check of pickles knows.
const evil = Buffer.from("\x80\x02cos\nsystem\nU\x02id\x85R.", "latin1");
const key = `AK${"IAZ7QWERTYPLMNBVCX"}`;
const card = (license, more = "") => `---\nlicense: ${license}\n${more}---\n# A model\n\n## Uses\n\nSorting.\n`;
const token = "upstream-token-of-this-test";

// Between two hubs: what the far one sends passes at a pace of bytes a second, and can be cut off.
async function relayTo(url) {
  const far = new URL(url);
  const relay = { pace: Infinity, open: new Set() };
  relay.server = listen((near) => {
    const there = connect(Number(far.port), far.hostname);
    for (const [one, other] of [[near, there], [there, near]]) {
      relay.open.add(one);
      one.on("close", () => (relay.open.delete(one), other.destroy()));
      one.on("error", () => other.destroy());
    }
    near.pipe(there);
    there.on("data", (piece) => {
      near.write(piece);
      if (relay.pace === Infinity) return;
      there.pause();
      setTimeout(() => there.resume(), (1000 * piece.length) / relay.pace);
    });
  });
  await new Promise((done) => relay.server.listen(0, "127.0.0.1", done));
  relay.url = `http://127.0.0.1:${relay.server.address().port}`;
  relay.cut = () => relay.open.forEach((one) => one.destroy());
  return relay;
}

let upstream; // The hub in front of which `world` stands.
let relay; // And what lies between the two.
let world;
let page; // Rosa's, who administers the instance.
const tokens = {};

// Tensors of random bytes under names.
function safetensors(tensors) {
  const header = {};
  let at = 0;
  for (const [name, bytes] of Object.entries(tensors)) {
    header[name] = { dtype: "F16", shape: [bytes.length / 2], data_offsets: [at, (at += bytes.length)] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...Object.values(tensors)]);
}
function push(at, name, files, who = "ada") {
  const folder = join(at.folder, name.replace("/", "-"));
  mkdirSync(folder, { recursive: true });
  for (const [path, bytes] of Object.entries(files)) writeFileSync(join(folder, path), bytes);
  at.client(at.token(who), "upload", name, folder, "--create");
}
const api = (who, method, path, body) => world.api(tokens[who], method, path, body);
async function fill(values, button) {
  const dialog = page.getByRole("dialog");
  for (const [label, value] of Object.entries(values)) {
    const field = dialog.getByLabel(label).first();
    if ((await field.evaluate((element) => element.tagName)) === "SELECT") await field.selectOption(value);
    else await field.fill(value);
  }
  await dialog.getByRole("button", { name: button, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}
// What the API says of one revision, once it is in that state.
async function arrival(repository, state) {
  for (;;) {
    const found = (await api("root", "GET", "/api/mirror/revisions")).revisions.find((one) => one.repository === repository);
    if (found?.state === state) return found;
    assert.ok(!found || found.state === "fetching", `${repository} is ${found?.state}: ${found?.detail}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

before(async () => {
  upstream = await World.open({ options: ["--checks.pickle", "warn"], browser: false });
  push(upstream, "demo/good", { "README.md": card("apache-2.0", "base_model: demo/base\ndatasets: [demo/mails]\n"), "config.json": "{}\n", "model.safetensors": safetensors({ a: randomBytes(60_000) }) });
  push(upstream, "demo/evil", { "README.md": card("mit"), "weights.pkl": evil });
  relay = await relayTo(upstream.url);
  world = await World.open({ options: ["--webhooks.private-addresses"] });
  world.admin("user", "create", "root", "--admin", "--fullname", "Rosa Root");
  for (const name of ["ada", "boris", "root"]) tokens[name] = world.token(name);
  page = await world.signedIn("root");
});
after(async () => {
  await world?.close();
  relay?.cut();
  relay?.server.close();
  await upstream?.close();
});

test("an upstream is added with its rules, and nobody reads its token again", async () => {
  await page.goto(`${world.url}/registry/supply/upstreams`);
  await page.getByText("This hub stands alone").waitFor();
  await page.getByRole("button", { name: "Add an upstream" }).click();
  await fill({ Name: "far", Address: relay.url, Namespaces: "mirror=demo", Allowed: "demo/*", Denied: "demo/private-*", "Looked at again": "every day", "Its token": token }, "Add it");
  const row = page.getByRole("list", { name: "Upstreams" }).getByRole("listitem").filter({ hasText: "mirror=demo" });
  for (const text of ["demo/private-*", "every day", "stays at what first came", "upstream-far"]) await row.getByText(text, { exact: true }).waitFor();
  await world.shoot(page, "upstreams");
  const [kept] = (await api("root", "GET", "/api/upstreams")).upstreams;
  assert.deepEqual([kept.allow, kept.deny, kept.secret, kept.everySeconds, kept.follow], ["demo/*", "demo/private-*", "upstream-far", 86400, false]);
  assert.ok(!(await page.content()).includes(token), "the token is nowhere on the page");
  // What is edited keeps what is not; the token of the test is none of the other hub's, so it is taken away.
  await row.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("dialog").getByLabel("Denied").waitFor();
  assert.equal(await page.getByRole("dialog").locator("input[type=password]").count(), 0, "a token is not among what is edited");
  await fill({ Denied: "demo/secret-*" }, "Save it");
  await row.getByText("demo/secret-*", { exact: true }).waitFor();
  await api("root", "PUT", "/api/upstreams/far", { ...kept, deny: "demo/secret-*", secret: "" });
  // A refusal stands in the dialog that asked.
  await page.getByRole("button", { name: "Add an upstream" }).click();
  const dialog = page.getByRole("dialog");
  for (const [label, value] of Object.entries({ Name: "second", Address: "https://hub.example.org", Namespaces: "mirror" })) await dialog.getByLabel(label).first().fill(value);
  await dialog.getByRole("button", { name: "Add it" }).click();
  await dialog.getByRole("alert").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assertQuiet(assert, world, page);
});

test("an import goes on with rate and time left, and says why where it fails", async () => {
  await page.goto(`${world.url}/registry/supply/imports`);
  await page.getByText("Nothing came from an upstream yet").waitFor();
  await page.getByRole("button", { name: "Import a repository" }).click();
  await fill({ Repository: "mirror/good" }, "Import it");
  const row = page.getByRole("list", { name: "Imports" }).getByRole("listitem").filter({ hasText: "mirror/good" });
  await row.getByText("done", { exact: true }).waitFor();
  await row.getByText("licence apache-2.0").waitFor();
  // On its way, through a line that is slow; then the line is cut and the repository is gone before it is back.
  push(upstream, "demo/huge", { "README.md": card("mit"), "model.safetensors": safetensors({ a: randomBytes(24_000_000) }) });
  relay.pace = 3_000_000;
  await page.getByRole("button", { name: "Import a repository" }).click();
  await fill({ Repository: "mirror/huge" }, "Import it");
  const huge = page.getByRole("list", { name: "Imports" }).getByRole("listitem").filter({ hasText: "mirror/huge" });
  await huge.getByText(/\/s, .* left/).waitFor();
  const share = async () => Number(await huge.getByRole("progressbar").getAttribute("aria-valuenow"));
  const first = await share();
  await page.waitForFunction((than) => Number(document.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow")) > than, first);
  const [on] = (await api("root", "GET", "/api/mirror/revisions?state=fetching")).revisions;
  assert.ok(on.bytesHere > 0 && on.bytesHere < on.bytes, `${on.bytesHere} of ${on.bytes}`);
  assert.ok((await share()) <= Math.ceil((100 * on.bytes) / on.bytes), "what is shown is of what comes");
  await world.shoot(page, "imports-on-the-way");
  relay.pace = Infinity;
  const gone = await fetch(`${upstream.url}/api/repos/delete`, { method: "DELETE", body: JSON.stringify({ type: "model", name: "huge", organization: "demo" }), headers: { Authorization: `Bearer ${upstream.token("boris")}`, "Content-Type": "application/json" } });
  assert.equal(gone.status, 200, await gone.text());
  relay.cut();
  await huge.getByText("failed", { exact: true }).waitFor();
  const failed = (await api("root", "GET", "/api/mirror/revisions")).revisions.find((one) => one.repository === "mirror/huge");
  assert.equal(failed.state, "failed");
  await huge.getByText(failed.detail).waitFor();
  await world.shoot(page, "imports");
  await page.route("**/api/mirror/revisions", (route) => route.fulfill({ status: 500, json: { error: "the disk is gone" } }));
  await page.reload();
  await page.getByRole("alert").getByText("the disk is gone").waitFor();
  await page.unrouteAll();
  await page.getByRole("button", { name: "Try again" }).click();
  await row.waitFor();
  assertQuiet(assert, world, page);
});

test("what a check stopped at the door is let in by a person, who says why, and the audit log has it", async () => {
  await api("root", "POST", "/api/mirror/revisions", { repository: "mirror/evil" });
  await arrival("mirror/evil", "quarantined");
  const before = await fetch(`${world.url}/mirror/evil/resolve/main/weights.pkl`);
  assert.equal(before.status, 403, "quarantined bytes are served to nobody");
  await page.goto(world.url);
  await page.getByRole("link", { name: /1 stopped at the door/ }).click();
  const row = page.getByRole("list", { name: "Stopped at the door" }).getByRole("listitem").filter({ hasText: "mirror/evil" });
  for (const text of ["weights.pkl", "administrators of this instance"]) await row.getByText(text, { exact: true }).waitFor();
  await row.getByText(/os\.system/).waitFor();
  await world.shoot(page, "quarantine");
  // Thrown away it is gone, and whoever asks again has it looked at again.
  await row.getByRole("button", { name: "Throw it away" }).click();
  await fill({}, "Throw it away");
  await page.getByText("Nothing is stopped at the door").waitFor();
  await page.getByText("mirror.discarded").waitFor();
  await api("root", "POST", "/api/mirror/revisions", { repository: "mirror/evil" });
  await arrival("mirror/evil", "quarantined");
  await page.reload();
  await row.getByRole("button", { name: "Release it" }).click();
  const dialog = page.getByRole("dialog");
  // Without a reason nothing happens.
  await dialog.getByRole("button", { name: "Release it" }).click();
  assert.equal(await dialog.isVisible(), true);
  await fill({ "Why it may come in": "It is the sample of our own red team." }, "Release it");
  await page.getByRole("link", { name: "Its entry in the audit log" }).click();
  const entry = page.getByRole("listitem").filter({ hasText: "mirror.released" });
  await entry.getByText("It is the sample of our own red team.").waitFor();
  await entry.getByText("by root").waitFor();
  await world.shoot(page, "audit-log");
  await arrival("mirror/evil", "done");
  const now = await fetch(`${world.url}/mirror/evil/resolve/main/weights.pkl`);
  assert.ok(Buffer.from(await now.arrayBuffer()).equals(evil));
  assertQuiet(assert, world, page);
});

test("what is held says where and why, on the desk and above every tab of the repository", async () => {
  await api("ada", "POST", "/api/repos/create", { type: "model", name: "leaky", organization: "demo" });
  await world.commit(tokens.ada, "model", "demo/leaky", { "README.md": card("mit"), "deploy.env": `region=eu\nkey=${key}\n` });
  await page.goto(`${world.url}/registry/supply`);
  const row = page.getByRole("list", { name: "Held in this hub" }).getByRole("listitem").filter({ hasText: "demo/leaky" }).first();
  await row.getByRole("link", { name: "deploy.env" }).waitFor();
  await row.getByText(", line 2").waitFor();
  await row.getByRole("link", { name: "demo/leaky" }).click();
  await page.getByRole("note").getByText("Held: no gate lets this revision pass.").waitFor();
  await world.shoot(page, "held-repository");
  await page.getByRole("note").getByRole("link", { name: "What was found" }).click();
  await page.waitForURL(`${world.url}/demo/leaky/checks`);
  // Who administers it lets it go on, with a reason; the next commit is held again.
  await page.goto(`${world.url}/registry/supply`);
  await row.getByRole("button", { name: "Release it" }).click();
  const ask = page.getByRole("dialog");
  await ask.getByLabel("Why it may go on").fill("The key is an example.");
  await ask.getByRole("button", { name: "Release it" }).click();
  await page.getByRole("status").getByText("demo/leaky is held no more").waitFor();
  await row.waitFor({ state: "detached" });
  await page.goto(`${world.url}/demo/leaky/checks`);
  await page.getByText("The key is an example.").waitFor();
  await world.commit(tokens.ada, "model", "demo/leaky", { "more.txt": "more\n" }, "More");
  // Who does not administer the instance sees what is held where he may look, and none of the rest.
  const other = await world.signedIn("boris");
  await other.goto(`${world.url}/registry/supply`);
  await other.getByRole("list", { name: "Held in this hub" }).getByText("demo/leaky").first().waitFor();
  assert.equal(await other.getByRole("link", { name: "Upstreams" }).count(), 0);
  assert.equal(await other.getByText("Stopped at the door").count(), 0);
  await other.goto(`${world.url}/registry/supply/log`);
  await other.getByRole("alert").getByText("audit log is read by administrators").waitFor();
  await other.goto(`${world.url}/registry/supply/log?subject=model:demo/leaky`);
  await other.getByText("repo.created").waitFor();
  await other.context().close();
  // A mended revision is not held.
  await world.commit(tokens.ada, "model", "demo/leaky", { "deploy.env": "region=eu\n" }, "Take the key out");
  await page.goto(`${world.url}/registry/supply`);
  await page.getByRole("list", { name: "Held in this hub" }).getByText("mirror/evil").first().waitFor(); // Let in, and held from releases all the same.
  assert.equal(await row.count(), 0);
  await page.route("**/api/held", (route) => route.fulfill({ status: 503, json: { error: "the scans are behind" } }));
  await page.reload();
  await page.getByRole("alert").getByText("the scans are behind").waitFor();
  await page.unrouteAll();
  assertQuiet(assert, world, page);
});

test("where a model is from, by which licences, and whose weights it holds", async () => {
  await page.goto(`${world.url}/mirror/good/origin`);
  const origin = await api("root", "GET", "/api/models/mirror/good/provenance");
  await page.getByText(origin.revisions[0].remoteCommit).waitFor();
  await page.getByText(origin.revisions[0].digest).waitFor();
  await page.getByText("the files are those of the upstream, byte for byte").waitFor();
  await world.shoot(page, "origin-mirrored");
  await page.getByText("A person decides").waitFor();
  const chain = page.getByRole("list", { name: "Licences of its parts" });
  await chain.getByRole("listitem").filter({ hasText: "demo/base" }).getByText("names no licence: a person must decide").waitFor();
  await page.getByText("not legal advice").waitFor();
  // Another licence, another use, another decision.
  await api("ada", "POST", "/api/repos/create", { type: "model", name: "nc", organization: "demo" });
  await world.commit(tokens.ada, "model", "demo/nc", { "README.md": card("cc-by-nc-4.0") });
  await page.goto(`${world.url}/demo/nc/origin`);
  await page.getByText("Unknown source.").waitFor();
  await page.getByText("Refused for this use.").waitFor();
  const clause = (await api("ada", "GET", "/api/models/demo/nc/checks/main")).license.reasons[0].clause;
  await page.getByText(clause, { exact: true }).first().waitFor();
  await page.getByLabel("Intended use").selectOption("research");
  await page.getByText(/^Allowed for this use/).waitFor();
  // A copy under another name, half of which is of its own.
  const shared = randomBytes(80_000);
  push(world, "demo/original", { "README.md": card("mit"), "model.safetensors": safetensors({ one: shared, two: randomBytes(80_000) }) });
  push(world, "demo/renamed", { "README.md": card("mit"), "weights.safetensors": safetensors({ uno: shared, dos: randomBytes(80_000) }) });
  await api("root", "POST", "/api/endpoints/demo", { name: "sorter", model: "demo/original", revision: "main", url: upstream.url, engine: "tei" });
  for (const name of ["original", "renamed"]) await api("ada", "GET", `/api/models/demo/${name}/relatives`); // Whatever is asked about is indexed.
  await page.goto(`${world.url}/demo/renamed/origin`);
  const kin = page.getByRole("list", { name: "Relatives" }).getByRole("listitem").filter({ hasText: "demo/original" });
  await kin.getByText("undeclared", { exact: true }).waitFor();
  await kin.getByText("may be what this was made from").waitFor();
  await page.getByText("1 undeclared").waitFor();
  await page.getByRole("heading", { name: "What stands on these bytes" }).waitFor();
  await page.getByRole("link", { name: "demo/sorter" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "demo/sorter" }).getAttribute("href"), "/registry/endpoints/demo/sorter");
  await world.shoot(page, "origin");
  await page.goto(`${world.url}/registry/supply/holders`);
  await page.getByLabel("SHA-256 of a file, or a repository").fill("demo/original");
  await page.getByRole("button", { name: "Who holds it" }).click();
  await page.getByRole("link", { name: "demo/renamed" }).waitFor();
  await page.getByRole("link", { name: "demo/sorter" }).waitFor();
  await world.shoot(page, "holders");
  await page.getByLabel("SHA-256 of a file, or a repository").fill("nonsense");
  await page.getByRole("button", { name: "Who holds it" }).click();
  await page.getByRole("alert").getByText("Ask by a SHA-256").waitFor();
  assertQuiet(assert, world, page);
});

test("a card's gaps and faults by line, and what changed of it by section", async () => {
  await api("ada", "POST", "/api/repos/create", { type: "model", name: "written", organization: "demo" });
  await world.commit(tokens.ada, "model", "demo/written", { "README.md": "---\nlicense: other\n---\n# Sorter\n\n## Uses\n\nSorting mail.\n\n## Training\n\nOn mails.\n" }, "A card");
  await page.goto(`${world.url}/demo/written`);
  const state = page.getByRole("region", { name: "State of the card" });
  await state.getByText("line 2").waitFor();
  await state.getByText("license: other needs license_name").waitFor();
  await state.getByText(/Citation/).waitFor();
  await world.commit(tokens.ada, "model", "demo/written", { "README.md": "---\nlicense: mit\n---\n# Sorter\n\n## Uses\n\nSorting mail.\nNot of people.\n\n## Limitations\n\nEnglish alone.\n" }, "Say more");
  await page.goto(`${world.url}/demo/written`);
  await state.getByRole("link", { name: "What changed between revisions" }).click();
  const changes = page.getByRole("list", { name: "Changes of the card" });
  const part = (name) => changes.getByRole("listitem").filter({ has: page.getByRole("heading", { name, exact: true }) });
  await part("license").getByText("changed", { exact: true }).waitFor();
  await part("Sorter / Limitations").getByText("added", { exact: true }).waitFor();
  await part("Sorter / Training").getByText("removed", { exact: true }).waitFor();
  await part("Sorter / Uses").getByText("Not of people.").waitFor();
  assert.equal(await part("Sorter").count(), 0, "what stayed is not among the changes");
  await world.shoot(page, "card-changes");
  await page.route("**/card-diff?*", (route) => route.fulfill({ status: 500, json: { error: "the card cannot be read" } }));
  await page.reload();
  await page.getByRole("alert").getByText("the card cannot be read").waitFor();
  await page.unrouteAll();
  assertQuiet(assert, world, page);
});

test("a webhook: its secret once, what it was told, and telling it again", async () => {
  let status = 404; // Tried again only later: until then it is pending, with what was answered.
  const heard = [];
  const receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => (body += piece));
    request.on("end", () => {
      heard.push({ secret: request.headers["x-webhook-secret"], body: JSON.parse(body) });
      response.writeHead(status).end(status === 200 ? "thanks" : "not now");
    });
  });
  await new Promise((done) => receiver.listen(0, "127.0.0.1", done));
  try {
    await page.goto(`${world.url}/settings/webhooks`);
    await page.getByText("No webhooks yet").waitFor();
    await page.getByLabel("Address").fill(`http://127.0.0.1:${receiver.address().port}/hook`);
    await page.getByLabel("What it hears of").fill("org:demo");
    await page.getByRole("button", { name: "Make the webhook" }).click();
    const secret = await page.getByRole("status").locator("code").innerText();
    assert.match(secret, /^[0-9a-f]{48}$/);
    await world.shoot(page, "webhooks");
    await page.reload();
    const row = page.getByRole("list", { name: "Your webhooks" }).getByRole("listitem");
    await row.getByText("signed", { exact: true }).waitFor();
    assert.ok(!(await page.content()).includes(secret), "the secret is shown once");
    await api("ada", "POST", "/api/repos/create", { type: "model", name: "told", organization: "demo" });
    await row.getByRole("link", { name: "Deliveries" }).click();
    await page.getByRole("heading", { level: 1, name: "Deliveries" }).waitFor();
    const list = page.getByRole("list", { name: "Deliveries" });
    const first = list.getByRole("listitem").filter({ hasText: "demo/told" }).last();
    for (;;) {
      await page.reload();
      await page.getByRole("heading", { level: 1, name: "Deliveries" }).waitFor();
      await list.or(page.getByText("Nothing was told yet")).first().waitFor();
      if ((await first.count()) > 0 && (await first.getByText("404").count()) > 0) break;
    }
    await first.getByText("pending", { exact: true }).waitFor();
    assert.equal(heard[0].secret, secret);
    await world.shoot(page, "deliveries");
    status = 200;
    await first.getByRole("button", { name: "Send again" }).click();
    await list.getByRole("listitem").filter({ hasText: "delivered" }).first().waitFor();
    await page.goto(`${world.url}/settings/webhooks`);
    await row.getByRole("button", { name: "Turn off" }).click();
    await row.getByText("off", { exact: true }).waitFor();
    await row.getByRole("button", { name: "Delete" }).click();
    await row.getByRole("button", { name: "Delete it" }).click();
    await page.getByText("No webhooks yet").waitFor();
    await page.getByLabel("Address").fill("https://hooks.example.org/x");
    await page.getByLabel("What it hears of").fill("planet:mars");
    await page.getByRole("button", { name: "Make the webhook" }).click();
    await page.getByRole("alert").waitFor();
    assertQuiet(assert, world, page);
  } finally {
    receiver.closeAllConnections();
    receiver.close();
  }
});

test("what was deleted says so, what stands on it is named, and a token that was found is told to its owner", async () => {
  await api("ada", "POST", "/api/repos/create", { type: "model", name: "gone", organization: "demo" });
  const deleted = await fetch(`${world.url}/api/repos/delete`, { method: "DELETE", body: JSON.stringify({ type: "model", name: "gone", organization: "demo" }), headers: { Authorization: `Bearer ${tokens.root}`, "Content-Type": "application/json" } });
  assert.equal(deleted.status, 200);
  await page.goto(`${world.url}/demo/gone`);
  await page.getByText("demo/gone was deleted on 20").waitFor();
  // An endpoint stands on this one, so that its content stays (a release: story.test.mjs).
  push(world, "demo/stands", { "README.md": card("mit"), "config.json": "{}\n" });
  await api("root", "POST", "/api/endpoints/demo", { name: "waiter", model: "demo/stands", revision: "main", url: upstream.url, engine: "tei" });
  await page.goto(`${world.url}/demo/stands/settings`);
  await page.getByLabel("Type demo/stands to delete it").fill("demo/stands");
  await page.getByRole("button", { name: "Delete this repository" }).click();
  await page.getByRole("status").getByText(/still stands? on it/).waitFor();
  assert.equal(await page.getByRole("list", { name: "What stands on it" }).getByRole("link", { name: "demo/waiter" }).getAttribute("href"), "/registry/endpoints/demo/waiter");
  await world.shoot(page, "deleted-and-stood-on");
  await api("ada", "POST", "/api/repos/create", { type: "model", name: "spilt", organization: "demo" });
  await assert.rejects(world.commit(tokens.ada, "model", "demo/spilt", { "notes.txt": `I use ${world.token("root")}\n` }), /it is revoked/);
  await page.goto(`${world.url}/settings/tokens`);
  await page.getByRole("alert").getByText("was found in notes.txt and is revoked").waitFor();
  await world.shoot(page, "tokens-leaked");
  // A rule for the age of tokens: what is older is marked, and what to do about it said.
  world.admin("token", "age", "set", "--warn", "1s", "--end", "90d");
  world.admin("token", "create", "--user", "root", "--name", "worn", "--role", "read", "--expires", "400d");
  const worn = page.getByRole("listitem").filter({ hasText: "worn" });
  for (let i = 0; i < 40; ++i) {
    await page.reload();
    await worn.waitFor();
    if ((await worn.getByText("growing old").count()) > 0) break;
  }
  await worn.getByText("By the rule of this server, it will work no more then.").waitFor();
  await world.shoot(page, "tokens-ageing");
  world.admin("token", "age", "clear");
  assertQuiet(assert, world, page);
});

test("the inventory shows what the hub holds and what lies unmanaged on a machine, until somebody pushes it", async () => {
  const weights = (seed) => safetensors({ w: Buffer.alloc(64, seed) });
  push(world, "demo/known", { "README.md": card("apache-2.0"), "model.safetensors": weights(41) });
  await api("root", "POST", "/api/endpoints/demo", { name: "cook", model: "demo/known", revision: "main", url: upstream.url, engine: "tei" });
  const found = join(world.folder, "found");
  for (const [folder, files] of Object.entries({ kept: { "model.safetensors": weights(41) }, stray: { "model.safetensors": weights(42) }, mixed: { "a.safetensors": weights(41), "b.safetensors": weights(43) } })) {
    mkdirSync(join(found, folder), { recursive: true });
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(found, folder, name), bytes);
  }
  await page.goto(`${world.url}/registry/supply/inventory`);
  await page.getByText("No machine told what lies on it").waitFor();
  world.client(tokens.ada, "inventory", found, "--report", "gpu-3");
  await page.reload();
  const there = page.getByRole("list", { name: "On gpu-3" });
  await there.waitFor();
  const rows = await there.getByRole("listitem").allInnerTexts();
  assert.deepEqual(rows.map((row) => row.trim().split(/\s+/)[0]), ["unmanaged", "altered", "managed"], "what nobody manages comes first");
  assert.match(rows[0], /found\/stray[\s\S]*nothing here has these bytes/);
  assert.match(rows[1], /found\/mixed[\s\S]*1 of them as in demo\/known/);
  await page.getByText("1 unmanaged, 1 altered, 1 managed").waitFor();
  const hub = page.getByRole("list", { name: "On this hub" });
  const known = hub.getByRole("listitem").filter({ hasText: "demo/known" });
  assert.match(await known.innerText(), /licence apache-2\.0 · owner demo · never validated/);
  await world.shoot(page, "inventory");
  await page.getByLabel("Which").selectOption("unlicensed");
  await known.waitFor({ state: "detached" });
  await page.getByLabel("Which").selectOption("used");
  await known.getByText("used by endpoint demo/cook").waitFor();
  await page.getByLabel("Kind").selectOption("dataset");
  await known.waitFor({ state: "detached" });
  push(world, "demo/adopted", { "README.md": card("mit"), "model.safetensors": weights(42), "other.safetensors": weights(43) });
  await page.reload();
  await page.getByText("0 unmanaged, 0 altered, 3 managed").waitFor();
  await page.getByRole("button", { name: "Forget", exact: true }).click();
  await page.getByRole("button", { name: "Forget it" }).click();
  await page.getByText("No machine told what lies on it").waitFor();
  assertQuiet(assert, world, page);
});

test("every page of the supply chain fits its window, has one first heading and a name for each control", async () => {
  for (const path of ["/registry/supply", "/registry/supply/imports", "/registry/supply/upstreams", "/registry/supply/changes", "/registry/supply/inventory", "/registry/supply/holders?of=demo/original", "/registry/supply/log", "/settings/webhooks", "/demo/renamed/origin", "/demo/written/card", "/registry/batches"]) {
    await page.goto(world.url + path);
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    await page.locator(".skeleton").first().waitFor({ state: "detached" });
    assert.equal(await page.locator("h1").count(), 1, `one first heading on ${path}`);
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll("button, a[href], input, select, textarea")]
        .filter((element) => !(element.getAttribute("aria-label") || element.textContent || ("labels" in element && element.labels ? [...element.labels].map((label) => label.textContent).join("") : "") || element.title).trim())
        .map((element) => element.outerHTML.slice(0, 120)),
    );
    assert.deepEqual(nameless, [], path);
    for (const width of [1440, 1280, 920, 390, 320]) {
      await page.setViewportSize({ width, height: 860 });
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wider <= 0, `${path} is wider than a window of ${width} by ${wider}`);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
  }
  // A stranger is asked to sign in.
  const stranger = await world.page();
  for (const path of ["/registry/supply", "/settings/webhooks", "/registry/batches"]) {
    await stranger.goto(world.url + path);
    await stranger.getByText(/Sign in to see/).waitFor();
  }
  assertQuiet(assert, world, stranger);
  await stranger.context().close();
  assertQuiet(assert, world, page);
});
