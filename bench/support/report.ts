/** One figure: a value for each repeat. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** What is aimed at, where something is. */
  readonly aim: string;
  readonly values: readonly number[];
}

/** What a measurement found. */
export interface Result {
  readonly measurement: string;
  /** What was done, in a sentence. */
  readonly about: string;
  readonly figures: readonly Figure[];
  /** What a reader must know to judge the figures. */
  readonly notes: readonly string[];
}

/** The middle value; of an even number, the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? Number.NaN)) / 2;
}

/** Collects figures in the order in which they were first named. */
export class Figures {
  readonly #figures = new Map<string, Figure & { values: number[] }>();

  /** Adds the value of one repeat; NaN, what could not be measured, is left out. */
  add(name: string, unit: string, value: number, aim = ''): void {
    if (Number.isNaN(value)) return;
    const figure = this.#figures.get(name) ?? { name, unit, aim, values: [] };
    figure.values.push(value);
    this.#figures.set(name, figure);
  }

  list(): readonly Figure[] {
    return [...this.#figures.values()];
  }
}

/** A table for people; it is a Markdown table too. */
export function tableOf({ figures }: Result): string {
  const rows = [
    ['', 'median', 'unit', 'aim', 'each repeat'],
    ...figures.map(({ name, unit, aim, values }) => [
      name,
      formatted(median(values)),
      unit,
      aim,
      values.map(formatted).join(', '),
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((at) =>
    Math.max(3, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => padded(cell, widths[at] ?? 0, at)).join(' | ')} |`;
  const rule = widths.map((width, at) =>
    at === 1 ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  const [head = [], ...body] = rows;
  return [line(head), line(rule), ...body.map(line)].join('\n');
}

/** The results with their medians, as data. */
export function jsonOf(results: readonly Result[]): string {
  const withMedians = results.map((result) => ({
    ...result,
    figures: result.figures.map((figure) => ({ ...figure, median: median(figure.values) })),
  }));
  return JSON.stringify(withMedians, null, 2);
}

function padded(cell: string, width: number, column: number): string {
  return column === 1 ? cell.padStart(width) : cell.padEnd(width);
}

function formatted(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
