// Who solved what: a problem a row, a run a column; and the comparison of two runs.
const oneTask = () => DATA.tasks.find((one) => one.task === state.task) ?? tasksShown().find((one) => one.rows.some((key) => isShown(DATA.rows[key]))) ?? DATA.tasks[0];
const rowsOf = (task) => task.rows.map((key) => DATA.rows[key]).filter(isShown);

const MOST_PROBLEMS = 300;
let allProblems = false;
let matrixOf = "";
function drawProblems() {
  const task = oneTask(), rows = byScore(rowsOf(task));
  const words = state.pq.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = task.problems.map((problem, number) => [problem, rows.map((row) => task.solved[row.key][number])])
    .filter(([problem, cells]) => words.every((word) => problem[0].toLowerCase().includes(word)) && isWanted(cells));
  const shown = allProblems ? wanted : wanted.slice(0, MOST_PROBLEMS);
  // A table that stays as it is stays in its place: a button made anew under a pressed mouse loses the click.
  const drawing = JSON.stringify([task.task, rows.map((row) => row.key), shown.map(([problem]) => problem[0])]);
  if (drawing === matrixOf) return;
  matrixOf = drawing;
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "problem"), rows.map((row) => make("th", { scope: "col" }, visible(row.name)))));
  const body = make("tbody", {}, shown.map(([problem, cells]) => make("tr", {},
    make("th", { scope: "row" }, visible(problem[0]), problem[1] || problem[2].length ? make("span", { class: "sub" }, [problem[1], ...problem[2].map((one) => one.replaceAll("_", " "))].filter(Boolean).join(" · ")) : null),
    cells.map((cell, column) => make("td", {}, solvedCell(cell, rows[column], problem[0]))))));
  byId("matrix").replaceChildren(make("caption", { class: "hush" }, `Right dialogues by problem and run, ${task.task}`), head, body);
  byId("problem-count").replaceChildren(`${shown.length} of ${plural(task.problems.length, "problem")} of ${task.task}`,
    shown.length < wanted.length ? make("button", { type: "button", class: "quiet", click: () => { allProblems = true; drawProblems(); } }, `show all ${wanted.length}`) : "");
}

function isWanted(cells) {
  if (!state.pf) return true;
  const shares = cells.filter((cell) => cell && cell[1]).map(([solved, known]) => solved / known);
  if (!shares.length) return false;
  if (state.pf === "none") return shares.every((share) => share === 0);
  if (state.pf === "all") return shares.every((share) => share === 1);
  return Math.max(...shares) - Math.min(...shares) >= 0.5;
}

function solvedCell(cell, row, problem) {
  if (!cell) return "";
  const [solved, known] = cell;
  const kind = !known ? "" : solved === known ? "all" : solved ? "some" : "none";
  const text = known ? `${solved}/${known}` : "?";
  if (!(DATA.pieces[row.key] ?? []).some((one) => one.problems.includes(problem))) return make("span", { class: kind }, text);
  return make("button", { type: "button", class: kind, "data-row": row.key, "data-problem": problem, "aria-label": `${row.name}, ${problem}: ${text} right` }, text);
}

function drawCompare() {
  const task = oneTask(), rows = rowsOf(task), pick = rows.map((row) => [row.key, row.name]);
  byId("compare").hidden = rows.length < 2;
  if (rows.length < 2) return;
  const best = byScore(rows);
  const b = rows.some((row) => row.key === state.b) ? state.b : best[0].key;
  const a = rows.some((row) => row.key === state.a) ? state.a : best.find((row) => row.key !== b).key;
  options(byId("first"), pick, a);
  options(byId("second"), pick, b);
  const wanted = JSON.stringify([task.task, a, b]);
  if (wanted === compared) return;
  compared = wanted;
  pairsOf(task).then((pairs) => { if (wanted === compared) byId("difference").replaceChildren(...drawDifferences(pairs, a, b)); });
}

let compared = "";
const pairs = new Map();
function pairsOf(task) {
  if (!pairs.has(task.task)) pairs.set(task.task, inflate(byId(`pairs-${DATA.tasks.indexOf(task)}`).textContent));
  return pairs.get(task.task);
}

function drawDifferences(known, a, b) {
  if (a === b) return [make("p", { class: "about" }, "These are the same run.")];
  const turned = !known[`${a} ${b}`], found = known[turned ? `${b} ${a}` : `${a} ${b}`];
  if (!found) return [make("p", { class: "about" }, "This page holds no comparison of these two: ", make("code", {}, `turnwise compare ${DATA.rows[a].run} ${DATA.rows[b].run}`), " makes it.")];
  if (!found.length) return [make("p", { class: "about" }, "They know no problem in common.")];
  const sign = turned ? -1 : 1;
  const signed = (value) => (value >= 0 ? "+" : "−") + percent(Math.abs(value));
  const rows = found.map((one) => {
    const ends = one.interval && [one.interval.lower, one.interval.upper].map((end) => sign * end).sort((x, y) => x - y);
    const [first, second] = turned ? [one.second, one.first] : [one.first, one.second];
    const cells = [one.problems, percent(first), percent(second), signed(sign * one.difference), ends ? `${signed(ends[0])} to ${signed(ends[1])}` : "–", one.p_value < 0.0001 ? "< 0.0001" : one.p_value.toFixed(4)];
    return make("tr", {}, make("th", { scope: "row" }, one.metric), cells.map((cell) => make("td", { class: "number" }, String(cell))));
  });
  const head = make("tr", {}, ["score", "problems", "A", "B", "B − A", "95 % interval", "p"].map((one, i) => make("th", { scope: "col", class: i ? "number" : "" }, one)));
  const drawn = [make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Differences" }, make("table", { id: "differences" }, make("thead", {}, head), make("tbody", {}, rows)))];
  const [one, other] = [a, b].map((key) => judgedOf(DATA.rows[key]));
  if (one !== other) drawn.unshift(make("p", { class: "about" }, `A (${one}) and B (${other}) were judged differently, so their difference is not that of the models alone.`));
  const flipped = Object.entries(found.find((one) => one.metric === "pass@1")?.flipped ?? {});
  if (!flipped.length) return [...drawn, make("p", { class: "count" }, "No problem is flipped by pass@1.")];
  const link = (key, problem, text) => make("button", { type: "button", class: "quiet", "data-row": key, "data-problem": problem }, text);
  return [...drawn, fold(`${plural(flipped.length, "problem")} flipped, by pass@1 (A, B)`, () => make("ul", { class: "notes" }, flipped.map(([problem, [x, y]]) => make("li", {},
    visible(problem), " ", link(a, problem, percent(turned ? y : x)), " ", link(b, problem, percent(turned ? x : y))))), flipped.length <= 12)];
}

function startProblems() {
  byId("problem-search").addEventListener("input", (event) => change({ pq: event.target.value }));
  byId("problem-filter").addEventListener("change", (event) => change({ pf: event.target.value }));
  byId("first").addEventListener("change", (event) => change({ a: event.target.value }));
  byId("second").addEventListener("change", (event) => change({ b: event.target.value }));
  document.addEventListener("click", (event) => {
    const { row, problem } = event.target.closest?.("button[data-problem]")?.dataset ?? {};
    if (problem) change({ row, problem, sample: "" }, { push: true });
  });
}
