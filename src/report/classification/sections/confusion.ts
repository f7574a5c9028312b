/** Which class was taken for which: a table that can be read without colours, shaded by row. */
import { accuracy, integer, percent, plural } from "../../format.ts";
import { type Html, html } from "../../html.ts";
import { absent, figure, letter, type Numbering } from "../../sections/figure.ts";
import type { ClassificationReportInput, ConfusionMatrix } from "../input.ts";

/** A larger table could not be read; its most frequent mistakes are listed all the same. */
const mostClasses = 60;
const mostMistakes = 6;

class Confusion {
  readonly classes: number;
  readonly #counts: ArrayLike<number>;
  /** Samples of each class, and predictions of each. */
  readonly rows: Float64Array;
  readonly columns: Float64Array;
  readonly total: number;

  constructor({ counts }: ConfusionMatrix, classes: number) {
    this.classes = classes;
    this.#counts = counts;
    this.rows = new Float64Array(classes);
    this.columns = new Float64Array(classes);
    for (let t = 0; t < classes; t++) {
      for (let p = 0; p < classes; p++) {
        this.rows[t] += this.at(t, p);
        this.columns[p] += this.at(t, p);
      }
    }
    this.total = this.rows.reduce((a, b) => a + b, 0);
  }

  at(trueClass: number, predicted: number): number {
    return this.#counts[trueClass * this.classes + predicted] ?? 0;
  }

  get correct(): number {
    let sum = 0;
    for (let c = 0; c < this.classes; c++) sum += this.at(c, c);
    return sum;
  }

  /** Share of the samples of a class that were recognised; NaN without samples. */
  recall(c: number): number {
    return this.at(c, c) / this.rows[c];
  }

  /** Share of the predictions of a class that were right; NaN without predictions. */
  precision(c: number): number {
    return this.at(c, c) / this.columns[c];
  }

  /** Most frequent first. */
  mistakes(): { trueClass: number; predicted: number; count: number }[] {
    const all = [];
    for (let t = 0; t < this.classes; t++) {
      for (let p = 0; p < this.classes; p++) {
        if (t !== p && this.at(t, p) > 0) all.push({ trueClass: t, predicted: p, count: this.at(t, p) });
      }
    }
    return all.sort((a, b) => b.count - a.count || a.trueClass - b.trueClass || a.predicted - b.predicted);
  }
}

function table(confusion: Confusion, names: readonly string[], caption: string): Html {
  const { classes } = confusion;
  const long = names.some((name) => name.length > 3);
  const size = classes > 40 ? "tiny" : classes > 24 ? "small" : "";
  const cell = (t: number, p: number): Html => {
    const count = confusion.at(t, p);
    const share = confusion.rows[t] > 0 ? count / confusion.rows[t] : 0;
    const words =
      t === p
        ? `${integer(count)} of ${integer(confusion.rows[t])} “${names[t]}” recognised (${percent(share)})`
        : `${integer(count)} of ${integer(confusion.rows[t])} “${names[t]}” taken for “${names[p]}” (${percent(share)})`;
    const classesOfCell = [t === p ? "right" : "wrong", share > 0.55 ? "strong" : "", count === 0 ? "none" : ""];
    return html`<td class="${classesOfCell.filter(Boolean).join(" ")}" style="--share:${share.toFixed(3)}" title="${words}"><span>${integer(count)}</span></td>`;
  };
  const all = Array.from({ length: classes }, (_, c) => c);
  return html`<div class="confusion-scroll" tabindex="0" role="region" aria-label="${caption}"><table class="confusion ${size} ${long && "long"}" style="--classes:${classes}">
<caption>${caption}</caption>
<thead><tr><th scope="col" class="corner"><span>predicted →</span><span>true ↓</span></th>${names.map((name) => html`<th scope="col"><span>${name}</span></th>`)}<th scope="col" class="sum"><span>recall</span></th></tr></thead>
<tbody>${all.map((t) => html`<tr><th scope="row">${names[t]}</th>${all.map((p) => cell(t, p))}<td class="sum">${percent(confusion.recall(t))}</td></tr>`)}</tbody>
<tfoot><tr><th scope="row">precision</th>${all.map((p) => html`<td class="sum">${Number.isFinite(confusion.precision(p)) ? (100 * confusion.precision(p)).toFixed(0) : "—"}</td>`)}<td class="sum">${accuracy(confusion.correct / confusion.total)}</td></tr></tfoot>
</table></div>`;
}

function mistakes(confusion: Confusion, names: readonly string[]): Html {
  const all = confusion.mistakes();
  if (all.length === 0) return html`<p class="text">Not one sample was mistaken.</p>`;
  const listed = all.slice(0, mostMistakes);
  return html`<p class="mistakes"><b>Most often mistaken:</b> ${listed.map(
    ({ trueClass, predicted, count }, i) =>
      html`${i > 0 && "; "}“${names[trueClass]}” taken for “${names[predicted]}” ${integer(count)} of ${integer(confusion.rows[trueClass])} times`,
  )}.</p>`;
}

export function confusion(input: ClassificationReportInput, numbering: Numbering): Html {
  const { classNames } = input;
  const title = html`<h2 id="confusion">Confusions</h2>`;
  const measured = (
    [
      ["Test", input.confusion.test],
      ["Validation", input.confusion.validation],
    ] as const
  ).flatMap(([name, matrix]) =>
    matrix ? [{ name, epoch: matrix.epoch, confusion: new Confusion(matrix, classNames.length) }] : [],
  );
  if (measured.length === 0)
    return html`${title}${absent("The network was not tested, so it is not known which classes it confuses.")}`;
  const drawn = classNames.length <= mostClasses;
  const columns = measured.length > 1 && classNames.length <= 12 ? "cols-2" : "cols-1";
  const panels = measured.map(({ name, epoch, confusion: c }, i) => {
    const caption = `${name}: ${plural(c.total, "sample")}, ${accuracy(c.correct / c.total)} correct, weights of epoch ${integer(epoch)}`;
    return html`<div class="panel"><div class="panel-head"><span class="letter">${letter(i)}</span><span class="panel-title">${caption}</span></div>${drawn && table(c, classNames, caption)}${mistakes(c, classNames)}</div>`;
  });
  return html`${title}${!drawn && absent(`With ${integer(classNames.length)} classes a table of all pairs could not be read; the most frequent mistakes are listed.`)}${figure(
    numbering.next(),
    "True classes against predictions.",
    html`<div class="panels ${columns}">${panels}</div>`,
    html`Rows, true classes; columns, predictions. Numbers are samples${drawn && "; shade, their share of the row, blue on the diagonal and vermilion beside it"}. Recall, share of the samples of a class that were recognised; precision, share of the predictions of a class that were right (%).`,
  )}`;
}
