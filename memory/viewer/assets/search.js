"use strict";
// Finds a text in the pages of a copy. They come as `texts` of scripts beside this one; all are shown as text.

const MOST = 100; // pages listed
const AROUND = 90; // characters before and after what is found

function excerpt(text, at, length) {
  const start = Math.max(0, at - AROUND);
  const end = at + length + AROUND;
  const mark = document.createElement("mark");
  mark.textContent = text.slice(at, at + length);
  return [start ? "…" : "", text.slice(start, at), mark, text.slice(at + length, end), end < text.length ? "…" : ""];
}

function hit([name, title, text], at, length) {
  const item = document.createElement("li");
  const way = document.createElement("a");
  way.href = name;
  way.textContent = title;
  const said = document.createElement("p");
  said.append(...(at < 0 ? [text.slice(0, 2 * AROUND)] : excerpt(text, at, length)));
  item.append(way, said);
  return item;
}

const asked = (new URLSearchParams(location.search).get("q") ?? "").trim();
const told = document.getElementById("told");
for (const input of document.querySelectorAll("input[name=q]")) input.value = asked;
if (asked) {
  const wanted = asked.toLowerCase();
  const found = (self.texts ?? [])
    .map((page) => [page, page[2].toLowerCase().indexOf(wanted)])
    .filter(([page, at]) => at >= 0 || page[1].toLowerCase().includes(wanted));
  document.getElementById("hits").append(...found.slice(0, MOST).map(([page, at]) => hit(page, at, asked.length)));
  const beyond = found.length > MOST ? `, of which the first ${MOST} are listed` : "";
  told.textContent = `${found.length} of ${(self.texts ?? []).length} pages hold “${asked}”${beyond}.`;
  document.title = `${asked} · ${document.title}`;
} else {
  told.textContent = `Searches the text of the ${(self.texts ?? []).length} pages of this copy.`;
}
