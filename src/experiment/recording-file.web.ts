/** Fetches the recording that an experiment names by its URL: recording-file.ts for pages. */
import { readRecording } from "../data/formats/read-recording.ts";
import type { Recording } from "../data/recording.ts";
import { fetchFile } from "./fetch-file.web.ts";
import type { RecordingTargets } from "./schema.ts";

export async function fetchRecording(targets: RecordingTargets): Promise<Recording> {
  const { type: _, file, ...options } = targets;
  const { name, bytes } = await fetchFile(file, "targets.file");
  return readRecording(bytes, name, options);
}
