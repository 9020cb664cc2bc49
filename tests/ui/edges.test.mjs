// Where pages break: ten thousand files, a card without end, names as long as they may be, a server that fails, another
// person's right; and every dialog by the keyboard alone.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { test } from "./told.mjs";
import { World, assertQuiet } from "./world.mjs";

const long = "a-name-".repeat(13).slice(0, 90); // 96 characters are allowed.
const files = 10_000;
let world;
let token;

before(async () => {
  world = await World.open();
  token = world.token("ada");
  for (const name of ["many-files", "huge-card", long]) await world.api(token, "POST", "/api/repos/create", { type: "model", name, organization: "demo" });
  for (let from = 0; from < files; from += 2500)
    await world.commit(token, "model", "demo/many-files", Object.fromEntries(Array.from({ length: 2500 }, (_, index) => [`part-${String(from + index).padStart(5, "0")}.txt`, `${from + index}\n`])), `Files from ${from}`);
  const paragraph = "A sentence that says little, but says it at length, so that a page of it has to be scrolled. ".repeat(8);
  await world.commit(token, "model", "demo/huge-card", { "README.md": `---\nlicense: mit\n---\n# A card without end\n\n${Array.from({ length: 200 }, (_, index) => `## Part ${index}\n\n${paragraph}\n\n| ${"column | ".repeat(30)}\n|${"---|".repeat(30)}\n| ${"a value | ".repeat(30)}\n`).join("\n")}\n# The last line\n` });
  await world.commit(token, "model", `demo/${long}`, { [`${"folder-of-a-name-".repeat(5)}/${"file".repeat(40)}.txt`]: "x".repeat(4000), "README.md": `---\nlicense: mit\ntags: [${Array.from({ length: 30 }, (_, index) => `tag-number-${index}`).join(", ")}]\n---\n# ${"Donaudampfschifffahrt".repeat(12)}\n\n\`${"no_space_".repeat(60)}\`\n` }, "A commit whose title goes on and on ".repeat(5).trim());
});
after(() => world?.close());

async function notWider(page, what) {
  for (const width of [1440, 420, 320]) {
    await page.setViewportSize({ width, height: 860 });
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wider <= 0, `${what} is wider than a window of ${width} by ${wider}`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

test("ten thousand files come page by page, in order, none twice", async () => {
  const page = await world.signedIn("ada");
  await page.goto(`${world.url}/demo/many-files/tree/main`);
  const names = () => page.locator("tbody .name").allInnerTexts();
  await page.locator("tbody tr").first().waitFor();
  let shown = await names();
  assert.ok(shown.length > 10 && shown.length <= 1000, `the first page has ${shown.length} rows`);
  assert.deepEqual(shown.slice(0, 2), [".gitattributes", "part-00000.txt"]);
  for (let click = 0; click < 2; ++click) {
    const before = shown.length;
    await page.locator("button", { hasText: "Show more files" }).click();
    await page.waitForFunction((count) => document.querySelectorAll("tbody tr").length > count, before);
    shown = await names();
  }
  assert.deepEqual(shown.slice(1), shown.slice(1).map((_, index) => `part-${String(index).padStart(5, "0")}.txt`));
  await page.locator("button", { hasText: "Show more files" }).waitFor();
  assertQuiet(assert, world, page);
  await page.goto(`${world.url}/demo/many-files/tree/main`);
  await page.locator("tbody tr").first().waitFor();
  await world.shoot(page, "many-files");
  await page.context().close();
});

test("a card without end is shown, and nothing is wider than its window", async () => {
  const page = await world.signedIn("ada");
  const began = Date.now();
  await page.goto(`${world.url}/demo/huge-card`);
  await page.getByRole("heading", { name: "The last line" }).waitFor();
  console.log(`# the card was there after ${Date.now() - began} ms`);
  await notWider(page, "a huge card");
  for (const path of [`/demo/${long}`, `/demo/${long}/tree/main`, `/demo/${long}/commits/main`, `/demo/${long}/checks`, "/demo", "/", "/models"]) {
    await page.goto(world.url + path);
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    await page.waitForTimeout(300);
    await notWider(page, path);
  }
  await page.goto(`${world.url}/demo/${long}`);
  await page.getByRole("heading", { level: 2 }).first().waitFor();
  await world.shoot(page, "long-names");
  await page.context().close();
});

test("a server that fails is told in its own words, with a way to try again", async () => {
  const page = await world.signedIn("ada");
  let failing = true;
  await page.route("**/api/models?*", (route) => (failing ? route.fulfill({ status: 500, contentType: "application/json", headers: { "X-Request-Id": "feed0123" }, body: JSON.stringify({ error: "the disk is gone" }) }) : route.continue()));
  await page.goto(`${world.url}/models`);
  await page.getByRole("alert").getByText("the disk is gone").waitFor();
  await page.getByText("feed0123").waitFor();
  await world.shoot(page, "failing");
  failing = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("link", { name: /huge-card/ }).waitFor();
  await page.route("**/api/models?*", (route) => route.abort());
  await page.reload();
  await page.getByRole("alert").getByText("cannot be reached").waitFor();
  await page.unrouteAll();
  // While an answer is waited for, the page says so.
  await page.route("**/api/models?*", async (route) => (await new Promise((done) => setTimeout(done, 1500)), route.continue()));
  await page.reload();
  await page.getByRole("status", { name: "Loading" }).first().waitFor();
  await world.shoot(page, "loading");
  await page.getByRole("link", { name: /huge-card/ }).waitFor();
  await page.context().close();
});

test("what one may not do is refused in the dialog that asked, and the keyboard alone is enough", async () => {
  await world.api(token, "PUT", "/api/registry/records/demo/keys", "record: demo/keys\nuse: Press keys.\ntier: prototype\nmodel: demo/huge-card\ntask: text-classification\nfeatures: [keys]\n", "application/yaml");
  world.admin("user", "create", "vera", "--fullname", "Vera Viewer");
  const page = await world.signedIn("vera");
  await page.goto(`${world.url}/registry/demo/keys`);
  await page.getByRole("button", { name: "Freeze" }).focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  // The focus is inside and stays there.
  for (let press = 0; press < 6; ++press) {
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.querySelector("dialog").contains(document.activeElement)), "the focus stays in the dialog");
  }
  await dialog.getByLabel("Why").fill("Because.");
  await dialog.getByRole("button", { name: "Freeze" }).press("Enter");
  await dialog.getByRole("alert").waitFor();
  await world.shoot(page, "dialog-refused");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal((await world.api(token, "GET", "/api/registry/records/demo/keys")).frozen, null);
  await page.context().close();
});

test("text has the contrast that WCAG AA asks for, light and dark", async () => {
  const page = await world.signedIn("ada");
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    for (const path of ["/", "/demo/huge-card/checks", "/demo/huge-card/origin", "/registry/demo/keys", "/registry/oncall", "/registry/supply", "/settings/tokens", "/settings/webhooks"]) {
      await page.goto(world.url + path);
      await page.getByRole("heading", { level: 1 }).first().waitFor();
      await page.waitForTimeout(300);
      const poor = await page.evaluate(() => {
        const parse = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
        const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
        const rgb = (colour) => {
          canvas.clearRect(0, 0, 1, 1);
          canvas.fillStyle = colour;
          canvas.fillRect(0, 0, 1, 1);
          const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
          return { r, g, b, a: a / 255 };
        };
        const light = ({ r, g, b }) => [r, g, b].map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)).reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
        const behind = (element) => {
          for (let at = element; at; at = at.parentElement) {
            const colour = rgb(getComputedStyle(at).backgroundColor);
            if (colour.a > 0.5) return colour;
          }
          return rgb(getComputedStyle(document.documentElement).backgroundColor);
        };
        const out = [];
        for (const element of document.querySelectorAll("main *, header *")) {
          const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
          const box = element.getBoundingClientRect();
          if (!own || box.width < 2 || box.height < 2 || element.closest("svg, .sr-only, [disabled]")) continue;
          const style = getComputedStyle(element);
          const [a, b] = [light(rgb(style.color)), light(behind(element))];
          const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          const size = parse(style.fontSize)[0];
          const wanted = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
          if (ratio < wanted) out.push(`${element.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
        }
        return out;
      });
      assert.deepEqual([...new Set(poor)], [], `${path}, ${scheme}`);
    }
  }
  await page.context().close();
});
