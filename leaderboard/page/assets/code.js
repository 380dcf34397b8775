// Programs with highlighting, differences between programs, and markdown from its tree.
const WORDS = new Set(("False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda "
  + "match nonlocal not or pass raise return try while with yield").split(" "));
const KNOWN = new Set(("abs all any bin bool bytes chr dict divmod enumerate filter float frozenset int input isinstance iter len list map max min next open ord "
  + "pow print range repr reversed round set sorted str sum tuple type zip").split(" "));
const TOKEN = /(#[^\n]*)|("""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)|\b(\d[\w.]*)|([A-Za-z_]\w*)|([^#"'\dA-Za-z_]+|.)/gy;

function colour(text) {
  const found = [];
  for (const [all, comment, string, number, word] of text.matchAll(TOKEN)) {
    const kind = comment ? "c" : string ? "s" : number ? "n" : word && WORDS.has(word) ? "k" : word && KNOWN.has(word) ? "f" : "";
    found.push(...(kind ? [make("span", { class: kind }, visible(all))] : visible(all)));
  }
  return found;
}

const program = (text) => long(text, (part) => make("pre", { tabindex: 0, "aria-label": "Program" }, make("code", {}, colour(part))));
const raw = (text, label = "Text") => long(text, (part) => make("pre", { tabindex: 0, "aria-label": label }, visible(part)));
const isTall = (text) => text.length > 1500 || text.split("\n").length > 16;
const prose = (text, label = "Text") => long(text, (part) => (isTall(part)
  ? make("div", { class: "text tall-text", tabindex: 0, role: "group", "aria-label": label } , visible(part)) : make("div", { class: "text" }, visible(part))));

const MOST_LINES = 1500;
function differences(before, after) {
  // The longest common lines, by dynamic programming, between the equal ends.
  const a = before.split("\n"), b = after.split("\n");
  let start = 0, end = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const x = a.slice(start, a.length - end), y = b.slice(start, b.length - end);
  if (x.length > MOST_LINES || y.length > MOST_LINES) return null;
  const wide = y.length + 1, length = new Uint16Array((x.length + 1) * wide);
  for (let i = x.length - 1; i >= 0; i -= 1) for (let j = y.length - 1; j >= 0; j -= 1)
    length[i * wide + j] = x[i] === y[j] ? length[(i + 1) * wide + j + 1] + 1 : Math.max(length[(i + 1) * wide + j], length[i * wide + j + 1]);
  const found = a.slice(0, start).map((line) => [" ", line]);
  let i = 0, j = 0;
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) { found.push([" ", x[i]]); i += 1; j += 1; }
    else if (j >= y.length || (i < x.length && length[(i + 1) * wide + j] >= length[i * wide + j + 1])) { found.push(["-", x[i]]); i += 1; }
    else { found.push(["+", y[j]]); j += 1; }
  }
  return found.concat(a.slice(a.length - end).map((line) => [" ", line]));
}

function drawDifference(before, after) {
  if (before === after) return make("p", { class: "about" }, "The same program as in the turn before.");
  const lines = before.length + after.length > 400000 ? null : differences(before, after);
  if (!lines) return make("p", { class: "about" }, "Too long to be compared here.");
  const kinds = { "+": "plus", "-": "minus", " ": "" };
  const drawn = lines.map(([sign, line]) => make("span", { class: `line ${kinds[sign]}` }, `${sign} `, visible(line.slice(0, 2000))));
  return make("pre", { tabindex: 0, "aria-label": "Difference to the program before: lines with + are new, lines with - are gone" }, drawn);
}

const PLAIN_TAGS = new Set(["p", "ul", "ol", "li", "blockquote", "em", "strong", "hr", "br", "code", "table", "thead", "tbody", "tr", "th", "td"]);
function grow(node) {
  if (typeof node === "string") return visible(node);
  const [tag, ...children] = node;
  if (tag === "pre") return [make("pre", { tabindex: 0, "aria-label": "Code" }, make("code", {}, colour(String(children[0] ?? "").replace(/\n$/, ""))))];
  if (tag === "h") return [make("p", { class: "h" }, children.flatMap(grow))];
  return PLAIN_TAGS.has(tag) ? [make(tag, {}, children.flatMap(grow))] : children.flatMap(grow);
}
const answer = (tree, text) => (tree ? make("div", { class: "answer" }, tree.flatMap(grow)) : raw(text, "Reply"));
