/** Fetches the recording that an experiment names by its URL: recording-file.ts for pages. */
import { exitCode, UserError } from "../base/errors.ts";
import { readRecording } from "../data/formats/read-recording.ts";
import type { Recording } from "../data/recording.ts";
import type { RecordingTargets } from "./schema.ts";

export async function fetchRecording(targets: RecordingTargets): Promise<Recording> {
  const { type: _, file, ...options } = targets;
  let response: Response;
  try {
    response = await fetch(file);
  } catch (cause) {
    throw new UserError(
      `${file} cannot be fetched: the server does not answer or does not allow it`,
      exitCode.noInput,
      {
        cause,
      },
    );
  }
  if (!response.ok) {
    throw new UserError(
      `${file} cannot be fetched: the server answers ${response.status}; check targets.file, a URL relative to the page`,
      exitCode.noInput,
    );
  }
  const name = decodeURIComponent(new URL(response.url).pathname.split("/").at(-1) || file);
  return readRecording(new Uint8Array(await response.arrayBuffer()), name, options);
}
