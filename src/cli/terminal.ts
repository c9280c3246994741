/** Writes a line to standard output. */
export function out(text: string): void {
  process.stdout.write(`${text}\n`);
}

const plain = process.env['NO_COLOR'] !== undefined || process.stdout.isTTY !== true;
const wrap = (code: number) => (text: string) => (plain ? text : `\u001b[${code}m${text}\u001b[0m`);

/** Styles for people; plain when output is not a terminal or NO_COLOR is set. */
export const bold: (text: string) => string = wrap(1);
export const dim: (text: string) => string = wrap(2);
export const green: (text: string) => string = wrap(32);
export const red: (text: string) => string = wrap(31);

/** Rows with aligned columns, each line indented by two. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return rows.map((row) => `  ${line(row)}`).join('\n');
}
