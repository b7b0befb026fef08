// The notebook's side of the widget: the page in a frame, and its selection back to Python.

function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.setAttribute("title", "Pellucid");
  frame.srcdoc = model.get("page");
  Object.assign(frame.style, {
    width: "100%", height: `${model.get("height")}px`, border: "1px solid #8884", borderRadius: "8px",
    boxSizing: "border-box", resize: "vertical", overflow: "auto",
  });
  const hear = (event) => {
    if (event.source !== frame.contentWindow || !Array.isArray(event.data?.pellucidRows)) return;
    model.set("rows", event.data.pellucidRows);
    model.save_changes();
  };
  addEventListener("message", hear);
  el.append(frame);
  return () => removeEventListener("message", hear);
}

export default { render };
