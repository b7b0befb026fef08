// A row's cells as engineered columns: what `pellucid.tabular.encoders` do, in single precision.

const DAY = 86_400_000;
const BLANK = "[^\\S\\ufeff]|[\\x1c-\\x1f\\x85]"; // what Python takes for white
const EDGES = new RegExp(`^(?:${BLANK})+|(?:${BLANK})+$`, "g");
const GAPS = new RegExp(`(?:${BLANK})+`);
const TOKEN = /[\p{L}\p{N}_]{2,}/gu;
const ENDLESS = { inf: Infinity, "-inf": -Infinity }; // JSON has no such numbers
const TAG = /<\/?[a-zA-Z][^<>]*>/g;

/**
 * @param {Array<{column: string, type: string, state: Object}>} encoders in the order of the columns
 * @param {number} width engineered columns
 * @returns {(cells: Object<string, any>) => Float32Array}
 */
export function featurizer(encoders, width) {
  const parts = encoders.map(({ column, type, state }) => [column, ENCODERS[type](state)]);
  return (cells) => {
    const out = new Float32Array(width);
    let at = 0;
    for (const [column, write] of parts) {
      const values = write(cells[column] ?? null);
      out.set(values, at);
      at += values.length;
    }
    return out;
  };
}

const ENCODERS = {
  numeric: ({ low, high, missing, offset, filler }) => (cell) => {
    const x = toNumber(cell);
    const gone = Number.isNaN(x);
    let value = Math.fround((gone && filler !== null ? filler : x) - offset);
    if (value === Infinity) value = high;
    if (value === -Infinity) value = low;
    return missing ? [value, Number(gone)] : [value];
  },

  "number code": ({ values }) => {
    const code = new Map(values.map((value, i) => [value, i]));
    return (cell) => {
      const x = toNumber(cell);
      return [Number.isNaN(x) ? NaN : code.get(x) ?? values.length];
    };
  },

  boolean: ({ missing }) => (cell) => {
    const x = cell === null ? NaN : Number(cell === true || cell === "True");
    return missing ? [x, Number(cell === null)] : [x];
  },

  onehot: ({ levels, rare, missing }) => {
    const position = places(levels);
    const width = levels.length + rare + missing;
    if (levels.length === 2 && !rare && !missing) return (cell) => [position.get(label(cell)) ?? NaN];
    return (cell) => {
      const found = label(cell);
      if (found === null) return marks(width, missing ? width - 1 : -1);
      return marks(width, position.get(found) ?? (rare ? levels.length : -1));
    };
  },

  frequency: ({ levels, counts, n_rows: n, n_own: own, missing }) => {
    const position = places(levels);
    return (cell) => {
      const found = label(cell);
      const at = found === null ? -1 : position.get(found) ?? -1;
      const share = found === null ? NaN : at < 0 ? 0 : counts[at] / n;
      const marked = found === null ? (missing ? own : -1) : at < own ? at : -1;
      return [share, ...marks(own + missing, marked)];
    };
  },

  code: ({ levels }) => {
    const position = places(levels);
    return (cell) => {
      const found = label(cell);
      return [found === null ? NaN : position.get(found) ?? levels.length];
    };
  },

  datetime: ({ parts, start, missing }) => (cell) => {
    const time = cell === null ? NaN : Date.parse(/(?:Z|[-+]\d\d:\d\d)$/.test(cell) || cell.length === 10 ? cell : `${cell}Z`);
    const date = new Date(time);
    const values = [...parts.map((part) => PARTS[part](date)), (time * 1000 - start) / (DAY * 1000)];
    return missing ? [...values, Number(Number.isNaN(time))] : values;
  },

  text: ({ words, idf, missing }) => {
    const position = places(words);
    return (cell) => {
      const out = new Float64Array(words.length + 1 + missing);
      if (cell === null) {
        out[words.length] = NaN;
        if (missing) out[words.length + 1] = 1;
        return out;
      }
      const counts = new Map();
      for (const token of (cell.includes("<") ? cell.replace(TAG, " ") : cell).toLowerCase().match(TOKEN) ?? []) {
        const at = position.get(token);
        if (at !== undefined) counts.set(at, (counts.get(at) ?? 0) + 1);
      }
      let squares = 0;
      for (const at of [...counts.keys()].sort((a, b) => a - b)) {
        out[at] = (Math.log(counts.get(at)) + 1) * idf[at];
        squares += out[at] * out[at];
      }
      for (const at of counts.keys()) out[at] /= Math.sqrt(squares);
      const bare = cell.replace(EDGES, "");
      out[words.length] = bare ? bare.split(GAPS).length : 0;
      return out;
    };
  },
};

const PARTS = {
  year: (d) => d.getUTCFullYear(),
  month: (d) => d.getUTCMonth() + 1,
  day: (d) => d.getUTCDate(),
  yearday: (d) => Math.floor((d - new Date(d).setUTCMonth(0, 1)) / DAY) + 1,
  weekday: (d) => (d.getUTCDay() + 6) % 7,
  hour: (d) => d.getUTCHours(),
  minute: (d) => d.getUTCMinutes(),
};

function toNumber(cell) {
  return cell === null ? NaN : ENDLESS[cell] ?? Number(cell);
}

/** A cell as a label, null where there is none. */
function label(cell) {
  return cell === null ? null : String(cell).replace(EDGES, "") || null;
}

function places(levels) {
  return new Map(levels.map((level, i) => [level, i]));
}

/** 1 at a place and 0 elsewhere; a negative place is all zeros. */
function marks(width, at) {
  const out = new Float64Array(width);
  if (at >= 0) out[at] = 1;
  return out;
}
