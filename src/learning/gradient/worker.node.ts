/** Entry of a worker thread that holds a member of a training by gradients. */
import { serveNode } from "../../device/cpu/threads.node.ts";
import { gradientHost } from "./host.ts";

serveNode(gradientHost());
