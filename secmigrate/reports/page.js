"use strict";
// Fills the lists of people, changes and roles, and shows one person or one change by the address's hash:
// #person/NAME, #change/N, #people/KIND. Everything is put in as text; nothing is ever parsed as HTML.

const DATA = JSON.parse(document.getElementById("data").textContent);
const PERSON = { name: 0, before: 1, now: 2, after: 3, way: 4, own: 5, affected: 6 };
const PART = { actions: 0, resources: 1, condition: 2, why: 3, example: 4, accepted: 5 };
const STEP = 100; // rows that are shown at once
const PRINTED = 60; // changes that are printed in full

const byId = (id) => document.getElementById(id);
const text = (number) => DATA.texts[number];
const texts = (numbers) => numbers.map(text);
const listed = (number) => texts(DATA.lists[number]);
const members = (number) => DATA.sets[number].flatMap(([first, length]) => DATA.names.slice(first, first + length));
const parts = (numbers) => numbers.map((number) => DATA.parts[number]);
const wayOf = (person) => DATA.ways[person[PERSON.way] - 1];
const named = (person) => person[PERSON.name];
const many = (number, what) => `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;

function el(tag, attributes, ...inner) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  made.append(...inner.flat().filter((one) => one !== null && one !== undefined && one !== ""));
  return made;
}
const code = (name) => el("code", {}, name);
const codes = (names) => names.flatMap((name, at) => (at ? [", ", code(name)] : [code(name)]));
const link = (hash, words) => el("a", { href: `#${hash}` }, words);
const personLink = (person) => link(`person/${encodeURIComponent(named(person))}`, code(named(person)));
const list = (lines) => el("ul", {}, lines.map((line) => el("li", {}, line)));

