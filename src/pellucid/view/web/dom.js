// Elements made from data. Text only ever enters as text nodes, so nothing that a name or a cell
// spells can become markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element.
 * @param {string} tag
 * @param {Object<string, any>} [props] attributes; `class`, `on<Event>` and `style` (an object) too
 * @param {...(Node|string|number|null|undefined|false|Array)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** An SVG element; see `h`. */
export function s(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(node, props, children) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined) continue;
    if (value === false && !key.startsWith("aria-")) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2).toLowerCase(), value);
    else if (key === "style") {
      for (const [name, setting] of Object.entries(value)) node.style.setProperty(name, setting);
    } else node.setAttribute(key, value === true && !key.startsWith("aria-") ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

/** A name or cell from the user's table: its own writing direction, its full length on hover. */
export function name(text, props = {}) {
  const full = String(text);
  const shown = full.length > 160 ? `${full.slice(0, 159)}…` : full;
  return h("bdi", { title: full.length > 24 ? full.slice(0, 2000) : null, ...props }, seen(shown));
}

/** What can be seen of a text, where there is nothing to see too. */
function seen(text) {
  return text === "" ? "(empty)" : text.trim() === "" ? "(blank)" : text;
}

/** Put new children in place of the old. */
export function swap(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((c) => c));
  return node;
}

let serial = 0;

/** An id that no other element has. */
export function uid(prefix) {
  serial += 1;
  return `${prefix}-${serial}`;
}

/**
 * A section with a heading that names it.
 * @param {string} id
 * @param {string} title
 * @param {Node|string|null} lede
 */
export function section(id, title, lede, ...children) {
  const heading = `${id}-title`;
  return h("section", { id, "aria-labelledby": heading },
    h("header", { class: "section-head" },
      h("h2", { id: heading }, title),
      lede && h("p", { class: "lede" }, lede)),
    ...children);
}

/** A labelled select. `options` are [value, label] pairs. */
export function select(label, options, value, onchange) {
  const id = uid("select");
  const node = h("select", { id, onchange: () => onchange(node.value) },
    options.map(([key, text]) => {
      const shown = String(text).length > 60 ? `${String(text).slice(0, 59)}…` : text;
      return h("option", { value: key, selected: String(key) === String(value) }, seen(String(shown)));
    }));
  return h("div", { class: "field" }, h("label", { for: id }, label), node);
}
