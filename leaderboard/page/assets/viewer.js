// The dialogue viewer: pieces are inflated when a dialogue in them is opened.
const pieces = new Map();
const arrived = new Map();
window.turnwise = (id, text) => { arrived.get(id)?.(text); arrived.set(id, text); };

function fetchPiece(row, number) {
  const place = DATA.pieces[row.key][number].file;
  if (!place) return Promise.resolve(byId(`piece-${row.index}-${number}`).textContent);
  const id = `${row.index}-${number}`;
  return new Promise((found, failed) => {
    arrived.set(id, found);
    // A script, since a page opened from a file may load no other files.
    document.head.append(make("script", { src: place, error: () => failed(new Error(`${place} cannot be read: it belongs beside this page.`)) }));
  });
}

async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
}

async function dialoguesOf(row, problem) {
  const number = (DATA.pieces[row.key] ?? []).findIndex((one) => one.problems.includes(problem));
  if (number < 0) return null;
  const id = `${row.key} ${number}`;
  if (!pieces.has(id)) pieces.set(id, fetchPiece(row, number).then(inflate));
  const piece = await pieces.get(id).catch((error) => { pieces.delete(id); throw error; });
  return { texts: piece.texts, dialogues: piece.problems[problem] };
}

const SIGNS = { passed: "✓", "": "–", missing: "?" };
function badge(verdict, what) {
  const kind = verdict === "passed" ? "passed" : verdict === "" || verdict === "missing" || verdict === "infrastructure_failure" ? "unknown" : "failed";
  return make("span", { class: `verdict ${kind}` }, `${SIGNS[verdict] ?? "✗"} ${what && `${what}: `}${verdict ? verdict.replaceAll("_", " ") : "not run"}`);
}

let opened = "";
async function drawViewer() {
  const dialog = byId("viewer");
  const wanted = JSON.stringify([state.row, state.problem, state.sample]);
  const row = DATA.rows[state.row];
  if (!row || !state.problem) { opened = ""; if (dialog.open) dialog.close(); return; }
  if (wanted === opened) return;
  opened = wanted;
  byId("viewer-title").replaceChildren(...visible(state.problem));
  byId("viewer-about").textContent = row.name;
  byId("viewer-body").replaceChildren(make("p", { class: "about" }, "Reading …"));
  if (!dialog.open) dialog.showModal();
  let found;
  try { found = await dialoguesOf(row, state.problem); } catch (error) { found = { error: error.message }; }
  if (wanted !== opened) return;
  if (!found || found.error || !found.dialogues) {
    byId("viewer-steps").replaceChildren(closer());
    byId("viewer-body").replaceChildren(make("p", {}, found?.error ?? "This page holds no dialogue about this problem."));
    return;
  }
  const place = Math.max(0, found.dialogues.findIndex((one) => String(one.sample) === state.sample));
  drawDialogue(row, found, place);
}

const closer = () => make("button", { type: "button", "data-close": true, click: () => byId("viewer").close() }, "Close");

function drawDialogue(row, { texts, dialogues }, place) {
  const one = dialogues[place];
  const problems = taskOf(row).problems.map((problem) => problem[0]);
  const at = problems.indexOf(state.problem);
  const go = (changes) => change(changes);
  const samples = make("select", { "aria-label": "Dialogue", change: (event) => go({ sample: event.target.value }) },
    dialogues.map((each, number) => make("option", { value: each.sample, selected: number === place }, `dialogue ${each.sample + 1} of ${dialogues.length}: ${outcome(each)}`)));
  const step = (by, label) => make("button", { type: "button", disabled: !problems[at + by], click: () => go({ problem: problems[at + by], sample: "" }) }, label);
  const others = taskOf(row).rows.map((key) => DATA.rows[key]);
  const run = make("select", { "aria-label": "Run", change: (event) => go({ row: event.target.value, sample: "" }) },
    others.map((each) => make("option", { value: each.key, selected: each.key === row.key }, plain(each.name))));
  byId("viewer-steps").replaceChildren(run, samples, step(-1, "← Problem"), step(1, "Problem →"), closer());
  byId("viewer-about").textContent = `${row.task} · ended by ${one.end.replaceAll("_", " ")} · ${tokensOf(one)}`;
  const body = byId("viewer-body");
  body.replaceChildren(overview(one), ...one.turns.map((turn, number) => drawTurn(turn, number, one, texts)),
    make("p", { class: "count" }, make("kbd", {}, "j"), " ", make("kbd", {}, "k"), " turns, ", make("kbd", {}, "←"), " ", make("kbd", {}, "→"), " problems, ",
      make("kbd", {}, "["), " ", make("kbd", {}, "]"), " dialogues, ", make("kbd", {}, "Esc"), " closes. The address above is a link to this dialogue."));
  if (!one.turns.length) body.prepend(make("p", {}, "No turn was taken."));
  byId("viewer").scrollTop = 0;
}

function overview(one) {
  const jump = (number) => { const turn = byId("viewer-body").querySelectorAll(".turn")[number]; turn.focus(); turn.scrollIntoView({ block: "start" }); };
  const said = (turn) => (turn.public.verdict === "passed" ? turn.hidden || "passed the example tests" : turn.public.verdict).replaceAll("_", " ");
  return make("div", { class: "steps overview", role: "group", "aria-label": "Turns" }, one.turns.map((turn, number) =>
    make("button", { type: "button", click: () => jump(number) }, `${signOf(turn)} Turn ${number + 1}: ${said(turn)}`)));
}

