// A form of the model's columns; the answer is shown as prediction and reasons.
const at = (id) => document.getElementById(id);
const headers = () => ({
  "content-type": "application/json",
  ...(at("key").value ? { authorization: `Bearer ${at("key").value}` } : {}),
});
let columns = [];

async function ask(path, options = {}) {
  const answer = await fetch(path, { headers: headers(), ...options });
  const body = await answer.json();
  if (answer.status === 401) at("key").parentElement.hidden = false;
  if (!answer.ok) throw new Error(body.detail);
  return body;
}

function cell(column, text) {
  if (text === "") return null;
  if (column.datatype === "BOOL") return { true: true, false: false }[text.toLowerCase()] ?? text;
  if (column.datatype === "FP64" && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  return text;
}

async function start() {
  const schema = await ask("schema");
  columns = schema.columns;
  at("model").textContent = `${schema.model.name} version ${schema.model.version}: predicts ${schema.target}`;
  at("fields").replaceChildren(...columns.map((column) => {
    const label = document.createElement("label"), input = document.createElement("input");
    label.textContent = column.name;
    input.value = schema.example[column.name] ?? "";
    label.append(input);
    return label;
  }));
}

function bar(share) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg"), rect = document.createElementNS(ns, "rect");
  svg.setAttribute("viewBox", "-50 0 100 10");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "bar");
  svg.setAttribute("aria-hidden", "true");
  rect.setAttribute("x", Math.min(0, 50 * share));
  rect.setAttribute("width", Math.abs(50 * share));
  rect.setAttribute("height", 10);
  rect.setAttribute("class", share < 0 ? "down" : "up");
  svg.append(rect);
  return svg;
}

function show(answer) {
  const reasons = answer.raw_reasons[0];
  const most = Math.max(...reasons.map((each) => Math.abs(each.importance)), 1e-300);
  const k = answer.classes?.map(String).indexOf(String(answer.predictions[0]));
  const sure = answer.probabilities ? ` (${(100 * answer.probabilities[0][k]).toFixed(1)} %)` : "";
  at("prediction").textContent = `${answer.predictions[0]}${sure}`;
  at("note").textContent = (answer.notes ?? []).join("; ");
  document.querySelector("table").hidden = false;
  document.querySelector("tbody").replaceChildren(...reasons.map((each) => {
    const row = document.createElement("tr");
    const [name, value, number, drawn] = [0, 1, 2, 3].map(() => row.insertCell());
    name.textContent = each.feature;
    value.textContent = each.value ?? "(missing)";
    number.className = "number";
    number.textContent = `${each.importance < 0 ? "−" : "+"}${Math.abs(each.importance).toPrecision(3)}`;
    drawn.append(bar(each.importance / most));
    return row;
  }));
}

at("row").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    if (!columns.length) await start();
    const inputs = [...at("fields").querySelectorAll("input")];
    const row = Object.fromEntries(columns.map((column, i) => [column.name, cell(column, inputs[i].value)]));
    show(await ask("score?explain=raw&top=20", { method: "POST", body: JSON.stringify([row]) }));
  } catch (error) {
    at("prediction").textContent = "";
    document.querySelector("table").hidden = true;
    at("note").textContent = error.message;
  }
});
start().catch((error) => { at("note").textContent = error.message; });
