/** A table as CSV (RFC 4180): each cell in quotation marks, so that none is taken for two. */
export const csvOf = (rows: readonly (readonly string[])[]) =>
  rows.map((row) => `${row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\r\n`).join('');
