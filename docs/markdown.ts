/** Rows under headings as a Markdown table, aligned as the formatter aligns them. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [headings, ...rows].map((row) => row.map(escaped));
  const widths = headings.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0), 3));
  const [first = '', ...rest] = cells.map((row) =>
    line(row.map((c, i) => c.padEnd(widths[i] ?? 0))),
  );
  return [first, line(widths.map((width) => '-'.repeat(width))), ...rest].join('');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`;
}

/** What a page that is made from a table begins with. */
export function pageHead(title: string, source: string): string {
  return `# ${title}\n\n<!-- Made from ${source} by \`npm run docs\`: change that, not this. -->\n\n`;
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** A bar ends a cell, even within code. */
function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|');
}
