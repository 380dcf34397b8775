// Charts of one task: drawn when they come into sight, and again when runs, task or colours change.
const MOST_DRAWN = 8, FIRST_DRAWN = 5;
const isDark = () => (state.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

const byScore = (rows) => [...rows].sort((x, y) => (find(y, y.metric, "all")?.value ?? -1) - (find(x, x.metric, "all")?.value ?? -1));

function drawnRows() {
  const rows = rowsOf(oneTask());
  const wanted = state.runs ? state.runs.split(" ") : null;
  const best = byScore(rows);
  return (wanted ? best.filter((row) => wanted.includes(row.key)) : best.slice(0, FIRST_DRAWN)).slice(0, MOST_DRAWN);
}

const records = ({ columns, rows }) => rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));

const TICKS = [1, 2, 3, 5].flatMap((one) => Array.from({ length: 10 }, (_, power) => one * 10 ** power)).sort((x, y) => x - y);
function axesOf(found) {
  const at = found.map((one) => one.k ?? one.tokens).filter(Boolean);
  const ticks = TICKS.filter((one) => one >= Math.min(...at) && one <= Math.max(...at));
  const dashes = new Set(found.map((one) => one.metric ?? one.budget)).size > 1 ? { orient: "bottom", symbolStrokeColor: "#888", symbolFillColor: "transparent", symbolType: "stroke" } : null;
  const values = found.map((one) => one.value ?? 0), low = Math.min(...values);
  return { middle: low + 0.5 * (Math.max(...values) - low), levels: [...new Set(found.map((one) => one.level))], ticks, dashes };
}

function fillIn(spec, given) {
  if (Array.isArray(spec)) return spec.map((one) => fillIn(one, given));
  if (spec && typeof spec === "object") return Object.fromEntries(Object.entries(spec).map(([name, one]) => [name, fillIn(one, given)]));
  return typeof spec === "string" && spec[0] === "$" && spec.slice(1) in given ? given[spec.slice(1)] : spec;
}

let drawnFor = "";
const waiting = new Map();
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting && waiting.has(entry.target)) drawChart(entry.target);
}, { rootMargin: "400px" });

function drawCharts() {
  const task = oneTask(), rows = drawnRows();
  const wanted = JSON.stringify([task.task, rows.map((row) => row.key), rowsOf(task).length, isDark()]);
  if (wanted === drawnFor) return;
  drawnFor = wanted;
  const all = rowsOf(task);
  const mixed = new Set(rows.map(judgedOf)).size > 1 ? " Some were judged differently; filters by answers and tests leave those of one judge." : "";
  byId("charts-about").textContent = `${task.task}. ${all.length > MOST_DRAWN ? `At most ${MOST_DRAWN} of ${all.length} runs are drawn; choose which.` : "Choose which runs are drawn."}${mixed}`;
  const colours = DATA.colours[isDark() ? "dark" : "light"];
  const chosen = new Map(rows.map((row, number) => [row.key, colours[number]]));
  byId("legend").replaceChildren(...byScore(all).map((row) => legendEntry(row, chosen)));
  watcher.disconnect();
  waiting.clear();
  byId("drawings").replaceChildren(...Object.entries(DATA.charts).filter(([kind]) => task.charts[kind]).map(([kind, chart]) => card(kind, chart, task, rows, colours)));
}

function legendEntry(row, chosen) {
  const full = chosen.size >= MOST_DRAWN && !chosen.has(row.key);
  const box = make("input", { type: "checkbox", checked: chosen.has(row.key), disabled: full, "data-run": row.key, change: (event) => {
    const keys = new Set(chosen.keys());
    if (event.target.checked) keys.add(row.key); else keys.delete(row.key);
    change({ runs: [...keys].join(" ") || "-" });
    byId("legend").querySelector(`[data-run="${CSS.escape(row.key)}"]`)?.focus();
  } });
  const swatch = make("svg", { viewBox: "0 0 16 9", "aria-hidden": "true" }, make("rect", { x: 0, y: 3, width: 16, height: 3, fill: chosen.get(row.key) ?? "none" }));
  return make("li", {}, make("label", {}, box, swatch, make("span", {}, visible(row.name))));
}

function card(kind, chart, task, rows, colours) {
  const keys = new Set(kind === "grid" ? rowsOf(task).map((row) => row.key) : rows.map((row) => row.key));
  const found = records(task.charts[kind]).filter((one) => keys.has(one.run));
  const drawing = make("div", { class: "drawing", "data-chart": kind });
  const box = make("article", { class: "chart" }, make("h3", {}, chart.title), make("p", {}, chart.about), drawing,
    fold("numbers", () => numbers(task.charts[kind].columns.slice(1), found, chart.title), false));
  if (!found.length) { drawing.append(make("p", {}, "Nothing to draw of these runs.")); return box; }
  waiting.set(drawing, () => ({
    ...fillIn(chart.spec, {
      rows: found.map((one) => ({ ...one, order: DATA.outcomes.indexOf(one.outcome) })), names: rows.map((row) => row.name), colours, legend: null,
      ...axesOf(found), bars_height: 18 * new Set(found.map((one) => `${one.run} ${one.turn}`)).size, cells_height: 28 * new Set(found.map((one) => one.reasoning)).size,
      width: Math.max(220, drawing.clientWidth - 4), outcomes: DATA.outcomes, outcome_colours: DATA.outcomeColours[isDark() ? "dark" : "light"],
      on_dark: isDark() ? "#14171b" : "#ffffff", on_light: isDark() ? "#ffffff" : "#1b1f24",
    }),
    config: DATA.themes[isDark() ? "dark" : "light"],
  }));
  watcher.observe(drawing);
  return box;
}

async function drawChart(drawing) {
  const spec = waiting.get(drawing)();
  waiting.delete(drawing);
  try {
    // ast: expressions are interpreted, not compiled, so that the page needs no right to evaluate text.
    await vegaEmbed(drawing, spec, { actions: false, ast: true, renderer: "svg", defaultStyle: false, tooltip: false, logLevel: 1 });
    drawing.querySelector("svg")?.setAttribute("aria-label", `Chart; its numbers are below it`);
    drawing.dataset.drawn = "yes";
  } catch (error) {
    drawing.replaceChildren(make("p", {}, `This chart cannot be drawn (${error.message}); its numbers are below.`));
  }
}

function numbers(columns, found, title) {
  const shares = new Set(["value", "lower", "upper", "share"]);
  const text = (name, value) => (value === null ? "–" : shares.has(name) ? percent(value) : typeof value === "number" ? String(Math.round(value * 100) / 100) : plain(value));
  const head = make("thead", {}, make("tr", {}, columns.map((name) => make("th", { scope: "col" }, name))));
  const body = make("tbody", {}, found.slice(0, 2000).map((one) => make("tr", {}, columns.map((name) => make("td", { class: typeof one[name] === "number" ? "number" : "" }, text(name, one[name]))))));
  return make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": `Numbers of ${title}` }, make("table", {}, head, body));
}
