/** The real command line around an engine that learns nothing. Settings of the engine come as JSON in VOLLEY_FAKE. */
import { exitWhenWritten, processContext } from "../../../src/cli/process-context.ts";
import { run } from "../../../src/cli/program.ts";
import { fakeRooms } from "./fake-trainer.ts";

const context = processContext(fakeRooms(JSON.parse(process.env.VOLLEY_FAKE ?? "{}")));
await exitWhenWritten(await run(process.argv.slice(2), context));
