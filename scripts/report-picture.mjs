/** Takes the picture of a report that the README shows: node scripts/report-picture.mjs runs/alm docs/figures/report.png */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import packed from "@sparticuz/chromium";
import { chromium } from "playwright-core";

const [run, picture] = process.argv.slice(2);
if (!picture) {
  console.error("usage: node scripts/report-picture.mjs RUN PICTURE.png");
  process.exit(64);
}
const browser = await chromium.launch({ executablePath: await packed.executablePath(), args: packed.args });
const page = await browser.newPage({ viewport: { width: 1240, height: 1500 }, deviceScaleFactor: 1 });
await page.goto(pathToFileURL(resolve(run, "report.html")).href);
await page.waitForTimeout(1000);
await page.screenshot({ path: picture });
if (process.argv.includes("--whole"))
  await page.screenshot({ path: picture.replace(".png", "-whole.png"), fullPage: true });
await browser.close();
