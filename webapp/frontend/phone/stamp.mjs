// The stamp on a photo: when, where, which order, by whom, drawn on a copy that stands upright however the phone was held.
//
// The original is the evidence: it is kept and sent byte for byte under its SHA-256. The stamped copy is made from it once,
// names the beginning of that hash, and stays with it; the desk draws the same stamp from what was sent, so the copy is
// never sent. A canvas takes over points of colour only: nothing that was written into the file's EXIF comes along.
import { t } from "/frontend/common/words.mjs";
import { wellFormed } from "./canonical.mjs";
import { dayOf, timeOf } from "./clock.mjs";
import { decode, encode } from "./pictures.mjs";

const LONGEST_PX = 2048;
const QUALITY = 0.85;
const FONT = '"Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif';
const SHOWN_OF_HASH = 16;

/** 2026-11-17 09:41:05, as the bureau's clocks showed it: the desk draws the same stamp. */
export const fullTime = (iso) => `${dayOf(iso)} ${timeOf(iso)}`;

/** The lines of the stamp. `facts` is `{taken_at, album, position, place, order_no, inspector, sha256}`. Pure. */
export function lines({ taken_at: at, album, position, place, order_no: order, inspector, sha256 }) {
  return [
    [fullTime(at), album ? t("from the album") : null].filter(Boolean).join(" · "),
    [place, order ? t("Order %(no)s", { no: order }) : null].filter(Boolean).join(" · "),
    position ? `${position.lat.toFixed(6)}, ${position.lon.toFixed(6)} ±${Math.round(position.accuracy_m)} m` : t("no position"),
    [inspector, `SHA-256 ${sha256.slice(0, SHOWN_OF_HASH)}…`].filter(Boolean).join(" · "),
  ].filter(Boolean).map(wellFormed);
}

/** A stamped JPEG of the picture in `blob`, upright, at most 2048 pixels long; `null` where it cannot be drawn. */
export async function stamped(blob, facts) {
  const drawn = await decode(blob).catch(() => null);
  if (!drawn) return null;
  return encode(drawn, LONGEST_PX, QUALITY, (pen, width, height) => draw(pen, width, height, lines(facts)));
}

/** The lines on a dark band at the lower edge; what is too long goes on in the next line. */
function draw(pen, width, height, text) {
  const size = Math.max(13, Math.round(Math.min(width, height) * 0.034));
  const edge = Math.round(size * 0.6);
  pen.font = `600 ${size}px ${FONT}`;
  const rows = text.flatMap((line) => wrapped(pen, line, width - 2 * edge));
  const band = Math.min(height, Math.round(rows.length * size * 1.35) + 2 * edge);
  pen.fillStyle = "rgb(0 0 0 / 62%)";
  pen.fillRect(0, height - band, width, band);
  pen.fillStyle = "#fff";
  pen.textBaseline = "top";
  rows.forEach((row, i) => pen.fillText(row, edge, height - band + edge + i * size * 1.35));
}

function wrapped(pen, line, room) {
  const rows = [""];
  for (const sign of line) {
    if (rows.at(-1) && pen.measureText(rows.at(-1) + sign).width > room) rows.push("");
    rows[rows.length - 1] += sign;
  }
  return rows;
}
