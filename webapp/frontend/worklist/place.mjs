// Say where a complaint is: by name, by a click on the map, or by coordinates; the same parts as the call-taker's form.
import { ask } from "../common/dom.mjs";
import { combo } from "../intake/combo.mjs";
import { Place } from "../intake/place.mjs";

const form = document.querySelector("[data-place-form]");
const place = new Place(form, { changed: () => {} });
combo(form.elements.place, form.querySelector("#place-list"), {
  search: (q, signal) => ask(`/places/search.json?${new URLSearchParams({ q })}`, { signal }),
  choose: (row) => place.fromName(row),
});
form.elements.place.focus();
