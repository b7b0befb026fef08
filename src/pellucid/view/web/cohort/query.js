// Simple conditions in words, such as age < 30 and city in ['Oslo', 'Rome'], read by our own few
// rules and never executed; the grammar is that of `pellucid.explain.conditions`.

const LONGEST = 2000; // characters
const DEEPEST = 60; // brackets within brackets
const TOKEN = /\s*(?:(\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`([^`]+)`|([\p{L}_][\p{L}\p{N}_]*)|(<=|>=|==|!=|<|>|[()[\],-]))/uy;
const ORDERS = {
  "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
  "==": (a, b) => a === b, "!=": (a, b) => a !== b,
};
const CONSTANTS = { None: null, True: true, False: false };

/** A query that cannot be read, in words for the reader. */
export class QueryError extends Error {}

/**
 * @typedef {Object} Named what a name in a query stands for
 * @property {"numeric"|"time"|"category"} kind
 * @property {(row: number) => any} value a number, a text, or null for missing
 */

/**
 * @param {string} text
 * @param {(name: string) => Named|null} lookup
 * @returns {(row: number) => boolean}
 * @throws {QueryError}
 */
export function reader(text, lookup) {
  if (text.length > LONGEST) throw new QueryError(`A query has at most ${LONGEST} characters, this one ${text.length}.`);
  const tokens = tokenized(text);
  let at = 0;
  let depth = 0;
  const peek = (kind, said) => tokens[at]?.kind === kind && (said === undefined || tokens[at].said === said);
  const take = (kind, said) => (peek(kind, said) ? tokens[at++] : null);
  const lost = (wanted) => new QueryError(tokens[at] ? `“${tokens[at].shown}” stands where ${wanted} was expected.` : `The query ends where ${wanted} was expected.`);

  function any() {
    const parts = [every()];
    while (take("word", "or")) parts.push(every());
    return parts.length > 1 ? (row) => parts.some((holds) => holds(row)) : parts[0];
  }

  function every() {
    const parts = [denied()];
    while (take("word", "and")) parts.push(denied());
    return parts.length > 1 ? (row) => parts.every((holds) => holds(row)) : parts[0];
  }

  function denied() {
    if (take("word", "not")) {
      const inner = nested(denied);
      return (row) => !inner(row);
    }
    if (take("sign", "(")) {
      const inner = nested(any);
      if (!take("sign", ")")) throw lost("a closing bracket");
      return inner;
    }
    return compared();
  }

  /** Brackets in brackets, up to a depth that no stack minds. */
  function nested(read) {
    depth += 1;
    if (depth > DEEPEST) throw new QueryError("The query has too many brackets within brackets.");
    const inner = read();
    depth -= 1;
    return inner;
  }

  function compared() {
    const links = [];
    let left = value();
    for (;;) {
      if (peek("word", "in") || (peek("word", "not") && tokens[at + 1]?.said === "in")) {
        const out = Boolean(take("word", "not"));
        at += 1;
        links.push(inside(left, list(), out));
        break;
      }
      const sign = tokens[at]?.kind === "sign" && Object.hasOwn(ORDERS, tokens[at].said) ? tokens[at++].said : null;
      if (!sign) break;
      const right = value();
      links.push(link(left, sign, right));
      left = right;
    }
    if (!links.length) throw lost("a comparison such as <, == or in");
    return links.length > 1 ? (row) => links.every((holds) => holds(row)) : links[0];
  }

  function value() {
    const minus = take("sign", "-");
    const number = take("number");
    if (number) return constant(minus ? -number.value : number.value);
    if (minus) throw lost("a number");
    const said = take("text");
    if (said) return constant(said.value);
    const word = take("word") ?? take("name");
    if (!word || (word.kind === "word" && ["and", "or", "not", "in"].includes(word.said))) {
      if (word) at -= 1;
      throw lost("a column, a number or a text in quotes");
    }
    if (word.kind === "word" && Object.hasOwn(CONSTANTS, word.said)) return constant(CONSTANTS[word.said]);
    const named = lookup(word.said);
    if (!named) throw new QueryError(`There is no column “${word.said}”. Texts stand in quotes, names of several words in backticks.`);
    return { ...named, name: word.said };
  }

  function list() {
    if (!take("sign", "[")) throw lost("a list in [brackets]");
    const cells = [];
    while (!take("sign", "]")) {
      if (cells.length && !take("sign", ",")) throw lost("a comma");
      if (take("sign", "]")) break;
      const cell = value();
      if (cell.name) throw new QueryError(`Lists hold numbers and texts; “${cell.name}” is a column.`);
      cells.push(cell);
    }
    return cells;
  }

  const holds = any();
  if (at < tokens.length) throw lost("“and”, “or” or the end");
  return holds;
}

function tokenized(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length && text.slice(TOKEN.lastIndex).trim()) {
    const from = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (!found) throw new QueryError(`“${text.slice(from).trim().slice(0, 20)}” cannot be read.`);
    const [shown, number, single, double, quoted, word, sign] = found;
    const said = single ?? double;
    tokens.push({
      shown: shown.trim(),
      ...(number !== undefined ? { kind: "number", value: Number(number.replaceAll("_", "")) }
        : said !== undefined ? { kind: "text", value: said.replace(/\\(.)/gs, "$1") }
          : quoted !== undefined ? { kind: "name", said: quoted }
            : word !== undefined ? { kind: "word", said: word } : { kind: "sign", said: sign }),
    });
  }
  if (!tokens.length) throw new QueryError("Type a condition, such as age < 30.");
  return tokens;
}

function constant(value) {
  return { kind: "constant", constant: value, value: () => value };
}

/** One comparison. Where a cell is missing none holds but !=, and == None. */
function link(left, sign, right) {
  const [a, b] = fitted(left, right);
  const gone = [left, right].some((side) => side.constant === null);
  if (gone && sign !== "==" && sign !== "!=") throw new QueryError("None can be compared by == and != alone.");
  const order = ORDERS[sign];
  return (row) => {
    const [x, y] = [a(row), b(row)];
    if (gone) return order(x, y);
    if (x === null || y === null) return sign === "!=";
    return order(x, y);
  };
}

function inside(left, cells, out) {
  const all = cells.map((cell) => fitted(left, cell));
  return (row) => all.some(([a, b]) => a(row) === b(row) && a(row) !== null) !== out;
}

/** Both sides as one kind: texts beside times are dates, anything beside texts is text. */
function fitted(left, right) {
  if (left.constant === null || right.constant === null) return [left.value, right.value];
  const [a, b] = [sort(left), sort(right)];
  if (a === b) return [left.value, right.value];
  if (a === "time" && right.kind === "constant") return [left.value, constantly(moment(right.constant))];
  if (b === "time" && left.kind === "constant") return [constantly(moment(left.constant)), right.value];
  if (a === "text" && right.kind === "constant") return [left.value, constantly(spelled(right.constant))];
  if (b === "text" && left.kind === "constant") return [constantly(spelled(left.constant)), right.value];
  throw new QueryError(`${told(left)} and ${told(right)} cannot be compared.`);
}

const constantly = (value) => () => value;

function sort({ kind, constant: value }) {
  if (kind === "constant") return { number: "number", string: "text", boolean: "truth" }[typeof value];
  return { numeric: "number", time: "time", category: "text" }[kind];
}

function spelled(value) {
  return typeof value === "boolean" ? (value ? "True" : "False") : String(value);
}

function moment(value) {
  const text = typeof value === "string" ? value.trim() : "";
  const at = Date.parse(/^\d{4}(-\d\d(-\d\d)?)?$/.test(text) ? text : /[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text.replace(" ", "T")}Z`);
  if (!text || Number.isNaN(at)) throw new QueryError(`“${value}” is no date; write such as '2024-05-31'.`);
  return at;
}

function told({ name, constant: value }) {
  return name === undefined ? `“${spelled(value)}”` : `“${name}”`;
}

/** A name as a query spells it. */
export function spellName(name) {
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) && !["and", "or", "not", "in", "None", "True", "False", "is", "if", "else", "lambda", "for", "await", "async", "class", "def", "return", "from", "import", "with", "as", "pass", "del", "try", "while", "global", "raise", "assert", "yield", "break", "continue", "except", "finally", "elif", "nonlocal"].includes(name) ? name : `\`${name}\``;
}

/** A text as a query spells it. */
export function spellText(text) {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
