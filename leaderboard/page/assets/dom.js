// Elements are made one by one; no text is ever parsed as HTML.
const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, ...children) {
  const one = tag === "svg" || tag === "rect" || tag === "line" || tag === "path"
    ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") one.addEventListener(name, value);
    else if (value === true && !name.startsWith("aria-")) one.setAttribute(name, "");
    else if ((value !== false || name.startsWith("aria-")) && value !== null && value !== undefined) one.setAttribute(name, String(value));
  }
  one.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return one;
}

// What cannot be seen or turns the direction of text is named instead of obeyed.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function visible(text) {
  const found = [];
  let from = 0;
  for (const match of text.matchAll(UNSEEN)) {
    found.push(text.slice(from, match.index));
    const name = "U+" + match[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    found.push(make("span", { class: "control" }, name));
    from = match.index + match[0].length;
  }
  found.push(text.slice(from));
  return found.filter((one) => one !== "");
}

const plain = (text) => text.replace(UNSEEN, (one) => "\\u" + one.charCodeAt(0).toString(16).padStart(4, "0"));
// As Python rounds: of two numbers that are equally near, such as 6.2 and 6.3 to 6.25, the even one.
const percent = (value) => { const found = 100 * value; return (Math.abs(found) % 1 === 0.25 ? found - 0.05 * Math.sign(found) : found).toFixed(1); };
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

function options(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, label]) => make("option", { value, selected: value === chosen }, plain(label))));
  select.closest("label").hidden = pairs.length < 2;
}

const SHOWN = 20000;
function long(text, draw) {
  // A text of a megabyte is cut until it is asked for.
  const box = make("div");
  if (text.length <= SHOWN) return box.append(draw(text)), box;
  const more = make("button", { type: "button", click: () => { box.replaceChildren(draw(text)); box.tabIndex = -1; box.focus(); } },
    `Show all ${text.length.toLocaleString("en")} characters`);
  box.append(draw(text.slice(0, SHOWN)), more);
  return box;
}
