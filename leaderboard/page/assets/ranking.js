// The ranking: the table that was there without this script, filtered, sorted, and set to another score.
const table = byId("table");
const lines = new Map([...table.querySelectorAll("tr[data-row]")].map((line) => [line.dataset.row, line]));
const COLUMNS = [...table.querySelectorAll("thead th[data-sort]")];

function drawRanking() {
  const shown = new Set(rowsShown().map((row) => row.key));
  const measured = state.origin !== "published";
  for (const body of table.tBodies) drawBody(body, shown);
  for (const head of COLUMNS) {
    const name = head.dataset.sort;
    const sorted = name === state.sort;
    if (sorted) head.setAttribute("aria-sort", descending() ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
    head.classList.toggle("chosen", name === state.metric);
    if (name.includes("@") || name === "tokens") setColumn(name, head);
  }
  const total = DATA.tasks.reduce((sum, one) => sum + one.rows.length, 0);
  byId("count").textContent = `${shown.size} of ${plural(total, "row")} shown.`;
  for (const note of document.querySelectorAll("li[data-note]")) note.hidden = !shown.has(note.dataset.note);
  table.closest(".scroll").hidden = !measured;
  if (byId("published")) byId("published").hidden = state.origin === "measured";
}

const isEmpty = (name) => (name === "tokens" ? !rowsShown().some((row) => row.tokens) : !rowsShown().some((row) => row.metrics.includes(name)));

function setColumn(name, head) {
  const none = isEmpty(name), cell = name === "tokens" ? "td.tokens" : `td[data-metric="${CSS.escape(name)}"]`;
  head.hidden = none;
  for (const line of lines.values()) line.querySelector(cell).hidden = none;
}

function drawBody(body, shown) {
  const keys = DATA.tasks.find((one) => one.task === body.dataset.task).rows.filter((key) => shown.has(key) && judgedOf(DATA.rows[key]) === body.dataset.judged);
  body.hidden = !keys.length;
  for (const line of body.querySelectorAll("tr[data-row]")) line.hidden = !shown.has(line.dataset.row);
  const rows = keys.map((key) => DATA.rows[key]);
  const sign = descending() ? -1 : 1;
  const values = new Map(rows.map((row) => [row.key, sortValue(row)]));
  rows.sort((a, b) => compareValues(values.get(a.key), values.get(b.key), sign) || (scoreOf(b) ?? -1) - (scoreOf(a) ?? -1));
  for (const row of rows) { drawLine(lines.get(row.key), row); body.append(lines.get(row.key)); }
}

const scoreOf = (row) => find(row, metricOf(row))?.value;
const descending = () => (state.order ? state.order === "down" : !["place", "name"].includes(state.sort));

function sortValue(row) {
  if (state.sort === "name") return row.name.toLowerCase();
  if (state.sort === "place") { const place = placeOf(row); return place ? place[0] * 1000 + place[1] : null; }
  if (state.sort === "problems") return find(row, metricOf(row))?.counted;
  if (state.sort === "tokens") return row.tokens;
  return find(row, row.metrics.includes(state.sort) ? state.sort : "")?.value;
}

function compareValues(a, b, sign) {
  // What is missing stands last, whichever way the rest is sorted.
  if (a == null || b == null) return (a == null) - (b == null);
  return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
}

function drawLine(line, row) {
  const metric = metricOf(row);
  const found = find(row, metric);
  const place = placeOf(row);
  line.querySelector(".place").textContent = place ? (place[0] === place[1] ? `${place[0]}` : `${place[0]}–${place[1]}`) : "–";
  line.querySelector(".bar-cell").replaceChildren(bar(found));
  for (const cell of line.querySelectorAll("td[data-metric]")) {
    const name = cell.dataset.metric;
    const isChosen = name === metric;
    cell.classList.toggle("chosen", isChosen);
    const one = row.metrics.includes(name) ? find(row, name) : null;
    const details = isChosen && one ? [one.interval ? reach(one) : "", byEquality(one)].filter(Boolean) : [];
    cell.replaceChildren(scoreText(one), ...details.flatMap((text) => [" ", make("small", { class: "sub" }, text)]));
  }
  line.querySelector(".problems").textContent = found ? (found.counted === found.asked ? `${found.asked}` : `${found.counted} of ${found.asked}`) : "";
}

const reach = (one) => `${percent(one.interval[0])}–${percent(one.interval[1])}`;
const byEquality = (one) => (one.byEquality === undefined ? "" : `by equality ${percent(one.byEquality)}${one.certain ? "" : "*"}`);
const scoreText = (one) => (!one ? "" : one.value === null ? "missing" : percent(one.value) + (one.certain ? "" : "*"));

function bar(one) {
  const svg = make("svg", { class: "bar", viewBox: "0 0 1000 20", preserveAspectRatio: "none", "aria-hidden": "true" });
  for (const x of [0, 250, 500, 750, 1000]) svg.append(make("line", { class: "rule", x1: x, x2: x, y1: 0, y2: 20 }));
  if (!one || one.value === null) return svg;
  const [from, to] = one.interval ?? [one.value, one.value];
  svg.append(make("rect", { class: "reach", x: 1000 * from, y: 6, width: 1000 * (to - from), height: 8, rx: 2 }));
  svg.append(make("rect", { class: "point", x: Math.min(992, Math.max(0, 1000 * one.value - 4)), y: 2, width: 8, height: 16 }));
  return svg;
}

function drawControls() {
  const rows = tasksShown().flatMap((task) => task.rows.map((key) => DATA.rows[key]));
  const names = [...(DATA.tasks.length > 1 ? DATA.tasks.map((one) => [one.task, one.task]) : []), ...(DATA.tasks.length > 1 ? [[EVERY, "all tasks"]] : [])];
  byId("tasks").replaceChildren(...names.map(([value, label]) => make("button",
    { type: "button", "data-task": value, "aria-pressed": state.task === value, click: () => { change({ task: value, a: "", b: "", runs: "" }); byId("tasks").querySelector('[aria-pressed="true"]').focus(); } }, label)));
  const metrics = DATA.metrics.filter((name) => rows.some((row) => row.metrics.includes(name)));
  options(byId("metric"), [["", `usual (${[...new Set(rows.map((row) => row.metric))].join(", ")})`], ...metrics.map((one) => [one, one])], state.metric);
  const most = Math.max(...rows.map(turnsOf));
  options(byId("turns"), [["", `all (${most})`], ...Array.from({ length: most - 1 }, (_, i) => [`${i + 1}`, `${i + 1}`])], state.turns);
  const groups = [...new Set(rows.flatMap((row) => Object.keys(row.estimates).map((key) => key.split("|")[0])))];
  options(byId("group"), groups.map((one) => [one, { all: "all", clean: "with one right answer" }[one] ?? one]), state.group);
  options(byId("over"), ["problems", "samples", "contests"].filter((over) => rows.some((row) => Object.values(row.estimates).some((one) => over in one[5]))).map((one) => [one, one]), state.over);
  const focused = document.activeElement?.dataset?.facet;
  const facets = Object.keys(rows[0].facets).map((name) => [name, [...new Set(rows.map((row) => row.facets[name]))].filter(Boolean).sort()]);
  byId("facets").replaceChildren(...facets.filter(([name, values]) => values.length > 1 || state.facets[name]).map(([name, values]) => {
    const select = make("select", { "data-facet": name, change: (event) => change({ facets: { ...state.facets, [name]: event.target.value } }) });
    const label = make("label", {}, name, select);
    options(select, [["", "all"], ...values.map((one) => [one, one])], state.facets[name] ?? "");
    return label;
  }));
  byId("facets").hidden = !byId("facets").children.length;
  if (focused) byId("facets").querySelector(`[data-facet="${CSS.escape(focused)}"]`)?.focus();
}

function startRanking() {
  byId("more").addEventListener("click", () => showMore(byId("more-controls").hidden));
  showMore(["turns", "origin"].some((name) => state[name]) || state.over !== "problems" || Object.keys(state.facets).length > 0);
  for (const head of COLUMNS) {
    const name = head.dataset.sort;
    head.replaceChildren(make("button", { type: "button", class: "sort", click: () => sortBy(name) }, head.textContent));
  }
  for (const [id, name] of [["metric", "metric"], ["turns", "turns"], ["group", "group"], ["over", "over"], ["origin", "origin"]])
    byId(id).addEventListener("change", (event) => change({ [name]: event.target.value }));
  byId("search").addEventListener("input", (event) => change({ q: event.target.value }));
  byId("reset").addEventListener("click", () => change({ ...DEFAULTS, theme: state.theme, facets: {} }));
}

function showMore(isShown) {
  byId("more-controls").hidden = !isShown;
  byId("more").setAttribute("aria-expanded", String(isShown));
}

function sortBy(name) {
  const again = state.sort === name;
  const order = again ? (descending() ? "up" : "down") : "";
  change({ sort: name, order, ...(name.includes("@") && !again ? { metric: name } : {}) });
}