const signOf = (turn) => SIGNS[turn.hidden || (turn.public.verdict === "passed" ? "missing" : "failed")] ?? "✗";

function outcome(one) {
  const last = one.turns.at(-1);
  if (one.end === "request_failed" || one.end === "infrastructure_failure" || !last) return one.end.replaceAll("_", " ");
  if (last.hidden) return last.hidden === "passed" ? "right" : "wrong";
  return last.public.verdict === "passed" ? "not judged" : "wrong";
}

function tokensOf(one) {
  const calls = one.turns.flatMap((turn) => turn.calls);
  if (!calls.length || calls.some((call) => call.tokens[0] === null || call.tokens[1] === null)) return plural(calls.length, "call");
  const sum = (which) => calls.reduce((total, call) => total + call.tokens[which], 0).toLocaleString("en");
  return `${plural(calls.length, "call")}, ${sum(0)} tokens of prompts, ${sum(1)} of replies`;
}

function drawTurn(turn, number, one, texts) {
  const title = make("h3", {}, make("span", {}, `Turn ${number + 1}`),
    make("span", { class: "steps" }, badge(turn.public.verdict, "example tests"), badge(turn.hidden, "hidden tests")));
  const parts = turn.calls.flatMap((call) => drawCall(call, number, texts));
  if (turn.program === null) parts.push(make("p", { class: "missing" }, "No program was found in the reply."));
  const before = number ? one.turns[number - 1].program : null;
  const differs = before !== null && turn.program !== null;
  if (turn.program !== null) parts.push(fold("Program", () => program(texts[turn.program]), !differs));
  if (differs)
    parts.push(fold("Difference to the program before", () => drawDifference(texts[before], texts[turn.program]), true));
  parts.push(drawTests(turn.public, texts));
  return make("article", { class: "turn", tabindex: -1, "aria-label": `Turn ${number + 1}` }, title, make("div", {}, parts));
}

function drawCall(call, number, texts) {
  const said = call.messages.map(([kind, id, text]) => make("div", { class: "said" },
    fold(`${kind}${id && id !== kind ? ` (${id})` : ""}`, () => prose(texts[text], kind), kind === "feedback" || (number === 0 && kind === "statement"))));
  const [asked, answered] = call.tokens;
  const count = answered === null ? "" : ` · ${asked ?? "?"} + ${answered} tokens`;
  const cut = call.finish === "length" ? " · cut by the token limit" : "";
  const text = texts[call.reply];
  const reply = make("div", { class: "said reply" }, make("h4", {}, `reply${count}${cut}`), answer(call.tree, text));
  if (call.tree) reply.append(fold("reply as it came", () => raw(text, "Reply"), false));
  if (call.reasoning !== null) reply.append(fold("its thoughts", () => prose(texts[call.reasoning], "Thoughts"), false));
  return [...said, reply];
}

function fold(label, draw, open) {
  const box = make("details", { open });
  const fill = () => { if (box.open && box.children.length === 1) box.append(draw()); };
  box.append(make("summary", {}, visible(label)));
  box.addEventListener("toggle", fill);
  fill();
  return box;
}

function drawTests(report, texts) {
  if (!report.tests.length) return make("p", { class: "about" }, report.error ? visible(report.error) : "No example test was run.");
  const rows = report.tests.map(([verdict, output, error], number) => make("tr", {}, make("th", { scope: "row" }, `${number + 1}`),
    make("td", {}, badge(verdict, "")), make("td", {}, texts[output] ? raw(texts[output], "Output") : "", texts[error] ? raw(texts[error], "Error") : "")));
  const head = make("thead", {}, make("tr", {}, ["test", "verdict", "what it printed"].map((one) => make("th", { scope: "col" }, one))));
  return fold("Example tests", () => make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Example tests" }, make("table", { class: "tests" }, head, make("tbody", {}, rows))), true);
}

function viewerKeys(event) {
  if (!byId("viewer").open || event.ctrlKey || event.metaKey || event.altKey || /^(SELECT|INPUT|TEXTAREA)$/.test(event.target.tagName)) return;
  const steps = byId("viewer-steps"), turns = [...byId("viewer-body").querySelectorAll(".turn")];
  const at = turns.indexOf(document.activeElement?.closest?.(".turn"));
  const press = { ArrowLeft: "← Problem", ArrowRight: "Problem →" }[event.key];
  const target = { j: Math.min(at + 1, turns.length - 1), k: Math.max(at - 1, 0) }[event.key];
  if (press && event.target.tagName !== "PRE") [...steps.querySelectorAll("button")].find((one) => one.textContent === press)?.click();
  else if (target !== undefined) { turns[target]?.focus(); turns[target]?.scrollIntoView({ block: "start" }); }
  else if (event.key === "[" || event.key === "]") {
    const select = steps.querySelectorAll("select")[1], to = select ? select.selectedIndex + (event.key === "]" ? 1 : -1) : -1;
    if (select?.options[to]) change({ sample: select.options[to].value });
  } else return;
  event.preventDefault();
}

function startViewer() {
  const dialog = byId("viewer");
  dialog.addEventListener("close", () => { if (state.problem) change({ row: "", problem: "", sample: "" }); });
  document.addEventListener("keydown", viewerKeys);
}
