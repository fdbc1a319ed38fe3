// Bringing a file: how much of it has been sent, then how much of it has been read. Without this script the form works too.
import { t } from "../common/words.mjs";

const form = document.querySelector("[data-upload]");
const find = (selector) => form.querySelector(selector);
const input = find("input[type=file]");
const bar = find("progress");
const told = find("[data-told]");

function named() {
  if (input.files.length) find("[data-name]").textContent = input.files[0].name;
}
input.addEventListener("change", named);
const drop = find("[data-drop]");
for (const [kind, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", over);
    if (kind === "drop" && event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      named();
    }
  });
}

function show(text, part) {
  told.textContent = text;
  bar.hidden = part === undefined;
  if (part !== undefined) bar.value = part;
}

function refuse(text) {
  find("[data-error]").textContent = text;
  find("[data-error]").hidden = false;
  show("");
  delete form.dataset.busy;
}

async function watch() {
  if (!form.dataset.busy) return;
  const reply = await fetch(form.dataset.status, { headers: { Accept: "application/json" } }).catch(() => null);
  if (reply?.ok) {
    const { state, read, part } = await reply.json();
    if (state === "reading" && form.dataset.busy === "reading") show(t("%(n)s rows read", { n: read.toLocaleString() }), part);
  }
  setTimeout(watch, 700);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (form.dataset.busy || !input.files.length) return input.files.length || input.click();
  form.dataset.busy = "sending";
  find("[data-error]").hidden = true;
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.upload.onprogress = ({ loaded, total }) => show(t("Sending …"), total ? loaded / total : 0);
  request.upload.onload = () => {
    form.dataset.busy = "reading";
    show(t("Reading …"), 0);
  };
  request.onload = () => {
    if (request.status < 400) return location.assign(form.dataset.show);
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    refuse(page.querySelector(".narrow p")?.textContent ?? String(request.status));
  };
  request.onerror = () => refuse(t("The file did not arrive; please try again."));
  request.send(new FormData(form));
  setTimeout(watch, 700);
});
