import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { evenSpikes, nwbFile } from "../../../test/data/make-files.ts";
import {
  eventFile,
  framesNpz,
  imageLabelsFile,
  imagesFile,
  tarFile,
  trialsNwb,
} from "../../../test/data/make-labelled-files.ts";
import type { PublicSet } from "../../data/labelled/public-sets.ts";
import type { Context } from "../context.ts";
import { addData } from "./data.ts";

let folder: string;
let out: string;
let err: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "volley-data-"));
  out = "";
  err = "";
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function volley(args: readonly string[], sets?: Record<string, PublicSet>, columns?: number): Promise<void> {
  const context = {
    stdout: { columns: undefined, write: (text: string) => void (out += text) },
    stderr: { columns, write: (text: string) => void (err += text) },
    env: {},
  } as unknown as Context;
  const program = new Command("volley").exitOverride().configureOutput({ writeErr: () => {}, outputError: () => {} });
  addData(program, context, sets);
  await program.parseAsync(["data", ...args], { from: "user" });
}

function save(name: string, bytes: Uint8Array): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

describe("data info", () => {
  test("the bundled digits, in words", async () => {
    await volley(["info", "examples/data/digits-test.h5.gz"]);
    expect(out.split("\n")).toEqual([
      "examples/data/digits-test.h5.gz: spikes",
      "  samples     120",
      expect.stringMatching(/^ {2}channels {4}700, \d+ of them active$/),
      expect.stringMatching(/^ {2}duration {4}\d{3} ms on average, \d{3} to 923 \(last spike\)$/),
      expect.stringMatching(/^ {2}spikes {6}5 615 on average, .* per sample; 673 822 in all$/),
      expect.stringMatching(/^ {2}rate {8}\d+(\.\d)? Hz per channel$/),
      expect.stringMatching(/^ {2}classes {5}10: zero \(12\), one \(12\), .* nine \(12\)$/),
      "  repetition  0 (40), 1 (40), 2 (40)",
      "  speaker     0 (30), 1 (30), 3 (30), 5 (30)",
      "",
    ]);
    expect(err).toBe("");
  });

  test("--json: one object", async () => {
    await volley(["info", "examples/data/digits-test.h5.gz", "--json"]);
    expect(out.endsWith("}\n")).toBe(true);
    expect(JSON.parse(out)).toMatchObject({ kind: "spikes", samples: 120, spikes: { total: 673_822 }, frames: null });
  });

  test("images, with labels by name; frames of numbers", async () => {
    save("labels", imageLabelsFile());
    await volley(["info", save("pictures", imagesFile()), "--labels", join(folder, "labels")]);
    expect(out).toMatch(
      /: frames of numbers\n {2}samples {3}6\n {2}channels {2}5, 5 of them active\n {2}shape {5}4 x 5 \(height x width\)\n {2}frames {4}4 per sample\n/,
    );
    await volley(["info", save("f.npz", framesNpz())]);
    expect(out).toMatch(/frames {6}4.33 on average, 2 to 5 per sample/);
    expect(out).toMatch(/classes {5}3: A \(2\), B \(2\), Ç \(2\)\n {2}repetition {2}0 \(3\), 1 \(3\)/);
  });

  test("events of another sensor, trials of a session", async () => {
    const tar = tarFile({ "s/cat/1.bin": eventFile([{ x: 200, y: 100, polarity: 1, us: 2000 }]) });
    await volley(["info", save("s.tar", tar), "--sensor", "240x180"]);
    expect(out).toMatch(
      /channels {2}86 400, 1 of them active\n {2}shape {5}180 x 240 x 2 \(height x width x channels\)\n/,
    );
    const nwb = save("s.nwb", await trialsNwb());
    await volley(["info", nwb, "--label", "side", "--event", "go_cue", "--before", "100", "--after", "200"]);
    expect(out).toMatch(/classes {3}2: left \(4\), right \(8\)\n {2}block/);
  });

  test("trials and units of a session that have a value", async () => {
    const starts = [1, 2, 3, 4];
    const bytes = await nwbFile({
      spikes: [evenSpikes(5, 6), evenSpikes(9, 6), evenSpikes(7, 6)],
      unitColumns: { quality: ["good", "mua", "good"] },
      trials: {
        start_time: starts,
        stop_time: starts.map((t) => t + 1),
        side: ["left", "right", "left", "right"],
        hit: [1, 1, 0, 1],
      },
    });
    const nwb = save("w.nwb", bytes);
    await volley(["info", nwb, "--label", "side", "--trials-where", "hit=true", "--units-where", "quality=good"]);
    expect(out).toMatch(/samples {3}3\n {2}channels {2}2, 2 of them active/);
    expect(out).toMatch(/classes {3}2: left \(1\), right \(2\)\n/);
    expect(out).toMatch(/trials left out by trialsWhere: 1\n.*units left out by unitsWhere: 1\n/);
    const misspelt = ["info", nwb, "--label", "side", "--units-where", "qualty=good"];
    await expect(volley(misspelt)).rejects.toThrow(/no column "qualty" — did you mean "quality"\?/);
  });

  test("files without labels", async () => {
    await volley(["info", save("pictures", imagesFile())]);
    expect(out).toMatch(
      /samples {3}6\n(.*\n)* {2}classes {3}unknown: the samples have no labels\n {2}note {6}there is no file of labels\n$/,
    );
  });

  test.each([
    [["--label", "side", "--units-where", "good"], /"good" is no column=value, such as quality=good/],
    [["--sensor", "34"], /--sensor is "34"; give width x height/],
    [["--label", "side", "--before", "soon"], /--before is "soon"; it must be a number of ms/],
    [["--after", "5"], /cut samples out of an NWB file; give .* \(--label\)/],
  ])("a wrong option %j is a sentence", async (flags, message) => {
    await expect(volley(["info", "examples/data/digits-test.h5.gz", ...flags])).rejects.toThrow(message);
  });
});

