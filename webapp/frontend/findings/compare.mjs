// Before and after in one frame: a line that is dragged, by pointer or by the arrow keys. Without it the two columns below remain.
import { el } from "/frontend/common/dom.mjs";

for (const box of document.querySelectorAll(".compare")) {
  const { before, after, label } = box.dataset;
  const top = el("img", { src: before, alt: "", class: "over" });
  const range = el("input", { type: "range", min: "0", max: "100", value: "50", "aria-label": label });
  const show = () => box.style.setProperty("--cut", `${range.value}%`);
  range.addEventListener("input", show);
  box.append(el("img", { src: after, alt: "" }), top, range);
  box.hidden = false;
  show();
}
