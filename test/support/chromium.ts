/**
 * A headless Chromium from npm: `npm ci` is all a machine needs to run the browser tests.
 *
 * `@sparticuz/chromium` unpacks itself into the system's temporary folder and takes whatever lies there for finished;
 * two test processes would race. Here it is unpacked into a folder of its own and moved into place in one step.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import packaged from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";

/** Sets variables of this process for the time of `body`. */
async function withEnvironment<T>(values: Readonly<Record<string, string>>, body: () => Promise<T>): Promise<T> {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, values);
  try {
    return await body();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

function packageVersion(): string {
  const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
  const root = entry.slice(0, entry.lastIndexOf("chromium") + "chromium".length);
  const file = [join(root, "package.json"), join(entry, "..", "..", "..", "package.json")].find((path) =>
    existsSync(path),
  );
  return file ? (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version : "unknown";
}

/** The folder with `chromium`, its SwiftShader libraries (a Vulkan driver among them), `fonts/` and `al2023/lib`. */
export async function chromiumFolder(): Promise<string> {
  const folder = join(tmpdir(), `volley-chromium-${packageVersion()}-${userInfo().uid}`);
  if (existsSync(join(folder, "chromium"))) return folder;
  const parts = mkdtempSync(`${folder}-`);
  // The package looks for TMPDIR, and adds the system libraries of Amazon Linux when it believes to be there.
  const environment = { TMPDIR: parts, TEMP: parts, TMP: parts, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs20.x" };
  await withEnvironment(environment, () => packaged.executablePath());
  mkdirSync(join(parts, "fontconfig"));
  const fonts = [`<dir>${join(folder, "fonts", "fonts")}</dir>`, "<dir>/usr/share/fonts</dir>"].join("");
  writeFileSync(
    join(parts, "fontconfig", "fonts.conf"),
    `<?xml version="1.0"?><fontconfig>${fonts}<cachedir>${join(folder, "fontconfig", "cache")}</cachedir></fontconfig>`,
  );
  try {
    renameSync(parts, folder);
  } catch (error) {
    // Another process was first: its folder is as good as ours.
    rmSync(parts, { recursive: true, force: true });
    if (!existsSync(join(folder, "chromium"))) throw error;
  }
  return folder;
}

export interface LaunchOptions {
  /** Further command-line switches, such as `--enable-unsafe-webgpu`. */
  readonly args?: readonly string[];
}

/** Starts the browser; the caller closes it. */
export async function launchChromium({ args = [] }: LaunchOptions = {}): Promise<Browser> {
  const folder = await chromiumFolder();
  const executablePath = join(folder, "chromium");
  const environment: Record<string, string> = { FONTCONFIG_PATH: join(folder, "fontconfig") };
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) environment[name] ??= value;
  // A bare container lacks libnss3 and friends; the package's own copies are taken only then.
  if (spawnSync(executablePath, ["--version"], { env: environment }).status !== 0) {
    const own = join(folder, "al2023", "lib");
    environment.LD_LIBRARY_PATH = [own, environment.LD_LIBRARY_PATH].filter(Boolean).join(":");
  }
  return chromium.launch({
    executablePath,
    env: environment,
    args: ["--no-sandbox", "--font-render-hinting=none", ...args],
  });
}
