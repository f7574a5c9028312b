/** Entry of a worker thread that holds a rig of the kernel workload. */
import { serveNode } from "../../device/cpu/threads.node.ts";
import { kernelRigHost } from "./kernel-rig.ts";

serveNode(kernelRigHost());
