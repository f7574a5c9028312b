/** The workloads of `volley bench`, in the order of its list. */
import { alm } from "./alm.ts";
import { fiftyThousand } from "./fifty-thousand.ts";
import { gradient } from "./gradient.ts";
import { density } from "./gradient-density.ts";
import { rules } from "./gradient-rules.ts";
import { inference } from "./inference.ts";
import { kernel } from "./kernel.ts";
import { membrane } from "./membrane.ts";
import { million } from "./million.ts";
import { network } from "./network.ts";
import { startup } from "./startup.ts";
import type { Workload } from "./workload.ts";

export const workloads: readonly Workload[] = [
  kernel,
  network,
  alm,
  million,
  fiftyThousand,
  startup,
  gradient,
  rules,
  inference,
  density,
  membrane,
];
