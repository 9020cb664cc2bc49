// A test that tells, when it fails, what its pages showed: the last lines of each open page, its address, and a picture in
// build/ui/screens. A time-out alone says only what was not there.
import { join } from "node:path";
import { test as bare } from "node:test";
import { World, screens } from "./world.mjs";

async function tell(page, number) {
  const text = (await page.locator("body").innerText({ timeout: 2000 })).replace(/\s*\n\s*/g, " | ").slice(-1500);
  console.error(`page ${number} at ${page.url()}, ${JSON.stringify(page.viewportSize())}\n  shows: ${text}`);
  for (const line of page.answers.slice(-12)) console.error(`  ${line}`);
  for (const line of page.complaints) console.error(`  complaint: ${line}`);
  await page.screenshot({ path: join(screens, `failed-${number}.png`), timeout: 5000 });
}

export function test(name, what) {
  return bare(name, async (context) => {
    try {
      await what(context);
    } catch (error) {
      for (const [number, page] of World.pages.entries())
        if (!page.isClosed()) await tell(page, number).catch((reason) => console.error(`  and cannot be asked: ${reason}`));
      throw error;
    } finally {
      World.pages = World.pages.filter((page) => !page.isClosed());
    }
  });
}
