// The table as it is shown, as CSV, Markdown, LaTeX, or references; and the details of one run.
const BY_EQUALITY = "by equality"; // a column where a row has it
const NAMES = ["place", "model", "task", "score", "value", BY_EQUALITY, "lower", "upper", "problems", "tokens"];
function shownTable() {
  const rows = [NAMES, ...shownRows()];
  const kept = NAMES.map((name, i) => name !== BY_EQUALITY || rows.slice(1).some((row) => row[i]));
  return rows.map((row) => row.filter((_, i) => kept[i]));
}

function shownRows() {
  return [...table.querySelectorAll("tr[data-row]")].filter((line) => !line.hidden && !line.parentNode.hidden).map((line) => {
    const row = DATA.rows[line.dataset.row], metric = metricOf(row), one = find(row, metric), place = placeOf(row);
    const ends = one?.interval ? one.interval.map(percent) : ["", ""];
    return [place ? [...new Set(place)].join("-") : "", row.name, row.task, metric, one?.value == null ? "" : scoreText(one), one?.byEquality == null ? "" : percent(one.byEquality), ...ends, one ? `${one.counted} of ${one.asked}` : "", row.tokens ? Math.round(row.tokens) : ""].map(String);
  });
}

const csvCell = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : /^[=+\-@\t]/.test(text) ? `'${text}` : text);
const TEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
const texCell = (text) => text.replace(/[\\~^&%$#_{}]/g, (one) => TEX[one] ?? `\\${one}`);
const WRITERS = {
  CSV: (rows) => rows.map((row) => row.map(csvCell).join(",")).join("\n"),
  Markdown: ([names, ...rows]) => [names, names.map(() => "---"), ...rows].map((row) => `| ${row.map((one) => one.replace(/([\\|<[`])/g, "\\$1")).join(" | ")} |`).join("\n"),
  LaTeX: ([names, ...rows]) => ["\\begin{tabular}{lll" + "r".repeat(names.length - 3) + "}", "\\toprule", names.map(texCell).join(" & ") + " \\\\", "\\midrule",
    ...rows.map((row) => row.map(texCell).join(" & ") + " \\\\"), "\\bottomrule", "\\end{tabular}"].join("\n"),
  BibTeX: () => [...new Set([...DATA.references, ...rowsShown().map((row) => row.bibtex).filter(Boolean)])].join("\n\n"),
};

function showCopy(kind) {
  byId("copy-kinds").replaceChildren(...Object.keys(WRITERS).map((name) => make("button", { type: "button", "aria-pressed": name === kind, click: () => showCopy(name) }, name)));
  const text = plainLines(WRITERS[kind](shownTable()));
  byId("copy-text").value = text;
  if (!byId("copied").open) byId("copied").showModal();
  byId("copy-text").select();
  byId("copy-said").textContent = "";
  navigator.clipboard?.writeText(text).then(() => { byId("copy-said").textContent = "Copied."; }, () => { byId("copy-said").textContent = "Press Ctrl-C to copy."; });
}
const plainLines = (text) => text.split("\n").map(plain).join("\n");

function drawDetails() {
  const row = DATA.rows[state.details], dialog = byId("details");
  if (!row) { if (dialog.open) dialog.close(); return; }
  byId("details-title").replaceChildren(...visible(`${row.name}, ${row.task}`));
  byId("details-body").replaceChildren(make("dl", {}, row.details.flatMap(([name, value]) => [make("dt", {}, visible(name)), make("dd", {}, value.includes("\n") || name === "command" ? raw(value, name) : visible(value))])));
  if (!dialog.open) dialog.showModal();
}

function startCopy() {
  byId("copy").addEventListener("click", () => showCopy("CSV"));
  byId("details").addEventListener("close", () => { if (state.details) change({ details: "" }); });
  document.addEventListener("click", (event) => {
    const key = event.target.closest?.("button[data-details]")?.dataset.details;
    if (key) change({ details: key });
    if (event.target.closest?.("[data-close]")) event.target.closest("dialog").close();
  });
}
