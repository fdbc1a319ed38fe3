// What a map of ours does by itself, inlined into its page: themes, one selected cell, and a word with the page around it.
// It gets variables and constants from webapp/maps.py; it never builds HTML. (No two braces may stand side by side here:
// the page is rendered as a template once more.)
(function (map, layers, images, facts) {
  const root = document.documentElement;
  const framed = window.parent !== window;
  const cells = new Map();
  let selected = null;

  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);

  let step = 0;

  // In a week of the slider a cell wears that week's style; at its first position, what it was drawn as.
  function kindOf(shape) {
    const { kind, number } = shape.feature.properties;
    const code = step && facts.steps ? facts.steps.codes[number] : undefined;
    return code === undefined ? kind : facts.steps.kinds[Number(code[step - 1])];
  }

  function styleOf(kind) {
    const style = facts.styles[kind];
    return style ? style[dark() ? "dark" : "light"] : null;
  }

  function dress() {
    for (const layer of layers) {
      layer.eachLayer((shape) => {
        const style = shape.setStyle && styleOf(kindOf(shape));
        if (style) shape.setStyle(style);
      });
    }
    for (const [image, light, night] of images) image.setUrl(dark() ? night : light);
    for (const swatch of document.querySelectorAll(".swatch")) {
      const style = styleOf(swatch.dataset.kind);
      if (!style) continue;
      swatch.style.background = style.fillColor ?? "transparent";
      swatch.style.opacity = Math.max(style.fillOpacity ?? 1, 0.35);
      swatch.style.outline = `${style.weight ?? 0}px ${style.dashArray ? "dashed" : "solid"} ${style.color ?? "transparent"}`;
    }
    if (selected !== null) mark(selected);
  }

  function mark(number) {
    const cell = cells.get(number);
    if (!cell) return;
    cell.setStyle({ color: dark() ? "#ffffff" : "#111827", weight: 4, dashArray: null, opacity: 1 });
    cell.bringToFront();
  }

  function select(number, fly) {
    const before = cells.get(selected);
    if (before) before.setStyle(styleOf(kindOf(before)));
    selected = number;
    const cell = cells.get(number);
    for (const row of document.querySelectorAll("tr[data-cell]")) {
      row.toggleAttribute("aria-selected", Number(row.dataset.cell) === number);
    }
    if (!cell) return;
    mark(number);
    if (!fly) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    map.setView(cell.getBounds().getCenter(), Math.max(map.getZoom(), 13), { animate: !still });
    cell.fire("mouseover", { latlng: cell.getBounds().getCenter() }, true); // the tooltip belongs to the layer, not to the cell
  }

  for (const layer of layers) {
    layer.eachLayer((shape) => {
      const number = shape.feature.properties.number;
      if (number === undefined) return;
      cells.set(number, shape);
      shape.on("click", () => {
        select(number, false);
        if (framed) window.parent.postMessage({ chengmai: "cell", number }, "*");
        document.querySelector(`tr[data-cell="${number}"]`)?.scrollIntoView({ block: "nearest" });
      });
    });
  }

  // Only the page that holds this frame is listened to, and only for a theme and a number.
  window.addEventListener("message", (event) => {
    if (!framed || event.source !== window.parent || typeof event.data !== "object" || event.data === null) return;
    if (event.data.theme === "light" || event.data.theme === "dark") {
      root.dataset.theme = event.data.theme;
      dress();
    }
    if (Number.isInteger(event.data.focus)) select(event.data.focus, true);
  });
  for (const row of document.querySelectorAll("tr[data-cell]")) {
    row.addEventListener("click", () => select(Number(row.dataset.cell), true));
    row.addEventListener("keydown", (event) => {
      if (event.key === "Enter") select(Number(row.dataset.cell), true);
    });
  }

  map.attributionControl.setPrefix(false);
  L.control.zoom({ zoomInTitle: facts.words.zoom_in ?? "+", zoomOutTitle: facts.words.zoom_out ?? "-" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  map.getContainer().setAttribute("role", "application");
  map.getContainer().setAttribute("aria-label", document.title);
  // The wheel scrolls the page until somebody works on the map.
  map.scrollWheelZoom.disable();
  map.on("focus", () => map.scrollWheelZoom.enable());
  map.on("blur", () => map.scrollWheelZoom.disable());
  map.setMinZoom(3).setMaxZoom(19);
  const below = facts.steps ? 76 : 12; // the slider stands there
  const fit = () => map.fitBounds(facts.bounds, { paddingTopLeft: [12, 12], paddingBottomRight: [12, below], animate: false });
  fit();
  // Paper and turned phones have another shape: fit again, unless somebody chose what to look at.
  let touched = false;
  for (const kind of ["pointerdown", "wheel", "keydown"]) map.getContainer().addEventListener(kind, () => { touched = true; });
  map.on("resize", () => touched || selected !== null || fit());
  // Where there is room, names are shown; far out they would stand on each other.
  const crowd = () => root.toggleAttribute("data-far", map.getZoom() < map.getBoundsZoom(facts.bounds));
  map.on("zoomend", crowd);
  crowd();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  dress();
  if (facts.steps) slide();

  function slide() {
    const { captions } = facts.steps;
    const box = document.createElement("div");
    const [button, range, told] = ["button", "input", "output"].map((name) => document.createElement(name));
    box.className = "steps";
    range.type = "range";
    range.min = "0";
    range.max = String(captions.length);
    range.value = "0";
    let timer = null;
    const label = () => { button.textContent = timer ? facts.words.pause : facts.words.play; };
    const show = () => {
      step = Number(range.value);
      told.textContent = step ? captions[step - 1] : facts.words.all_weeks;
      range.setAttribute("aria-valuetext", told.textContent);
      dress();
    };
    const stop = () => { clearInterval(timer); timer = null; label(); };
    range.setAttribute("aria-label", facts.words.slider ?? "");
    range.addEventListener("input", () => { stop(); show(); });
    button.type = "button";
    button.addEventListener("click", () => {
      if (timer) return stop();
      if (Number(range.value) === captions.length) range.value = "0";
      timer = setInterval(() => {
        range.value = String(Number(range.value) + 1);
        show();
        if (Number(range.value) === captions.length) stop();
      }, 700);
      label();
    });
    box.append(button, range, told);
    map.getContainer().append(box);
    L.DomEvent.disableClickPropagation(box);
    L.DomEvent.disableScrollPropagation(box);
    label();
    show();
  }
  if (framed) window.parent.postMessage({ chengmai: "ready" }, "*");
})
