// Sums of trees: margins, and exact Shapley values against a background.
//
// The value of a coalition is the mean margin of background rows that take its players' columns
// from the row. Down a tree, all background rows that are alike so far go together, as bits of a
// mask. Where a player first parts the row from a background row, the walk takes both ways: with
// the player in the coalition, and without. A leaf of value v that U players in and V players out
// lead to is a product game: each of the U gets v (U-1)! V! / (U+V)!, each of the V loses
// v U! (V-1)! / (U+V)! (Lundberg et al. 2020, Nature Machine Intelligence 2, for one pair of rows).

const CATEGORICAL = 1;
const MISSING_LEFT = 2;
const ZERO_MISSING = 4;
const UNKNOWN_LEFT = 8;
const ZERO_WIDTH = Math.fround(1e-35);
const UNDECIDED = 0;
const IN = 1;
const OUT = 2;

/** A member as functions of the row that it sees. */
export function treeMember(trees, background) {
  const { roots, output, divisor, intercept } = trees;
  const nOutputs = intercept.length;
  const n = trees.feature.length;
  const tree = spread(trees, n);
  const { feature, left, right, leafAt, value, width } = tree;
  const words = Math.ceil(background.length / 32);
  const ways = new Uint32Array(n * words); // of the background: bit set where a row goes left
  background.forEach((row, z) => {
    for (let node = 0; node < n; node += 1) {
      if (feature[node] >= 0 && goesLeft(tree, node, row[feature[node]])) ways[node * words + (z >> 5)] |= 1 << (z & 31);
    }
  });
  const everyone = new Uint32Array(words);
  background.forEach((_, z) => { everyone[z >> 5] |= 1 << (z & 31); });
  const deepest = tree.depth + 2;
  const masks = new Uint32Array(deepest * words);
  const side = new Uint8Array(n);
  const path = new Int32Array(deepest);
  const { gain, loss } = shares(deepest);

  function look(row) {
    for (let node = 0; node < n; node += 1) if (feature[node] >= 0) side[node] = goesLeft(tree, node, row[feature[node]]);
  }

  function margins(row) {
    const out = Float64Array.from(intercept);
    for (let t = 0; t < roots.length; t += 1) {
      let node = roots[t];
      while (feature[node] >= 0) node = goesLeft(tree, node, row[feature[node]]) ? left[node] : right[node];
      for (let k = 0; k < width; k += 1) out[output[t] + k] += value[leafAt[node] * width + k];
    }
    return out.map((x) => x / divisor);
  }

  /** Add `weight` times the values of players to `sums`, a player's outputs side by side. */
  function addValues(row, players, weight, sums) {
    look(row);
    const state = new Uint8Array(Math.max(-1, ...players) + 1);
    const scale = weight / (divisor * background.length);
    let first = 0;

    // `depth` is where the mask of the background rows stands that come this way
    function walk(node, depth, ours, theirs) {
      const at = depth * words;
      if (feature[node] < 0) {
        leaf(node, at, ours, theirs);
        return;
      }
      const player = players[feature[node]];
      const child = side[node] ? left[node] : right[node];
      if (state[player] === IN) {
        walk(child, depth, ours, theirs);
      } else if (state[player] === OUT) {
        if (cut(node, at, true)) walk(left[node], depth + 1, ours, theirs);
        if (cut(node, at, false)) walk(right[node], depth + 1, ours, theirs);
      } else {
        if (cut(node, at, side[node] === 1)) walk(child, depth + 1, ours, theirs);
        if (!cut(node, at, side[node] !== 1)) return;
        path[ours + theirs] = player;
        state[player] = IN;
        walk(child, depth + 1, ours + 1, theirs);
        state[player] = OUT;
        walk(side[node] ? right[node] : left[node], depth + 1, ours, theirs + 1);
        state[player] = UNDECIDED;
      }
    }

    /** Put the rows of a mask that go left, or right, behind it; whether there are any. */
    function cut(node, at, goLeft) {
      let any = 0;
      for (let w = 0; w < words; w += 1) {
        const way = ways[node * words + w];
        const kept = masks[at + w] & (goLeft ? way : ~way);
        masks[at + words + w] = kept;
        any |= kept;
      }
      return any !== 0;
    }

    function leaf(node, at, ours, theirs) {
      if (ours + theirs === 0) return;
      let rows = 0;
      for (let w = 0; w < words; w += 1) rows += ones(masks[at + w]);
      const plus = rows * scale * gain[ours * deepest + theirs];
      const minus = rows * scale * loss[ours * deepest + theirs];
      for (let i = 0; i < ours + theirs; i += 1) {
        const player = path[i];
        const share = state[player] === IN ? plus : -minus;
        for (let k = 0; k < width; k += 1) sums[player * nOutputs + first + k] += share * value[leafAt[node] * width + k];
      }
    }

    masks.set(everyone);
    for (let t = 0; t < roots.length; t += 1) {
      first = output[t];
      walk(roots[t], 0, 0, 0);
    }
  }
  return { margins, addValues };
}

/** Arrays over all nodes, of those over inner nodes and over leaves. */
function spread(trees, n) {
  const { feature, value } = trees;
  const nLeaves = feature.reduce((sum, f) => sum + (f < 0), 0);
  const width = nLeaves ? value.length / nLeaves : 1;
  const [left, right, leafAt] = [new Int32Array(n), new Int32Array(n), new Int32Array(n)];
  const threshold = new Float64Array(n);
  const flags = new Uint8Array(n);
  const level = new Int32Array(n);
  let inner = 0;
  let leaf = 0;
  let depth = 0;
  for (let node = 0; node < n; node += 1) {
    if (feature[node] < 0) {
      leafAt[node] = leaf;
      leaf += 1;
      continue;
    }
    left[node] = node + trees.left[inner];
    right[node] = node + trees.right[inner];
    threshold[node] = trees.threshold[inner];
    flags[node] = trees.flags[inner];
    level[left[node]] = level[node] + 1;
    level[right[node]] = level[node] + 1;
    depth = Math.max(depth, level[node] + 1);
    inner += 1;
  }
  return { ...trees, left, right, leafAt, threshold, flags, width, depth };
}

/** 1 where a value takes the left branch; see `pellucid.shapley.trees`. */
function goesLeft(tree, node, x) {
  const flag = tree.flags[node];
  if (Number.isNaN(x)) return flag & MISSING_LEFT ? 1 : 0;
  if (flag & CATEGORICAL) {
    if (!(x > -1 && x < 32 * tree.cat_size[node])) return flag & UNKNOWN_LEFT ? 1 : 0;
    const code = Math.trunc(x);
    return (tree.cat_bits[tree.cat_start[node] + (code >> 5)] >>> (code & 31)) & 1;
  }
  if (flag & ZERO_MISSING && x >= -ZERO_WIDTH && x <= ZERO_WIDTH) return flag & MISSING_LEFT ? 1 : 0;
  return x <= tree.threshold[node] ? 1 : 0;
}

/** What a leaf of U players in and V out gives each, at U * size + V: 1/(U C(U+V,U)), 1/(V C(U+V,V)). */
function shares(size) {
  const gain = new Float64Array(size * size);
  const loss = new Float64Array(size * size);
  for (let u = 0; u < size; u += 1) {
    let ways = 1; // C(u + v, v)
    for (let v = 0; v < size; v += 1) {
      if (v > 0) ways *= (u + v) / v;
      gain[u * size + v] = u ? 1 / (u * ways) : 0;
      loss[u * size + v] = v ? 1 / (v * ways) : 0;
    }
  }
  return { gain, loss };
}

function ones(word) {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
