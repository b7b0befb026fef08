// Nested values with arrays, as `pellucid.view.carried.pack` writes them.

const ARRAYS = {
  u1: Uint8Array, i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array,
};

/** @param {string} text base64 of the compressed values @returns {Promise<Object>} */
export async function unzip(text) {
  const stream = new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]).stream();
  return unpack(await new Response(stream.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
}

/** @param {ArrayBuffer} buffer */
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const planes = new Uint8Array(buffer, 4 + length);
  return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)), (key, value) => (
    value && typeof value.at === "number" && ARRAYS[value.type] ? joined(planes, value) : value));
}

/** Numbers whose bytes lie in planes, the lowest first. */
function joined(planes, { type, shape, at }) {
  const kind = ARRAYS[type];
  const n = shape.reduce((a, b) => a * b, 1);
  const width = kind.BYTES_PER_ELEMENT;
  const out = new kind(n);
  const bytes = new Uint8Array(out.buffer);
  for (let b = 0; b < width; b += 1) {
    const start = at + b * n;
    for (let i = 0; i < n; i += 1) bytes[i * width + b] = planes[start + i];
  }
  return out;
}
