/** The report of an RLS run as a reader meets it. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ReportInput } from "../../src/report/input.ts";
import { renderReport } from "../../src/report/report.node.ts";
import { reportInput } from "./fixture.ts";
import { inkOfCanvases, ReportPages } from "./report-pages.ts";

interface RasterWindow {
  readonly stepLow: number;
  readonly stepHigh: number;
  readonly neuronLow: number;
  readonly neuronHigh: number;
}
declare global {
  var volleyReport: { readonly rasters: readonly { window(): RasterWindow }[] };
}

let pages: ReportPages;

beforeAll(async () => {
  pages = await ReportPages.launch();
});
afterAll(() => pages?.close());

const size = { neurons: 300, excitatory: 240, trials: 6, examples: 4, iterations: 40 };
const usual: ReportInput = reportInput(size);
let rendered: string | undefined;

/** Opens the usual report, which is rendered once. */
const openUsual = (options?: Parameters<ReportPages["open"]>[1]): Promise<Page> => {
  rendered ??= renderReport(usual);
  return pages.open(rendered, options);
};

test("opens offline without a complaint, and every canvas shows something", async () => {
  const page = await openUsual();
  const ink = await inkOfCanvases(page);
  // 4 learning curves, 3 neurons x 2 tasks x (current, rate), 2 rasters.
  expect(ink).toHaveLength(18);
  for (const pixels of ink) expect(pixels).toBeGreaterThan(500);
  expect(pages.complaints).toEqual([]);
  await page.context().close();
});

test("light and dark follow the system until the button is pressed", async () => {
  const page = await openUsual({ colorScheme: "dark" });
  const background = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await page.getByRole("button", { name: "Switch to light colours" }).click();
  const light = await background();
  expect(light).not.toBe(dark);
  await page.getByRole("button", { name: "Switch to dark colours" }).click();
  expect(await background()).toBe(dark);
  expect(pages.complaints).toEqual([]);
  await page.context().close();
});

test("the axis, the neuron and the trial can be chosen", async () => {
  const page = await openUsual();
  await page.getByRole("button", { name: "wall time" }).click();
  expect(await page.locator("[data-axis-title]").first().textContent()).toMatch(/^wall time/);
  const picture = (): Promise<string> =>
    page
      .locator('[data-curve="current"][data-column="1"] canvas')
      .first()
      .evaluate((c) => (c as HTMLCanvasElement).toDataURL());
  const first = await picture();
  const select = page.locator('select[data-column="1"]').first();
  await select.selectOption("3");
  const second = await picture();
  expect(second).not.toBe(first);
  // The same neuron is now shown in the rates below.
  expect(await page.locator('select[data-column="1"]').last().inputValue()).toBe("3");
  await page.locator("#trial").fill("5");
  expect(await page.locator("#trial-text").textContent()).toBe("5");
  expect(await picture()).not.toBe(second);
  expect(pages.complaints).toEqual([]);
  await page.context().close();
});

test("the raster zooms and pans by wheel, drag, keys and buttons, and returns by double-click", async () => {
  const page = await openUsual();
  const view = (): Promise<RasterWindow> => page.evaluate(() => globalThis.volleyReport.rasters[0].window());
  const whole = await view();
  expect(whole).toEqual({ stepLow: 0, stepHigh: 30_000, neuronLow: 0, neuronHigh: 300 });
  const raster = page.locator('[data-raster="0"]');
  const canvas = raster.locator("canvas");
  await canvas.scrollIntoViewIfNeeded();

  // The wheel belongs to the page until the raster is clicked.
  await canvas.hover({ position: { x: 400, y: 150 } });
  await page.mouse.wheel(0, -200);
  expect(await view()).toEqual(whole);
  await canvas.scrollIntoViewIfNeeded();
  await canvas.click({ position: { x: 400, y: 150 } });
  await page.mouse.wheel(0, -400);
  await expect.poll(async () => (await view()).stepHigh - (await view()).stepLow).toBeLessThan(29_000);

  const zoomed = await view();
  await raster.getByRole("button", { name: "Later", exact: true }).click();
  expect((await view()).stepLow).toBeGreaterThan(zoomed.stepLow);
  await raster.getByRole("button", { name: "Fewer neurons" }).click();
  expect((await view()).neuronHigh - (await view()).neuronLow).toBe(150);
  await canvas.focus();
  await page.keyboard.press("ArrowUp");
  expect((await view()).neuronLow).toBeGreaterThan(75);
  const before = await view();
  await canvas.dragTo(canvas, { sourcePosition: { x: 300, y: 150 }, targetPosition: { x: 420, y: 150 } });
  expect((await view()).stepLow).toBeLessThan(before.stepLow);
  await canvas.dblclick({ position: { x: 400, y: 150 } });
  expect(await view()).toEqual(whole);
  expect(pages.complaints).toEqual([]);
  await page.context().close();
});

test("prints in light colours, whatever is on the screen, and comes back", async () => {
  const page = await openUsual({ colorScheme: "dark" });
  await page.evaluate(() => {
    addEventListener("beforeprint", () =>
      document.documentElement.setAttribute("data-printed", document.documentElement.className),
    );
  });
  const pdf = await page.pdf({ format: "A4" });
  expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
  expect(await page.locator("html").getAttribute("data-printed")).toBe("printing");
  expect(await page.locator("html").getAttribute("class")).toBe("");
  expect(await page.locator("details").getAttribute("open")).toBeNull();
  expect(pages.complaints).toEqual([]);
  await page.context().close();
});

test("a narrow window needs no sideways scrolling", async () => {
  const page = await openUsual({ width: 360 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await page.context().close();
});

test("a run without test, weights or iterations opens too", async () => {
  const title = "</script><script>throw 1</script>";
  const page = await pages.open(renderReport({ ...usual, test: null, weights: null, iterations: [], title }));
  expect(await page.locator("canvas").count()).toBe(0);
  expect(await page.locator(".absent").count()).toBeGreaterThan(5);
  expect(pages.complaints).toEqual([]);
  await page.context().close();
});
