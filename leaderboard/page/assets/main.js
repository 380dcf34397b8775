// Everything is drawn from the state; every change of it is in the address.
const root = document.documentElement;

function drawTheme() {
  if (state.theme) root.dataset.theme = state.theme; else delete root.dataset.theme;
  byId("theme").setAttribute("aria-pressed", String(isDark()));
}

const FIELDS = [["search", "q"], ["problem-search", "pq"], ["problem-filter", "pf"], ["origin", "origin"]];

draw = () => {
  for (const [id, name] of FIELDS) if (byId(id).value !== state[name]) byId(id).value = state[name];
  drawTheme();
  drawControls();
  drawRanking();
  drawViewer();
  drawDetails();
  later();
};

// What stands below the first screen waits until that is painted.
let soon = 0;
function later() {
  cancelAnimationFrame(soon);
  soon = requestAnimationFrame(() => setTimeout(() => { drawCompare(); drawProblems(); if (window.vegaEmbed) drawCharts(); }));
}

function start() {
  root.classList.add("scripted");
  readAddress();
  startRanking();
  startViewer();
  startProblems();
  startCopy();
  byId("theme").addEventListener("click", () => change({ theme: isDark() ? "light" : "dark" }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("resize", () => { drawnFor = ""; clearTimeout(start.again); start.again = setTimeout(later, 200); });
  addEventListener("popstate", () => { readAddress(); draw(); });
  addEventListener("load", later);
  draw();
}
start();
