// A server of its own and a browser for the tests of the pages. Every request that the browser makes is noted, so that
// a test can show that none leaves the server; every complaint of the browser's console is a failure.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const program = process.env.HOLDFAST_PROGRAM ?? join(root, "build/holdfast");
export const screens = join(root, "build/ui/screens");
const chromium = "/usr/bin/chromium";
const wide = { width: 1440, height: 900 };
const narrow = { width: 420, height: 860 };

// Exit 77 is a skip that says what is missing; CI refuses it.
export function need(what, isThere) {
  if (isThere) return;
  console.error(`${what} is missing: ./dev test installs and builds it`);
  process.exit(process.env.HOLDFAST_NO_SKIP === "1" ? 1 : 77);
}

export class World {
  static pages = []; // Every page opened and not yet known to be closed.
  // `options` of the server. `browser: false`: a hub beside another, looked at by nobody.
  static async open({ options = [], browser = true } = {}) {
    need(program, existsSync(program));
    need(chromium, existsSync(chromium));
    need("ui/node_modules", existsSync(join(root, "ui/node_modules/playwright-core")));
    const world = new World();
    world.options = options;
    world.folder = mkdtempSync(join(tmpdir(), "holdfast-ui-"));
    world.data = join(world.folder, "data");
    mkdirSync(screens, { recursive: true });
    world.admin("user", "create", "ada", "--fullname", "Ada Lovelace");
    world.admin("user", "create", "boris", "--fullname", "Boris Becker");
    world.admin("user", "create", "olga", "--fullname", "Olga Onduty");
    world.admin("org", "create", "demo");
    for (const [name, role] of [["ada", "write"], ["boris", "admin"], ["olga", "write"]])
      world.admin("org", "member", "add", "demo", name, "--role", role);
    await world.serve();
    if (browser) await world.browse();
    return world;
  }

  admin(...words) {
    return execFileSync(program, [...words, "--data", this.data], { encoding: "utf8", cwd: this.folder });
  }
  token(user) {
    return JSON.parse(this.admin("token", "create", "--user", user, "--name", "tests", "--role", "write", "--json")).token;
  }
  client(token, ...words) {
    return execFileSync(program, words, { encoding: "utf8", cwd: this.folder,
      env: { ...process.env, HF_ENDPOINT: this.url, HF_TOKEN: token, HF_HOME: join(this.folder, "home") } });
  }
  async api(token, method, path, body, type = "application/json") {
    const response = await fetch(this.url + path, { method, body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { Authorization: `Bearer ${token}`, "Content-Type": type } });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
  // Small files as one commit.
  async commit(token, type, name, files, summary = "Add files", branch = "main") {
    const lines = [{ key: "header", value: { summary, description: "" } },
      ...Object.entries(files).map(([path, text]) => ({ key: "file", value: { path, content: Buffer.from(text).toString("base64"), encoding: "base64" } }))];
    return this.api(token, "POST", `/api/${type}s/${name}/commit/${branch}`, lines.map((line) => JSON.stringify(line)).join("\n"), "application/x-ndjson");
  }

  async serve() {
    this.server = spawn(program, ["serve", "--listen", "127.0.0.1:0", "--data", this.data, "--json", ...this.options], { stdio: ["ignore", "pipe", "ignore"] });
    this.url = await new Promise((done, failed) => {
      let text = "";
      this.server.stdout.on("data", (piece) => {
        text += piece;
        const found = /"event":"listening","url":"([^"]+)"/.exec(text);
        if (found) done(found[1]);
      });
      this.server.on("exit", (code) => failed(new Error(`the server ended (${code}): ${text}`)));
    });
  }

  async browse() {
    const playwright = createRequire(join(root, "ui/package.json"))("playwright-core");
    this.browser = await playwright.chromium.launch({ executablePath: chromium,
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"] });
  }
  // A page in a browser of its own, whose requests and complaints are kept.
  async page(options = {}) {
    const context = await this.browser.newContext({ viewport: wide, reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    page.asked = [];
    page.complaints = [];
    page.answers = [];
    page.on("request", (request) => page.asked.push(request.url()));
    page.on("response", (response) => page.answers.push(`${response.status()} ${response.request().method()} ${response.url()}`));
    page.on("requestfailed", (request) => page.answers.push(`${request.failure()?.errorText} ${request.method()} ${request.url()}`));
    page.on("console", (message) => {
      // A status that the page handles is not a complaint of the page.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) page.complaints.push(message.text());
    });
    page.on("pageerror", (error) => page.complaints.push(String(error)));
    page.setDefaultTimeout(30_000);
    World.pages.push(page);
    return page;
  }
  async signedIn(...names) {
    const page = await this.page();
    await page.goto(this.admin("user", "sign-in-link", ...names, "--url", this.url).trim());
    await page.waitForURL(`${this.url}/`);
    return page;
  }
  // Kept in build/ui/screens at two widths, light and dark.
  async shoot(page, name) {
    for (const [size, word] of [[wide, "wide"], [narrow, "narrow"]])
      for (const scheme of ["light", "dark"]) {
        if (word === "narrow" && scheme === "dark") continue;
        await page.setViewportSize(size);
        await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
        // A dialog stands over what is in view; else the whole page, from its top.
        const fullPage = (await page.getByRole("dialog").count()) === 0;
        if (fullPage) await page.evaluate(() => window.scrollTo(0, 0));
        await page.waitForTimeout(120);
        await page.screenshot({ path: join(screens, `${name}-${word}-${scheme}.png`), fullPage });
      }
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await page.setViewportSize(wide);
    // A click aims where a thing stands: it must stand where the wide window puts it, two frames on.
    await page.waitForFunction((width) => window.innerWidth === width, wide.width);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));
  }

  async close() {
    await this.browser?.close();
    if (this.server && this.server.exitCode === null) {
      this.server.removeAllListeners("exit");
      const gone = new Promise((done) => this.server.on("exit", done));
      this.server.kill("SIGTERM");
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// Nothing was asked of another host, and the browser had nothing to complain about.
export function assertQuiet(assert, world, page) {
  const far = page.asked.filter((url) => !url.startsWith(world.url) && !url.startsWith("data:") && !url.startsWith("blob:"));
  assert.deepEqual(far, [], "requests to another host");
  assert.deepEqual(page.complaints, [], "complaints of the browser");
}
