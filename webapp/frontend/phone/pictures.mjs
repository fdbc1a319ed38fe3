// Pictures before they are kept. The original is kept as it is whenever the server takes its kind and size.
import { t } from "/frontend/common/words.mjs";
import { PHOTO } from "./rules.mjs";

const THUMB_PX = 240;
const LARGE_PX = 4096;

/** A picture the server will take: the file itself, or (HEIC, far too large) a JPEG made from it. Throws a sentence. */
export async function readable(file) {
  const name = file.name || "photo.jpg";
  const fits = file.size <= PHOTO.maxBytes;
  const drawn = await decode(file).catch(() => null);
  if (!drawn) throw new Error(t("This file is not a picture this phone can read."));
  const pixels = drawn.width * drawn.height;
  if (PHOTO.kinds.includes(file.type) && fits && pixels <= PHOTO.maxPixels) {
    drawn.close();
    return { blob: file, mime: file.type, name };
  }
  const blob = await encode(drawn, LARGE_PX, 0.92);
  return { blob, mime: "image/jpeg", name: name.replace(/\.\w+$/, "") + ".jpg", converted: true };
}

/** A small copy for the lists, so that the originals need not be read to draw a screen. */
export async function thumbnail(blob) {
  const drawn = await decode(blob).catch(() => null);
  return drawn ? encode(drawn, THUMB_PX, 0.8) : null;
}

/** A picture as points, turned as its EXIF says: upright. */
export const decode = (blob) => createImageBitmap(blob, { imageOrientation: "from-image" });

/** A JPEG of it, no longer than `longest` pixels; `over(pen, width, height)` draws on top. */
export function encode(bitmap, longest, quality, over = () => {}) {
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const pen = canvas.getContext("2d");
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  over(pen, canvas.width, canvas.height);
  return new Promise((done, fail) => {
    canvas.toBlob((made) => (made ? done(made) : fail(new Error(t("This file is not a picture this phone can read.")))), "image/jpeg", quality);
  });
}
