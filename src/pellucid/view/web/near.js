// What takes time is done when it is about to be seen.

/**
 * Call once when a node comes near to what is seen.
 * @param {Element} node
 * @param {() => void} callback
 * @param {string} [margin] how near
 */
export function whenNear(node, callback, margin = "500px") {
  const watch = new IntersectionObserver((seen) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    watch.disconnect();
    callback();
  }, { rootMargin: margin });
  watch.observe(node);
}
