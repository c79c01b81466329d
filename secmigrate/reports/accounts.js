"use strict";
// Puts a search above each long table: rows that lack a word of it in their parts of the class `find` are hidden.

for (const [n, place] of document.querySelectorAll("[data-hint]").entries()) {
  const caption = place.querySelector("caption").textContent;
  const rows = [...place.querySelector("tbody").rows];
  const said = rows.map((row) => [...row.querySelectorAll(".find")].map((cell) => cell.textContent).join(" ").toLowerCase());
  const make = (tag, attributes, ...inner) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...inner);
    return made;
  };
  const search = make("input", { type: "search", id: `search-${n}`, placeholder: place.dataset.hint, autocomplete: "off", spellcheck: "false" });
  const status = make("output", { for: search.id });
  const find = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const [at, row] of rows.entries()) {
      row.hidden = !words.every((word) => said[at].includes(word));
      found += row.hidden ? 0 : 1;
    }
    status.textContent = `${found.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
  };
  const label = make("label", { for: search.id }, `Search in ${caption.toLowerCase()}`);
  place.prepend(make("div", { class: "controls", role: "search", "aria-label": caption }, make("div", {}, label, search), status));
  search.addEventListener("input", find);
  find();
}
