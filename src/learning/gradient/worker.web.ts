/** Entry of a web worker that holds a member of a training by gradients. */
import { serveWeb } from "../../device/cpu/threads.web.ts";
import { gradientHost } from "./host.ts";

serveWeb(gradientHost());
