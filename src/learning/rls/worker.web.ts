/** Entry of a web worker that holds a member of an RLS training run. */
import { serveWeb } from "../../device/cpu/threads.web.ts";
import { rlsHost } from "./host.ts";

serveWeb(rlsHost());
