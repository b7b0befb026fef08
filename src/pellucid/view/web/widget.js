// The notebook's side of the widget: the page in a frame, its selection and its questions to Python,
// and Python's answers to it.

function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts allow-downloads");
  frame.setAttribute("title", "Pellucid");
  frame.srcdoc = model.get("page");
  Object.assign(frame.style, {
    width: "100%", height: `${model.get("height")}px`, border: "1px solid #8884", borderRadius: "8px",
    boxSizing: "border-box", resize: "vertical", overflow: "auto",
  });
  const hear = ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    if (data?.pellucidAsk) model.send({ pellucidAsk: data.pellucidAsk });
    if (!Array.isArray(data?.pellucidRows)) return;
    model.set("rows", data.pellucidRows);
    model.save_changes();
  };
  const answer = (said) => said?.pellucidAnswer && frame.contentWindow?.postMessage(said, "*");
  addEventListener("message", hear);
  model.on("msg:custom", answer);
  el.append(frame);
  return () => {
    removeEventListener("message", hear);
    model.off("msg:custom", answer);
  };
}

export default { render };
