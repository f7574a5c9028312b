/** One training in a process of its own, so that its memory can be told from everything else. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { SpikesChoice, TrainingChoice } from "./gradient-networks.ts";

/** Made samples, all of them to train on; or the bundled spoken digits in steps of `dtMs`, with their test. */
export type JobData =
  | { readonly type: "shdLike"; readonly spikes: SpikesChoice }
  | { readonly type: "digits"; readonly steps: number; readonly dtMs: number };

export interface GradientJob {
  readonly choice: TrainingChoice;
  readonly data: JobData;
  readonly batch: number;
  readonly epochs: number;
  readonly threads: number;
}

export interface JobResult {
  /** Of every epoch: time in the trainer, without making the samples. */
  readonly seconds: readonly number[];
  /** Resident memory before the first sample and the network were made, and the most there ever was. */
  readonly baseBytes: number;
  readonly peakBytes: number;
  /** Of an engine after one of the samples: weights, gradients, what is kept of a sample for the way back. */
  readonly engineBytes: number;
  /** Share of the samples of the last epoch, and of the test afterwards; null where there is none. */
  readonly accuracy: { readonly train: number; readonly test: number | null };
  /** Share of neurons and steps of the hidden layer that spiked in the last epoch. */
  readonly hiddenShare: number;
  readonly loss: number;
}

export function runJob(job: GradientJob): Promise<JobResult> {
  const main = fileURLToPath(new URL("./gradient-job.js", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, main, JSON.stringify(job)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let out = "";
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(out));
      else reject(new Error(`a training of the workload ended with code ${code}:\n${said}`));
    });
  });
}
