/** Reports as a reader meets them: opened from disk, offline, in the headless Chromium that npm installs. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../support/chromium.ts";

export class ReportPages {
  readonly #browser: Browser;
  readonly #folder = mkdtempSync(join(tmpdir(), "volley-report-"));
  #opened = 0;
  /** What the last page that was opened complained of: errors, warnings, requests to the network. */
  readonly complaints: string[] = [];

  static async launch(): Promise<ReportPages> {
    return new ReportPages(await launchChromium());
  }

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  async open(html: string, options: { colorScheme?: "light" | "dark"; width?: number } = {}): Promise<Page> {
    const file = join(this.#folder, `${this.#opened++}.html`);
    writeFileSync(file, html);
    const context = await this.#browser.newContext({
      offline: true,
      colorScheme: options.colorScheme ?? "light",
      viewport: { width: options.width ?? 1280, height: 900 },
    });
    const page = await context.newPage();
    const { complaints } = this;
    complaints.length = 0;
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("request", (request) => {
      if (!/^(file|data|blob):/.test(request.url())) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector("html[data-ready]", { state: "attached" });
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Pixels that are not fully transparent, for every canvas of the page. */
export const inkOfCanvases = (page: Page): Promise<number[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll("canvas")].map((canvas) => {
      const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      let ink = 0;
      for (let i = 3; i < data.length; i += 4) if (data[i] > 0) ink++;
      return ink;
    }),
  );
