// One tooltip for all charts; it repeats what is written elsewhere, so it is hidden from readers.

import { h, swap } from "./dom.js";

let box = null;

/**
 * Show lines beside the pointer.
 * @param {{clientX: number, clientY: number}} at
 * @param {Array<Node|string>} lines the first one stands out
 */
export function showTip(at, lines) {
  box ??= document.body.appendChild(h("div", { class: "tip", "aria-hidden": "true" }));
  swap(box, lines.map((line, i) => h("div", { class: i === 0 ? "tip-title" : null }, line)));
  box.classList.add("on");
  const { width, height } = box.getBoundingClientRect();
  const left = at.clientX + 14 + width > innerWidth ? at.clientX - width - 14 : at.clientX + 14;
  const top = Math.min(at.clientY + 14, innerHeight - height - 8);
  box.style.setProperty("transform", `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`);
}

/** Hide it. */
export function hideTip() {
  box?.classList.remove("on");
}
