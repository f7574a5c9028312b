#!/usr/bin/env node
/** The command `volley`. Other rooms are loaded when a command first needs them, so that help and refusals are instant. */
import { exitWhenWritten, processContext } from "./process-context.ts";
import { run } from "./program.ts";

const context = processContext({
  async engine() {
    const { createRlsTrainer } = await import("../learning/rls/trainer.node.ts");
    const { estimateMemory } = await import("../experiment/estimate.ts");
    return { createRlsTrainer, estimateMemory };
  },
  readRecording: async (targets) => (await import("../experiment/recording-file.ts")).readRecordingFile(targets),
  renderReport: async (input) => (await import("../report/report.node.ts")).renderReport(input),
});

await exitWhenWritten(await run(process.argv.slice(2), context));
