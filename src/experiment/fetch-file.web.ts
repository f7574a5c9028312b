/** Fetches a file that an experiment names by its URL, for pages. */
import { exitCode, UserError } from "../base/errors.ts";

/** @param place where the name stands in the experiment, for messages */
export async function fetchFile(url: string, place: string): Promise<{ name: string; bytes: Uint8Array }> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new UserError(`${url} cannot be fetched: the server does not answer or does not allow it`, exitCode.noInput, {
      cause,
    });
  }
  if (!response.ok) {
    throw new UserError(
      `${url} cannot be fetched: the server answers ${response.status}; check ${place}, a URL relative to the page`,
      exitCode.noInput,
    );
  }
  const name = decodeURIComponent(new URL(response.url).pathname.split("/").at(-1) || url);
  return { name, bytes: new Uint8Array(await response.arrayBuffer()) };
}
