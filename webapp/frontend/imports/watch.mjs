// A file that is being read: how far it is, and the page again when it is done. Taking the good rows in is followed the same way.
import { t } from "../common/words.mjs";

const box = document.querySelector("[data-watch]");
const good = document.querySelector("[data-good-form]");

async function look() {
  const reply = await fetch(box.dataset.watch, { headers: { Accept: "application/json" } }).catch(() => null);
  if (reply?.ok) {
    const { state, read, part } = await reply.json();
    if (state !== "reading" && !good) return void location.reload();
    box.querySelector("progress").value = state === "reading" ? part : 0;
    box.querySelector("[data-told]").textContent = t("%(n)s rows read", { n: read.toLocaleString() });
  }
  setTimeout(look, 1000);
}

if (good) {
  good.addEventListener("submit", async (event) => {
    event.preventDefault();
    good.querySelector("button").disabled = true;
    box.hidden = false;
    look();
    await fetch(good.action, { method: "POST", body: new FormData(good) }).catch(() => null);
    location.reload();
  });
} else if (!box.hidden) look();
