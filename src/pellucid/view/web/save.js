// A picture of what the page shows, as a file: SVG, or PNG at twice the size, made in the page.

import { h } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "stroke-linejoin", "opacity", "font-family", "font-size", "font-weight", "text-anchor", "visibility"];
const SCALE = 2;
const AIR = 16; // pixels around the picture

/**
 * A button that saves a picture.
 * @param {() => HTMLElement} node what is pictured
 * @param {() => string} title for the file's name
 */
export function saver(node, title) {
  const as = (kind) => h("button", { type: "button", class: "quiet chip", onclick: () => { close(); save(node(), title(), kind); } }, kind.toUpperCase());
  const menu = h("span", { class: "save-menu", hidden: true }, as("png"), as("svg"));
  const open = h("button", { type: "button", class: "save-open", "aria-expanded": "false", "aria-label": "Save the picture", title: "Save the picture", onclick: () => (menu.hidden ? show() : close()) }, "⤓");
  const show = () => { menu.hidden = false; open.setAttribute("aria-expanded", "true"); menu.firstChild.focus(); };
  const close = () => { menu.hidden = true; open.setAttribute("aria-expanded", "false"); };
  return h("span", { class: "save", onkeydown: (event) => { if (event.key === "Escape") { close(); open.focus(); } }, onclick: (event) => event.stopPropagation() }, menu, open);
}

async function save(node, title, kind) {
  const { text, width, height } = picture(node);
  const name = `${title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60) || "chart"}.${kind}`;
  if (kind === "svg") return saveAs(new Blob([text], { type: "image/svg+xml" }), name);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = h("canvas", { width: width * SCALE, height: height * SCALE });
  canvas.getContext("2d").drawImage(image, 0, 0, width * SCALE, height * SCALE);
  return canvas.toBlob((blob) => saveAs(blob, name), "image/png");
}

/** Hand a file to the reader. */
export function saveAs(blob, name) {
  const href = URL.createObjectURL(blob);
  h("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
}

/** What stands in a node, as an SVG that needs nothing else. */
function picture(node) {
  const box = node.getBoundingClientRect();
  const [width, height] = [Math.ceil(box.width) + 2 * AIR, Math.ceil(box.height) + 2 * AIR];
  const root = made("svg", { xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}` });
  root.append(made("rect", { width, height, fill: getComputedStyle(document.documentElement).backgroundColor }));
  const inner = made("g", { transform: `translate(${AIR - box.left} ${AIR - box.top})` });
  root.append(inner);
  walk(node, inner, box);
  return { text: new XMLSerializer().serializeToString(root).replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, ""), width, height };
}

function made(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  return node;
}

/** Boxes with a colour, texts, canvases and drawings, in the order in which they are painted. */
function walk(node, into, frame) {
  if (node.nodeType === Node.TEXT_NODE) {
    texts(node, into, frame);
    return;
  }
  if (node.nodeType !== Node.ELEMENT_NODE || node.matches(".save, .sr, .sheet, input, select")) return;
  const style = getComputedStyle(node);
  const box = node.getBoundingClientRect();
  if (style.display === "none" || style.visibility === "hidden" || !box.width) return;
  const place = { x: box.left, y: box.top, width: box.width, height: box.height };
  if (node instanceof SVGElement) {
    into.append(drawn(node, place));
    return;
  }
  if (node instanceof HTMLCanvasElement) {
    if (node.width && node.height) into.append(made("image", { ...place, href: node.toDataURL("image/png") }));
    return;
  }
  const group = style.opacity === "1" ? into : into.appendChild(made("g", { opacity: style.opacity }));
  if (style.backgroundColor !== "rgba(0, 0, 0, 0)") group.append(made("rect", { ...place, fill: style.backgroundColor, rx: parseFloat(style.borderTopLeftRadius) || 0 }));
  for (const child of node.childNodes) walk(child, group, frame);
}

function drawn(svg, place) {
  const copy = svg.cloneNode(true);
  const all = [svg, ...svg.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((each, i) => {
    const style = getComputedStyle(all[i]);
    for (const key of STYLES) each.setAttribute(key, style.getPropertyValue(key));
    for (const name of ["class", "style", "role", "aria-label", "aria-hidden"]) each.removeAttribute(name);
  });
  for (const [key, value] of Object.entries(place)) copy.setAttribute(key, String(value));
  copy.setAttribute("overflow", "visible");
  return copy;
}

/** A text line by line, cut where its box cuts it. */
function texts(node, into, frame) {
  const parent = node.parentElement;
  const style = getComputedStyle(parent);
  const range = document.createRange();
  const lines = [];
  for (const word of node.data.matchAll(/\S+\s*/g)) {
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].trimEnd().length);
    const box = range.getBoundingClientRect();
    if (!box.width) continue;
    const last = lines[lines.length - 1];
    if (last && Math.abs(last.top - box.top) < 2) {
      last.text += ` ${word[0].trimEnd()}`;
      last.right = box.right;
    } else lines.push({ text: word[0].trimEnd(), left: box.left, right: box.right, top: box.top, height: box.height });
  }
  const end = Math.min(frame.right, parent.closest("bdi, .imp-name, .wf-name")?.getBoundingClientRect().right ?? Infinity);
  for (const { text, left, right, top, height } of lines) {
    const line = made("text", { x: left, y: top + height * 0.78, fill: style.color, "font-family": style.fontFamily, "font-size": style.fontSize, "font-weight": style.fontWeight });
    const most = Math.max(1, Math.floor((text.length * (end - left)) / (right - left)));
    line.textContent = right > end + 1 ? `${text.slice(0, most - 1)}…` : text;
    into.append(line);
  }
}
