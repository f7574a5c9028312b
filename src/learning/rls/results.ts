/** What training and testing report, as plain data: the truth behind metrics.jsonl, the tables and report.html. */

/** Where the time of one iteration went, in seconds of one worker (mean over workers). */
export interface TimeSplit {
  readonly rls: number;
  /** Filters, membrane, spikes. */
  readonly neurons: number;
  readonly noise: number;
  /** Spikes to arrival sums, static and plastic. */
  readonly delivery: number;
  /** Waiting for the other workers and exchanging spikes. */
  readonly exchange: number;
  /** The rest: the loop itself, recording. */
  readonly other: number;
}

/** Health of the inverse covariances P. */
export interface PHealth {
  /** Updates in which x'Px was negative or not a number: that neuron's P was reset. */
  readonly resets: number;
  /** Mean and largest x'Px over the updates of this iteration. */
  readonly meanGain: number;
  readonly largestGain: number;
}

/** One line of metrics.jsonl. */
export interface IterationReport {
  /** 1 for the first. */
  readonly iteration: number;
  readonly task: number;
  /** Mean over neurons of the Pearson correlation of windowed current with target; null when not measured. */
  readonly correlation: number | null;
  readonly medianCorrelation: number | null;
  /** Neurons left out because target or current was constant. */
  readonly undefinedCorrelations: number;
  readonly rateHz: number;
  readonly rateExcitatoryHz: number;
  readonly rateInhibitoryHz: number;
  /** Root mean square over neurons and updates of the error before each weight step. */
  readonly rmsError: number;
  readonly seconds: number;
  readonly split: TimeSplit;
  readonly health: PHealth;
}

/** Values over the frozen test trials. `current` is in units of threshold, rows are those of the targets. */
export interface TestReport {
  /** Training trials that the weights had seen. */
  readonly iteration: number;
  readonly trialsPerTask: number;
  readonly neurons: number;
  readonly excitatory: number;
  readonly rows: number;
  readonly learnEveryMs: number;
  readonly stimulusOffMs: number;
  readonly trialMs: number;
  readonly taskNames: readonly string[];
  /** Global indices of the trained neurons, in the order of every per-neuron array below. */
  readonly trained: Uint32Array;
  /** Figures averaged over tasks and neurons (neurons with an undefined correlation left out and counted). */
  readonly current: {
    /** Mean over trials of the correlation of single trials. */
    readonly single: number;
    readonly worstTrial: number;
    /** Correlation of the mean over trials. */
    readonly average: number;
    /** Variance explained, over all neurons and rows together: 1 - sum (mean over trials - target)^2 / sum (target - its mean)^2. */
    readonly varianceExplained: number;
    readonly undefinedNeurons: number;
  };
  /** Present when the targets were rates. */
  readonly psth: {
    /** Correlation of trial-averaged rates with the recording, in bins of learnEveryMs. */
    readonly binned: number;
    /** The same after averaging both in windows of +- windowMs. */
    readonly windowed: number;
    readonly windowMs: number;
    /** One correlation over all neurons and rows of (task 2 - task 1), windowed; null for one task. */
    readonly selectivity: number | null;
    /** Against trials kept out of training, when the recording has them. */
    readonly heldOut: number | null;
  } | null;
  readonly rateHz: number;
  /** Rate inside the trained window. */
  readonly rateInWindowHz: number;
  /** Mean rate of the most active trial: run-away trials show here. */
  readonly highestTrialRateHz: number;
  /** Per trained neuron, averaged over tasks. */
  readonly perNeuron: {
    readonly correlation: Float32Array;
    readonly rateHz: Float32Array;
    /** Coefficient of variation of inter-spike intervals; NaN with fewer than 3 spikes in every trial. */
    readonly cvIsi: Float32Array;
    /** Variance over mean of the spike counts of trials. */
    readonly fano: Float32Array;
  };
  /** For chosen neurons (positions in `trained`): [task][trial][row] currents and [task][row] targets. */
  readonly examples: readonly ExampleNeuron[];
  /** Spikes of the first test trial of every task: step (1-based) and global neuron, in time order. */
  readonly raster: readonly { readonly steps: Uint32Array; readonly neurons: Uint32Array }[];
}

export interface ExampleNeuron {
  /** Global index. */
  readonly neuron: number;
  readonly correlation: number;
  /** [task] -> rows. */
  readonly target: readonly Float32Array[];
  /** [task][trial] -> rows. */
  readonly current: readonly (readonly Float32Array[])[];
  /** [task] -> rows: trial-averaged rate in Hz, windowed, and the recorded rate when there is one. */
  readonly rateHz: readonly Float32Array[];
  readonly recordedHz: readonly Float32Array[] | null;
}
