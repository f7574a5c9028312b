/** What a user may say about a labelled set, because its file does not. */

import type { ColumnValues } from "../formats/nwb.ts";
import type { RecordStore } from "./record-store.ts";

export interface NwbTrialOptions {
  /** Column whose values are the classes. */
  readonly label: string;
  /** Table under /intervals. Default `trials`. */
  readonly table?: string;
  /** Column with the time, in s, that samples are aligned to. Default `start_time`. */
  readonly event?: string;
  /** Start of a sample before the event, ms. Default 0. */
  readonly beforeMs?: number;
  /** End of a sample after the event, ms. Default: at the `stop_time` of its trial. */
  readonly afterMs?: number;
  /** Only trials where these columns have these values, such as `{ outcome: "hit" }`. Default all trials. */
  readonly trialsWhere?: ColumnValues;
  /** Only units where these columns have these values, such as `{ quality: "good" }`. Default all units. */
  readonly unitsWhere?: ColumnValues;
}

export interface LabelledOptions {
  /**
   * Names of the classes, label 0 first. Default: as the file has them, else the numbers of the labels. Give those of
   * the training set with a test set that may lack a class.
   */
  readonly classNames?: readonly string[];
  /** Spikes: number of channels. Default: the highest channel with a spike, and 1. */
  readonly channels?: number;
  /** idx: bytes of the file of labels, plain or .gz. */
  readonly labels?: Uint8Array;
  /** Events: pixels of the sensor. Default 34 x 34, those of N-MNIST. */
  readonly sensor?: { readonly width: number; readonly height: number };
  /**
   * Samples may have no class, as those that are to be classified, or (in NWB and folders of events) one that is none of
   * `classNames`: their label is then `noLabel`. A file that has classes is read as ever. Default false.
   */
  readonly allowUnlabelled?: boolean;
  /** NWB: which trials are samples and what is their class. */
  readonly trials?: NwbTrialOptions;
}

/** What a reader is given besides the file. */
export interface Reading {
  readonly options: LabelledOptions;
  /** Room for the samples. */
  newStore(): RecordStore;
}
