/**
 * Errors that a user can cause, and the exit codes they end with.
 *
 * A `UserError` says what was given, why it cannot work and what to do; the command line prints its message and nothing
 * else. Anything that is not a `UserError` is a fault of ours and keeps its stack trace.
 */

/** Exit codes of the command line (the numbers of BSD sysexits where one fits). */
export const exitCode = {
  ok: 0,
  /** A check that was asked for found a fault. */
  failed: 1,
  /** An unexpected fault of Volley itself. */
  internal: 70,
  /** Wrong command line or experiment: unknown key, value out of range. */
  usage: 64,
  /** A data file is damaged, of an unknown kind, or does not hold what was asked for. */
  data: 65,
  /** A named file or run does not exist. */
  noInput: 66,
  /** The machine lacks what the experiment needs: memory, a CPU feature. */
  unavailable: 69,
  /** Writing failed: disk full, permission, I/O error. */
  io: 74,
  /** Training stopped itself: numbers diverged. The last good checkpoint is kept. */
  diverged: 76,
  /** Stopped by Ctrl-C; the run can be resumed. */
  interrupted: 130,
  /** Stopped by SIGTERM; the run can be resumed. */
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

export class UserError extends Error {
  override readonly name = "UserError";
  readonly exitCode: ExitCode;

  /** @param message one sentence or two: what was given, why it cannot work, what to do. */
  constructor(message: string, code: ExitCode = exitCode.usage, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = code;
  }
}

/** A file that cannot be read as what it claims to be. */
export function dataError(message: string, cause?: unknown): UserError {
  return new UserError(message, exitCode.data, cause === undefined ? undefined : { cause });
}

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours count one each. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2][j - 2] + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

/** ` — did you mean "x"?` when a known word is near the given one, else an empty string. */
export function didYouMean(given: string, known: Iterable<string>): string {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(given.length / 3)) + 1;
  for (const word of known) {
    const distance = editDistance(given.toLowerCase(), word.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [word, distance];
  }
  return best === undefined ? "" : ` — did you mean "${best}"?`;
}
