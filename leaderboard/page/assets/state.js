// What is shown stands in the address after #, so that a link brings it back.
const DATA = JSON.parse(byId("data").textContent);
const DEFAULTS = {
  task: DATA.tasks[0].task, metric: "", turns: "", group: "all", over: "problems", q: "", sort: "place", order: "",
  origin: "", runs: "", a: "", b: "", pq: "", pf: "", row: "", problem: "", sample: "", details: "", theme: "",
};
const state = { ...DEFAULTS, facets: {} };
const EVERY = "*";

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of Object.keys(DEFAULTS)) state[name] = given.get(name) ?? DEFAULTS[name];
  if (state.task !== EVERY && !DATA.tasks.some((one) => one.task === state.task)) state.task = DEFAULTS.task;
  state.facets = {};
  for (const [name, value] of given) if (name.startsWith("f.")) state.facets[name.slice(2)] = value;
}

function address() {
  const found = new URLSearchParams();
  for (const [name, usual] of Object.entries(DEFAULTS)) if (state[name] !== usual) found.set(name, state[name]);
  for (const [name, value] of Object.entries(state.facets)) if (value) found.set("f." + name, value);
  return "#" + found.toString();
}

let draw = () => {};
function change(changes, { push = false } = {}) {
  Object.assign(state, changes);
  history[push ? "pushState" : "replaceState"](null, "", address());
  draw();
}

const tasksShown = () => DATA.tasks.filter((one) => state.task === EVERY || one.task === state.task);
const judgedOf = (row) => taskOf(row).judged[row.key]; // "" where all rows of the task are ranked together
const taskOf = (row) => DATA.tasks.find((one) => one.task === row.task);
const rowsShown = () => tasksShown().flatMap((task) => task.rows.map((key) => DATA.rows[key])).filter(isShown);

function isShown(row) {
  const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  const text = `${row.name} ${row.run}`.toLowerCase();
  return words.every((word) => text.includes(word))
    && Object.entries(state.facets).every(([name, value]) => !value || row.facets[name] === value);
}

const turnsOf = (row) => Number(row.facets.turns);
const budgetOf = (row) => Math.min(turnsOf(row), Number(state.turns) || turnsOf(row));
const metricOf = (row) => (state.metric && row.metrics.includes(state.metric) ? state.metric : state.metric ? "" : row.metric);

function budgetFor(row, metric) {
  return metric.startsWith("pass@") ? budgetOf(row) : Math.min(Number(metric.split("@")[1]), budgetOf(row));
}

function find(row, metric, group = state.group) {
  const cells = metric ? row.estimates[`${group}|${metric}|${budgetFor(row, metric)}`] : undefined;
  if (!cells) return null;
  const [value, counted, asked, lower, upper, intervals, byEquality] = cells;
  const certain = counted === asked && upper - lower < 1e-12;
  return { value, counted, asked, certain, interval: intervals[state.over] ?? null, byEquality };
}

function placeOf(row) {
  const metric = metricOf(row);
  if (!metric || state.group !== "all") return null;
  return taskOf(row).places[`${metric}|${budgetFor(row, metric)}`]?.[row.key] ?? null;
}