describe("data get", () => {
  const content = imagesFile();
  const md5 = createHash("md5").update(content).digest("hex");
  let server: Server;
  let base: string;
  beforeEach(async () => {
    server = createServer((request, response) => {
      if (request.url === "/md5sums.txt") response.end(`${md5}  b.gz\n`);
      else response.end(content);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });

  const sets = (): Record<string, PublicSet> => ({
    little: {
      summary: "A little set",
      licence: "CC0",
      cite: "nobody",
      page: "http://example.org",
      files: ["a.gz", "b.gz"].map((name) => ({ name, urls: [`${base}/${name}`] })),
      md5List: `${base}/md5sums.txt`,
    },
  });

  test("paths on stdout, talk on stderr; a second time nothing is fetched", async () => {
    const to = join(folder, "new", "little");
    await volley(["get", "little", "--to", to], sets(), 100);
    expect(out).toBe(`${join(to, "a.gz")}\n${join(to, "b.gz")}\n`);
    expect(new Uint8Array(readFileSync(join(to, "b.gz")))).toEqual(content);
    expect(err).toMatch(/A little set\n.*licence CC0; cite nobody/s);
    expect(err).toMatch(/a.gz: downloaded, the publisher's checksum was not to be had/);
    expect(err).toMatch(/b.gz: downloaded, checksum right\nlook into it with: volley data info .*a.gz\n/);
    await volley(["get", "little", "--to", to], sets());
    expect(err).toMatch(/b.gz: was there already, checksum right/);
  });

  test("an unknown set gets the list", async () => {
    await expect(volley(["get", "shdd"])).rejects.toThrow(/Allowed choices are shd, ssc, mnist, fashion-mnist, nmnist/);
  });

  test("a wrong file is refused", async () => {
    const [file] = sets().little.files;
    const checksum = { algorithm: "md5", hex: "0".repeat(32), of: "file" } as const;
    const wrong = { little: { ...sets().little, files: [{ ...file, checksum }] } };
    await expect(volley(["get", "little", "--to", folder], wrong)).rejects.toThrow(/is not the file expected/);
    expect(out).toBe("");
  });
});
