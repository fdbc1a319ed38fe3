// A map on paper is the map on the screen, made smaller. A page is laid out for paper without any script being asked, so a map that
// is wider than the paper would be cut, and WebGL, which keeps nothing between two frames, would leave it white.
const PAPER_PX = 680; // what is left of A4 upright within its margins, at 96 to the inch
const SET = ["width", "height", "maxWidth", "transform", "transformOrigin", "marginBottom", "marginRight"];

/** Print `element` as it stands; `picture()` lays over it what cannot be printed itself, and returns that. */
export function onPaper(element, picture = () => null) {
  let before = null, over = null;
  addEventListener("beforeprint", () => {
    const { offsetWidth: width, offsetHeight: height } = element;
    if (before || !width) return;
    before = Object.fromEntries(SET.map((name) => [name, element.style[name]]));
    over = picture();
    const scale = Math.min(1, PAPER_PX / width);
    Object.assign(element.style, {
      width: `${width}px`, height: `${height}px`, maxWidth: "none", transform: `scale(${scale})`, transformOrigin: "0 0",
      marginBottom: `${(scale - 1) * height}px`, marginRight: `${(scale - 1) * width}px`, // room for what is seen, not for what it was
    });
  });
  addEventListener("afterprint", () => {
    over?.remove();
    if (before) Object.assign(element.style, before);
    before = over = null;
  });
}
