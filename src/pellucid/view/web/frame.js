// Draw once a frame, however often one is asked to.

/**
 * @param {() => void} draw
 * @returns {() => void} asks for `draw` before the next frame
 */
export function perFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}
