"use strict";
// Makes the pages live and quick to move in; every page is whole without it. Text only ever arrives as HTML that the
// server has escaped, and nothing here builds markup from text.

const BEAT = 2000; // ms between two looks at a session that goes on

async function fetched(address) {
  const answer = await fetch(address, { credentials: "same-origin", redirect: "error" });
  if (!answer.ok) throw new Error(`${answer.status} ${address}`);
  return answer;
}

async function parsed(address) {
  return new DOMParser().parseFromString(await (await fetched(address)).text(), "text/html");
}

// live: when the pulse changes, sections that differ are exchanged; folds stay, and so does what somebody is working in

function exchange(now, then) {
  if (now.outerHTML === then.outerHTML || now.dataset.touched || now.contains(document.activeElement)) return;
  const opened = [...now.querySelectorAll("details")].map((fold) => fold.open);
  const fresh = document.adoptNode(then);
  fresh.querySelectorAll("details").forEach((fold, i) => { fold.open = opened[i] ?? fold.open; });
  now.replaceWith(fresh);
}

async function refresh() {
  const page = await parsed(location.href);
  for (const now of document.querySelectorAll("main section[id], #head")) {
    const then = page.getElementById(now.id);
    if (then) exchange(now, then);
  }
  if (!page.body.dataset.pulse) delete document.body.dataset.pulse;
}

async function watch(last) {
  const pulse = document.body.dataset.pulse;
  if (!pulse) return;
  let beat = last;
  try {
    if (!document.hidden) {
      beat = await (await fetched(pulse)).text();
      if (last !== null && beat !== last) await refresh();
    }
  } catch (error) {
    console.info(`not up to date: ${error.message}`); // the viewer was stopped, or the session is gone; look again later
  }
  setTimeout(() => watch(beat), BEAT);
}

// trace: a step opens and closes below itself; arrow keys walk

function closeBelow(step) {
  const row = step.parentElement;
  const level = Number(row.dataset.level);
  while (row.nextElementSibling && Number(row.nextElementSibling.dataset.level) > level) row.nextElementSibling.remove();
  step.dataset.open = "no";
}

async function openBelow(step) {
  step.dataset.open = "yes";
  step.closest("section").dataset.touched = "yes";
  const page = await parsed(step.dataset.parts);
  step.parentElement.after(...page.querySelectorAll("li"));
}

function toggle(step, open) {
  if (!step.dataset.parts || (step.dataset.open === "yes") === open) return;
  if (open) openBelow(step).catch(() => { step.dataset.open = "no"; });
  else closeBelow(step);
}

function neighbour(step, by) {
  const all = [...document.querySelectorAll(".step")];
  return all[all.indexOf(step) + by];
}

// map: arrow keys walk from point to point, of which one is in the order of tabs; what one stands for is said below

function walkMap(point, key) {
  const all = [...point.closest(".map").querySelectorAll("a")];
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[key];
  const next = by ? all[all.indexOf(point) + by] : { Home: all[0], End: all.at(-1) }[key];
  if (!next) return Boolean(by);
  point.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
  return true;
}

function say(event) {
  const point = event.target.closest?.(".map a");
  if (!point) return;
  point.closest("section").querySelector(".said").textContent = point.getAttribute("aria-label");
}

document.addEventListener("focusin", say);
document.addEventListener("mouseover", say);

document.addEventListener("click", (event) => {
  const step = event.target.closest?.(".step[data-parts] .twist")?.closest(".step");
  if (!step) return;
  event.preventDefault(); // on its sign a step opens; elsewhere it is a link
  toggle(step, step.dataset.open !== "yes");
});

document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || event.target.closest?.("input, select, textarea")) return;
  const point = event.target.closest?.(".map a");
  if (point && walkMap(point, event.key)) {
    event.preventDefault();
    return;
  }
  const step = event.target.closest?.(".step");
  const walk = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (walk && (step || document.querySelector(".step"))) {
    (step ? neighbour(step, walk) : document.querySelector(".step"))?.focus();
  } else if (step && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
    toggle(step, event.key === "ArrowRight");
  } else {
    const goal = { "/": "[role=search] input", "[": "a[rel=prev]", "]": "a[rel=next]", u: ".bar li:nth-last-child(2) a" };
    const found = goal[event.key] && document.querySelector(goal[event.key]);
    if (!found) return;
    if (event.key === "/") found.focus();
    else found.click();
  }
  event.preventDefault();
});

watch(null);