// What becomes of somebody, by services; briefly, or with all figures.
function inShort(way, affected, figures = "brief") {
  if (!way) return [affected ? "the same, by other groups" : "the same"];
  const lines = [];
  const say = (what) => (figures === "full" ? fully(way, what) : way[what].brief);
  if (say("lost")) lines.push([el("strong", { class: "open" }, "loses"), ` ${say("lost")}`]);
  if (say("mayLose")) lines.push([el("strong", { class: "open" }, "may lose"), ` ${say("mayLose")}`]);
  if (say("accepted")) lines.push([`loses, accepted: ${say("accepted")}`]);
  if (say("gained")) lines.push([`gains ${say("gained")}`]);
  if (way.raises) lines.push([el("span", { class: "raises" }, "raises privilege: "), some(listed(way.raises), 4)]);
  if (say("mayGain")) lines.push([`may gain ${say("mayGain")}`]);
  const open = way.rolesAccepted ? {} : { class: "open" };
  if (way.rolesLost) lines.push([el("strong", open, "may not assume any more: "), some(members(way.rolesLost), 4)]);
  if (way.rolesUnsure) lines.push([el("strong", open, "unsure, by other conditions: "), some(members(way.rolesUnsure), 4)]);
  if (way.rolesGained) lines.push([`may assume now: ${some(members(way.rolesGained), 4)}`]);
  if (way.rolesWider) lines.push([`may assume in more cases, or perhaps now: ${some(members(way.rolesWider), 4)}`]);
  if (way.unread) lines.push([el("strong", { class: "open" }, "cannot be read: "), some(listed(way.unread), 2)]);
  return lines;
}
const fully = (way, what) => listed(way[what].full).join("; ");
function some(names, most) {
  return names.length <= most + 1 ? names.join(", ") : `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

// A table that can be searched and filtered, and grows on demand.
class Listing {
  constructor(name, { columns, rows, row, words, filters, noun }) {
    Object.assign(this, { name, rows, row, words, noun, shown: STEP, found: rows });
    const place = byId(`${name}-list`);
    if (!place) return;
    this.search = el("input", { type: "search", id: `${name}-search`, placeholder: place.dataset.hint, autocomplete: "off", spellcheck: "false" });
    this.filters = filters.map(({ label, choices }, at) => {
      const select = el("select", { id: `${name}-filter-${at}` }, choices.map(([words], n) => el("option", { value: n }, words)));
      return { label, choices, select };
    });
    this.status = el("output", { for: `${name}-search` });
    this.body = el("tbody");
    this.more = el("button", { type: "button", class: "more" });
    const field = (words, control) => el("div", {}, el("label", { for: control.id }, words), control);
    const fields = [field(`Search in ${place.dataset.what.toLowerCase()}`, this.search)];
    fields.push(...this.filters.map((one) => field(one.label, one.select)));
    place.append(
      el("div", { class: "controls", role: "search", "aria-label": place.dataset.what }, fields, this.status),
      el("table", { class: "rows" }, el("caption", {}, place.dataset.what),
        el("thead", {}, el("tr", {}, columns.map((one) => el("th", { scope: "col" }, one)))), this.body),
      this.more,
    );
    this.search.addEventListener("input", () => this.find());
    for (const one of this.filters) one.select.addEventListener("change", () => this.find());
    this.more.addEventListener("click", () => {
      const first = this.shown;
      this.shown += STEP;
      this.fill();
      this.body.rows[first]?.querySelector("a, summary")?.focus();
    });
    this.find();
  }
  find() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const tests = this.filters.map((one) => one.choices[one.select.value][1]);
    this.found = this.rows.filter((row) => tests.every((test) => test(row)) && (!words.length || this.fits(row, words)));
    this.shown = STEP;
    this.body.replaceChildren();
    this.fill();
  }
  fits(row, words) {
    const said = this.words(row).toLowerCase();
    return words.every((word) => said.includes(word));
  }
  fill(most = this.shown) {
    const start = this.body.rows.length;
    this.body.append(...this.found.slice(start, most).map((row) => this.row(row)));
    const left = this.found.length - this.body.rows.length;
    this.more.hidden = left <= 0;
    this.more.textContent = `Show ${Math.min(left, STEP)} more of ${left.toLocaleString("en")}`;
    this.status.textContent = this.found.length === this.rows.length
      ? many(this.rows.length, this.noun)
      : `${this.found.length.toLocaleString("en")} of ${many(this.rows.length, this.noun)}`;
  }
  choose(label, words) {
    const filter = this.filters.find((one) => one.label === label);
    const at = filter.choices.findIndex((choice) => choice[2] === words);
    this.search.value = "";
    for (const one of this.filters) one.select.value = "0";
    filter.select.value = String(Math.max(at, 0));
    this.find();
  }
}

const always = () => true;
const ofWay = (test) => (person) => Boolean(wayOf(person)) && test(wayOf(person));
const isUnsure = (way) =>
  way.mayLose.brief || way.mayGain.brief || way.unread || way.rolesUnsure || way.rolesWider;
const KINDS = [
  ["everybody", always, "all"],
  ["loses, or may lose, what nobody accepted", ofWay((way) => way.open), "open"],
  ["loses, or may lose, what is accepted", ofWay((way) => way.taken), "accepted"],
  ["gains something", ofWay((way) => way.gained.brief), "gain"],
  ["gains what raises privilege", ofWay((way) => way.raises), "raises"],
  ["unsure", ofWay(isUnsure), "unsure"],
  ["only the groups change", (person) => !wayOf(person) && person[PERSON.affected], "groups"],
  ["keeps exactly what they can do", (person) => !wayOf(person), "same"],
];

function groupsOf(person) {
  return texts([...person[PERSON.before], ...person[PERSON.now], ...(person[PERSON.after] || [])]).join(" ");
}
function personRow(person) {
  const after = person[PERSON.after];
  const way = wayOf(person);
  return el("tr", {},
    el("th", { scope: "row" }, personLink(person)),
    el("td", { class: "plain" }, groupList(person[PERSON.before])),
    el("td", { class: "plain" }, after ? groupList(after) : "not decided"),
    el("td", { class: "plain" }, DATA.mapped ? list(inShort(way, person[PERSON.affected])) : "not known yet",
      way ? el("small", {}, link(`change/${way.n}`, `change ${way.n}`)) : null));
}
const groupList = (groups) => (groups.length ? list(texts(groups).map(code)) : "no group");

function wayRow(way) {
  const people = way.people.map((at) => DATA.people[at]);
  return el("tr", {},
    el("th", { scope: "row" }, link(`change/${way.n}`, `Change ${way.n}`)),
    el("td", {}, many(people.length, "user"), el("br"), el("small", {}, some(people.map(named), 3))),
    el("td", { class: "plain" }, list(inShort(way, true))),
    el("td", {}, way.open ? el("strong", { class: "open" }, "nobody accepted it") : way.taken ? "accepted" : "nothing is lost"));
}
function wayWords(way) {
  return [`change ${way.n}`, ...way.people.map((at) => named(DATA.people[at])), ...["lost", "mayLose", "accepted", "gained"].map((what) => fully(way, what)),
    ...listed(way.raises), ...parts(way.losses).flatMap((part) => listed(part[PART.actions])), ...members(way.rolesLost), ...members(way.rolesUnsure)].join(" ");
}

function roleRow(role) {
  const get = (key) => role[key] || [];
  const used = [...get("trusts")];
  if (role.people) used.push(`${many(role.people, "user")} may assume it: ${some([...get("some"), ...Array(role.people - get("some").length).fill("")], 6)}`);
  used.push(...get("profiles").map((name) => `instance profile ${name}`));
  used.push(role.lastUsed ? `last used ${role.lastUsed}` : "no use in 400 days that IAM knows of");
  if (role.owner) used.push(`managed by ${role.owner}`);
  const stays = { "": "not decided", unmapped: "stays: no rule fits", ambiguous: "stays: undecided", "left-out": "stays: left out" };
  const changes = [];
  if (role.lost) changes.push(`loses ${role.lost}`);
  if (role.gained) changes.push(`gains ${role.gained}`);
  if (role.raises) changes.push([el("span", { class: "raises" }, "raises privilege: "), some(listed(role.raises), 4)]);
  if (role.unsure) changes.push(`unsure ${role.unsure}`);
  if (role.trustLost) changes.push(`may not assume it any more: ${some(role.trustLost, 4)}`);
  if (role.trustGained) changes.push(`may assume it now: ${some(role.trustGained, 4)}`);
  return el("tr", {},
    el("th", { scope: "row" }, code(role.name)),
    el("td", { class: "plain" }, list(used)),
    el("td", {}, role.new ? [code(role.new), " ", el("small", {}, `${role.section} (${role.mark})`)] : stays[role.outcome || ""],
      role.reasons ? el("details", {}, el("summary", {}, "Why"), list(listed(role.reasons))) : null),
    el("td", { class: "plain" }, changes.length ? list(changes) : DATA.mapped ? "nothing" : "not known yet"));
}

// One change: what is lost, statement by statement, and what raises privilege.
function wayBody(way) {
  const open = parts(way.losses).filter((part) => !part[PART.accepted]);
  const accepted = parts(way.losses).filter((part) => part[PART.accepted]);
  const body = [list(inShort(way, true, "full"))];
  body.push(...partTable("Lost, or may be lost, and nobody accepted it", open));
  body.push(...partTable("Lost, and accepted", accepted, true));
  body.push(...partTable("Gained, and raises privilege", parts(way.raising)));
  if (way.leftOut) body.push(el("p", { class: "note" }, `There are ${way.leftOut} more entries: `, code(`secmigrate access --user ${named(DATA.people[way.people[0]])}`)));
  return body;
}
function partTable(title, shown, accepted = false) {
  if (!shown.length) return [];
  const rows = shown.map((part) => {
    const [condition, example, why] = [PART.condition, PART.example, PART.why].map((at) => text(part[at]));
    return el("tr", {},
      el("td", {}, codes(listed(part[PART.actions]))),
      el("td", {}, codes(listed(part[PART.resources])), condition ? [el("br"), `if ${condition}`] : null,
        example ? [el("br"), el("small", {}, "such as ", code(example))] : null),
      el("td", { class: "why" }, why, accepted ? [el("br"), `accepted (${part[PART.accepted]}): ${DATA.accept[part[PART.accepted] - 1]}`] : null));
  });
  return [el("h3", {}, title),
    el("table", { class: "rows parts" }, el("caption", {}, many(shown.length, "row")),
      el("thead", {}, el("tr", {}, ["Actions", "On", "Why"].map((one) => el("th", { scope: "col" }, one)))), el("tbody", {}, rows))];
}

function personPage(person) {
  const [before, now, after] = [person[PERSON.before], person[PERSON.now], person[PERSON.after]];
  const way = wayOf(person);
  const pairs = [["In groups at the start", groupList(before)]];
  if (now.join() !== before.join()) pairs.push(["Now, by the journals", groupList(now)]);
  pairs.push(["In the end", after ? groupList(after) : "not decided yet"]);
  pairs.push(["Attached to the user alone, stays", person[PERSON.own].length ? list(texts(person[PERSON.own])) : "nothing"]);
  const others = way ? way.people.length - 1 : 0;
  const body = [el("dl", { class: "pairs" }, pairs.flatMap(([term, said]) => [el("dt", {}, term), el("dd", {}, said)]))];
  body.push(el("h2", {}, "What changes"));
  if (!DATA.mapped) body.push(el("p", {}, "Not known yet: nothing is mapped."));
  else if (!way) body.push(el("p", {}, person[PERSON.affected] ? "Other groups, and exactly the same access." : "Nothing."));
  else {
    if (others) body.push(el("p", {}, "The same happens to ", link(`change/${way.n}`, many(others, "other user")), "."));
    body.push(...wayBody(way));
  }
  return [named(person), [code(named(person))], body, "people", "All people"];
}
function wayPage(way) {
  const people = way.people.map((at) => DATA.people[at]);
  const body = [el("p", {}, `${many(people.length, "user")}: `, people.flatMap((one, at) => (at ? [", ", personLink(one)] : [personLink(one)]))), ...wayBody(way)];
  return [`Change ${way.n}`, [`Change ${way.n}`], body, "changes", "All changes"];
}

const TITLE = document.title;
function show() {
  const [kind, rest = ""] = location.hash.slice(1).split("/");
  const one = byId("one");
  let name = rest;
  try { name = decodeURIComponent(rest); } catch { /* not ours: as it stands */ }
  const person = kind === "person" ? DATA.people.find((each) => named(each) === name) : null;
  const way = kind === "change" ? DATA.ways[Number(name) - 1] : null;
  const page = person ? personPage(person) : way ? wayPage(way) : null;
  one.hidden = !page;
  byId("all").hidden = Boolean(page);
  document.title = page ? `${page[0]} · ${TITLE}` : TITLE;
  if (page) {
    const [, heading, body, back, words] = page;
    const title = el("h1", { tabindex: "-1", id: "one-h" }, heading);
    one.setAttribute("aria-labelledby", "one-h");
    one.replaceChildren(el("p", { class: "screen" }, link(back, `← ${words}`)), title, ...body);
    window.scrollTo(0, 0);
    title.focus();
    return;
  }
  one.replaceChildren();
  if (kind === "people" && name) PEOPLE.choose("Who", name);
  if ((kind === "person" || kind === "change") && name) PEOPLE.status.textContent = `there is no ${kind} ${name}`;
  const section = byId(kind === "person" ? "people" : kind === "change" ? "changes" : kind);
  if (section && byId("all").contains(section)) {
    section.scrollIntoView();
    section.querySelector("h2")?.focus({ preventScroll: true });
  }
}

const GROUPS = [...new Set(DATA.people.flatMap((person) => person[PERSON.before]))].sort((a, b) => (text(a) < text(b) ? -1 : 1));
const PEOPLE = new Listing("people", {
  columns: ["User", "Groups today", "Groups in the end", "What changes"],
  rows: DATA.people, row: personRow, noun: "user",
  words: (person) => `${named(person)} ${groupsOf(person)}`,
  filters: [
    { label: "Who", choices: DATA.mapped ? KINDS : KINDS.slice(0, 1) },
    { label: "Group today", choices: [["any", always], ...GROUPS.map((group) => [text(group), (person) => person[PERSON.before].includes(group)])] },
  ],
});
new Listing("changes", {
  columns: ["Change", "Users", "What", "Accepted"],
  rows: DATA.ways, row: wayRow, words: wayWords, noun: "change",
  filters: [{ label: "Which", choices: [["all", always], ["nobody accepted it", (way) => way.open],
    ["accepted", (way) => way.taken && !way.open], ["raises privilege", (way) => way.raises]] }],
});
new Listing("roles", {
  columns: ["Role", "Used by", "Becomes", "What changes"],
  rows: DATA.roles, row: roleRow, noun: "role",
  words: (role) => [role.name, role.new, role.owner, ...(role.trusts || []), ...(role.some || []), ...(role.profiles || [])].join(" "),
  filters: [{ label: "Outcome", choices: [["all", always], ...["mapped", "ambiguous", "unmapped", "left-out"]
    .map((word) => [word, (role) => role.outcome === word]).filter((choice) => DATA.roles.some(choice[1]))] }],
});

// On paper the first changes stand in full.
window.addEventListener("beforeprint", () => {
  const changes = byId("changes");
  if (!changes) return;
  const full = DATA.ways.slice(0, PRINTED);
  changes.append(el("div", { id: "in-full" }, full.flatMap((way) => [el("h3", {}, `Change ${way.n}`),
    el("p", {}, `${many(way.people.length, "user")}: ${some(way.people.map((at) => named(DATA.people[at])), 40)}`), ...wayBody(way)]),
    full.length < DATA.ways.length ? el("p", {}, `and ${DATA.ways.length - full.length} more changes, in the file itself`) : null));
});
window.addEventListener("afterprint", () => byId("in-full")?.remove());

window.addEventListener("hashchange", show);
if (location.hash) show();
