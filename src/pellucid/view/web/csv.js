// Tables as files for other programs: CSV as RFC 4180 has it.

/**
 * @param {any[][]} rows of numbers, texts and null
 * @returns {string} with a mark of its encoding, so that spreadsheets read it as UTF-8
 */
export function csvOf(rows) {
  return `\ufeff${rows.map((cells) => cells.map(spelled).join(",")).join("\r\n")}\r\n`;
}

function spelled(cell) {
  if (cell === null || cell === undefined || Number.isNaN(cell)) return "";
  if (typeof cell === "number") return String(cell);
  const text = String(cell);
  const safe = /^[=+@\t\r-]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text; // no formula
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
