// A file that is being read: how far it is, and the page again when it is done.
import { t } from "../common/words.mjs";

const box = document.querySelector("[data-watch]");

async function look() {
  const reply = await fetch(box.dataset.watch, { headers: { Accept: "application/json" } }).catch(() => null);
  if (reply?.ok) {
    const { state, read, part } = await reply.json();
    if (state !== "reading") return location.reload();
    box.querySelector("progress").value = part;
    box.querySelector("[data-told]").textContent = t("%(n)s rows read", { n: read.toLocaleString() });
  }
  setTimeout(look, 1000);
}
look();
