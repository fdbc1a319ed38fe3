// The few parts every screen is built from: icons, the ring, chips, sheets, and how times and distances read.
import { el } from "/frontend/common/dom.mjs";
import { language, t } from "/frontend/common/words.mjs";
import { dayOf, formatter, now } from "./clock.mjs";

const SVG = "http://www.w3.org/2000/svg";

/** `svg("circle", {r: 4})`: like `el`, for drawings. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== undefined) node.setAttribute(key, String(value));
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

const PATHS = {
  today: ["M4 6h16M4 12h16M4 18h10"],
  fill: ["M5 4h14v16H5z", "M8 10l2.5 2.5L16 7.5", "M8 16.5h8"],
  me: ["M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z", "M4.5 20.5a7.5 7.5 0 0 1 15 0"],
  back: ["M15 5l-7 7 7 7"],
  next: ["M9 5l7 7-7 7"],
  camera: ["M4 8h3.5l1.5-2.5h6L16.5 8H20v11H4z", "M12 16.5a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.600z"],
  album: ["M4 5h16v14H4z", "M4 16l5-5 4 4 2.5-2.5L20 17", "M15.5 9.5h.01"],
  note: ["M5 19l1-4L16 5l3 3L9 18z", "M13.5 7.5l3 3"],
  phone: ["M6 3.5h3l1.5 4.5-2 1.5a11 11 0 0 0 6 6l1.5-2 4.5 1.5v3a2 2 0 0 1-2 2A16.5 16.5 0 0 1 4 5.5a2 2 0 0 1 2-2z"],
  pin: ["M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11z", "M12 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z"],
  refresh: ["M19 12a7 7 0 1 1-2-5", "M19.5 3.5V8H15"],
  check: ["M4.5 12.5l5 5 10-11"],
  cross: ["M6 6l12 12M18 6L6 18"],
  clock: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M12 7v5l3.5 2"],
  warn: ["M12 4L2.5 20h19z", "M12 10v4.5M12 17.300h.01"],
  up: ["M12 19V6M6.5 11.5L12 6l5.5 5.5"],
  people: ["M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z", "M4.5 20.5a7.5 7.5 0 0 1 15 0"],
};

/** A line drawing of 24 pixels; decorative, the words beside it carry the meaning. */
export function icon(name, size = 24) {
  const paths = PATHS[name].map((d) => svg("path", { d }));
  return svg("svg", {
    width: size, height: size, viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 2,
    "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true", class: "icon",
  }, paths);
}

/** The ring: answered of total, as a drawing and as figures. */
export function ring(answered, total, size = 56) {
  const r = 24;
  const whole = 2 * Math.PI * r;
  const share = total ? answered / total : 0;
  return svg("svg", { width: size, height: size, viewBox: "0 0 56 56", class: share === 1 ? "ring full" : "ring", role: "img",
    "aria-label": t("%(answered)s of %(total)s answered", { answered, total }) },
    svg("circle", { cx: 28, cy: 28, r, class: "rail" }),
    share ? svg("circle", { cx: 28, cy: 28, r, class: "arc", "stroke-dasharray": `${whole * share} ${whole}`, transform: "rotate(-90 28 28)" }) : null,
    svg("text", { x: 28, y: 33, "text-anchor": "middle" }, `${answered}/${total}`));
}

/** A coloured word with a shape: never colour alone. */
export function chip(text, colour = "", shape = null) {
  return el("span", { class: `chip ${colour}` }, shape ? icon(shape, 14) : null, text);
}

/** A large button. */
export function button(label, onclick, { kind = "", sign = null, ...rest } = {}) {
  return el("button", { type: "button", class: `big ${kind}`, onclick, ...rest }, sign ? icon(sign) : null, label);
}

/** A line of choices of which one is taken. */
export function choices(name, options, chosen, choose) {
  return el("div", { class: "choices", role: "radiogroup", "aria-label": name }, options.map(([value, label]) =>
    el("button", { type: "button", role: "radio", "aria-checked": String(value === chosen), onclick: () => choose(value), dataset: { value } }, label)));
}

/**
 * A sheet from below with a title and content. `build(close)` gives the content; resolves with what `close` is called
 * with, or `null` when the person turns away.
 */
export function sheet(title, build) {
  return new Promise((done) => {
    const box = el("dialog", { class: "sheet", "aria-label": title });
    const close = (value = null) => {
      box.close();
      box.remove();
      done(value);
    };
    box.addEventListener("cancel", (event) => { event.preventDefault(); close(); });
    box.addEventListener("click", (event) => event.target === box && close());
    box.append(el("div", { class: "inside" }, el("h2", {}, title), build(close)));
    document.body.append(box);
    box.showModal();
  });
}

/** Ask before something is thrown away. Resolves to true or false. */
export async function sure(title, text, yes, kind = "danger") {
  return (await sheet(title, (close) => [
    el("p", {}, text),
    el("div", { class: "stack" }, button(yes, () => close(true), { kind }), button(t("Keep"), () => close(false))),
  ])) === true;
}

/** A sentence that comes and goes. */
export function toast(text, kind = "") {
  document.querySelector(".toast")?.remove();
  const note = el("p", { class: `toast ${kind}`, role: "alert" }, text);
  document.body.append(note);
  setTimeout(() => note.remove(), 5_000);
}

const locale = language === "zh" ? "zh-CN" : "en-GB";
const hourMinute = formatter(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const monthDay = formatter(locale, { month: "numeric", day: "numeric" });

/** 09:41 */
export const clock = (iso) => hourMinute.format(new Date(iso));

/** 09:41 when it is today, 11/17 09:41 otherwise. */
export function moment(iso) {
  return dayOf(iso) === dayOf(now()) ? clock(iso) : `${monthDay.format(new Date(iso))} ${clock(iso)}`;
}

/** A length of time: 2 小时 10 分. */
export function span(milliseconds) {
  const minutes = Math.floor(Math.abs(milliseconds) / 60_000);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  return days ? t("%(days)s d %(hours)s h", { days, hours })
    : hours ? t("%(hours)s h %(minutes)s min", { hours, minutes: minutes % 60 }) : t("%(minutes)s min", { minutes });
}

/** How long until a limit, or since: 剩 2 小时 10 分, 超时 30 分. */
export function countdown(limit) {
  const time = span(Date.parse(limit) - now());
  return Date.parse(limit) > now() ? t("%(time)s left", { time }) : t("%(time)s overdue", { time });
}

/** 350 m, 1.2 km */
export function distance(metres) {
  return metres < 1000 ? `${Math.round(metres / 10) * 10} m` : `${(metres / 1000).toFixed(1)} km`;
}

/** 4.6 KB, 2.1 MB */
export function bytes(count) {
  const units = ["B", "KB", "MB", "GB"];
  let n = count;
  let i = 0;
  while (n >= 1024 && i < 3) { n /= 1024; i += 1; }
  return `${i && n < 100 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}
