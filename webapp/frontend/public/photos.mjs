// Photos are made smaller on the telephone before they travel: a sixteenth of the bytes, and without where and by what they
// were taken. What cannot be decoded here is sent as it is; the server looks at everything again.
import { el, fill } from "../common/dom.mjs";

const LONGEST = 1600;

async function smaller(file) {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    const canvas = el("canvas", { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.82));
    return blob ? new File([blob], file.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" }) : file;
  } catch {
    return file;
  }
}

/** The photos of a form: chosen, shown, taken away again. `changed(list)` hears of every change. */
export class Photos {
  list = [];

  constructor(input, box, { most, bytes, kinds, say, words, changed }) {
    Object.assign(this, { input, box, most, bytes, kinds, say, words, changed });
    input.addEventListener("change", async () => {
      const chosen = [...input.files];
      input.value = "";
      for (const file of chosen) await this.add(file);
    });
  }

  async add(file) {
    this.say("");
    if (this.list.length >= this.most) return this.say(this.words.most);
    const small = await smaller(file);
    if (!this.kinds.includes(small.type)) return this.say(this.words.kind);
    if (small.size > this.bytes) return this.say(this.words.large);
    this.show([...this.list, small]);
    this.changed(this.list);
  }

  show(list) {
    this.list = list;
    fill(this.box, list.map((file, n) => {
      const url = URL.createObjectURL(file);
      return el("li", {}, el("img", { src: url, alt: file.name, onload: () => URL.revokeObjectURL(url) }),
        el("button", { type: "button", "aria-label": this.words.remove, onclick: () => {
          this.show(this.list.filter((_, i) => i !== n));
          this.changed(this.list);
        } }, "×"));
    }));
  }
}
