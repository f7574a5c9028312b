/** Entry of a worker thread that holds a member of an RLS training run. */
import { serveNode } from "../../device/cpu/threads.node.ts";
import { rlsHost } from "./host.ts";

serveNode(rlsHost());
