/** Fetches the labelled samples that an experiment names by their URL. */
import { openLabelledSet } from "../../data/labelled/open-labelled-set.ts";
import { fetchFile } from "../fetch-file.web.ts";
import type { OpenSet } from "./data.ts";

export const fetchLabelledSet: OpenSet = async (url, { labelsFile, ...options }) => {
  const { name, bytes } = await fetchFile(url, "data.train and data.test");
  const labels = labelsFile === undefined ? undefined : (await fetchFile(labelsFile, "data.reading.labels")).bytes;
  return openLabelledSet(name, bytes, { ...options, ...(labels === undefined ? {} : { labels }) });
};
