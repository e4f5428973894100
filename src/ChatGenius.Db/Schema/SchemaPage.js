"use strict";
(() => {
  const stage = document.querySelector(".drawing"), svg = stage.querySelector("svg"), tools = stage.querySelector(".tools");
  const search = document.querySelector("#search"), said = document.querySelector("#said");
  const box = svg.viewBox.baseVal, whole = [box.x, box.y, box.width, box.height];
  const tables = [...svg.querySelectorAll(".table")], lines = [...svg.querySelectorAll(".line")];
  let view = whole, chosen = null;

  const show = next => {
    view = next;
    svg.setAttribute("viewBox", view.map(n => n.toFixed(1)).join(" "));
    svg.classList.toggle("afar", Math.max(view[2] / svg.clientWidth, view[3] / svg.clientHeight) > 1.6);
  };
  const zoom = (by, x = view[0] + view[2] / 2, y = view[1] + view[3] / 2) => {
    const width = Math.min(Math.max(view[2] * by, 120), whole[2] * 4), real = width / view[2];
    show([x - (x - view[0]) * real, y - (y - view[1]) * real, width, view[3] * real]);
  };
  const move = (x, y) => show([view[0] + x * view[2], view[1] + y * view[3], view[2], view[3]]);
  const at = e => new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse());
  const name = table => table.querySelector(".name").textContent;
  const fit = shown => {
    if (shown.length === 0) { show(whole); return; }
    const boxes = shown.map(table => table.getBBox());
    const [x, y] = [Math.min(...boxes.map(b => b.x)), Math.min(...boxes.map(b => b.y))];
    const [r, b] = [Math.max(...boxes.map(b => b.x + b.width)), Math.max(...boxes.map(b => b.y + b.height))];
    show([x - 40, y - 40, r - x + 80, b - y + 80]);
  };
  const choose = (table, fits) => {
    chosen = table;
    const id = table ? table.dataset.id : null;
    const own = lines.filter(line => [line.dataset.from, line.dataset.to].includes(id));
    const near = new Set([id, ...own.flatMap(line => [line.dataset.from, line.dataset.to])]);
    lines.forEach(line => line.classList.toggle("far", table ? !own.includes(line) : false));
    tables.forEach(other => {
      other.classList.toggle("far", table ? !near.has(other.dataset.id) : false);
      other.classList.toggle("chosen", other === table);
    });
    const names = (from, to) => [...new Set(own.filter(line => line.dataset[from] === id).map(line => line.dataset[to]))]
      .map(other => name(tables.find(t => t.dataset.id === other))).join(", ");
    said.textContent = table ? name(table) + (names("from", "to") ? "; refers to " + names("from", "to") : "")
      + (names("to", "from") ? "; referred to by " + names("to", "from") : "") : "";
    if (fits) { fit(tables.filter(other => near.has(other.dataset.id))); }
  };

  // Its height is that of the whole drawing, as far as the window allows, whatever part of it is shown.
  const size = () => {
    svg.style.height = Math.min(Math.max(stage.clientWidth * whole[3] / whole[2], 240), innerHeight * 0.72) + "px";
  };
  stage.classList.add("live");
  tables.map(table => table.querySelector(".name")).forEach(one => one.style.setProperty("--far", one.dataset.far));
  size();
  show(whole);
  addEventListener("resize", () => { size(); show(view); });
  tools.hidden = false;
  tools.addEventListener("click", e => {
    if (e.target.value === "in") { zoom(0.7); }
    if (e.target.value === "out") { zoom(1.4); }
    if (e.target.value === "all") { choose(null); show(whole); }
  });
  tables.forEach(table => table.addEventListener("click", e => {
    e.preventDefault();
    if (!moved) { choose(chosen === table ? null : table, false); }
  }));
  tables.forEach(table => table.addEventListener("dblclick", () => { location.hash = table.dataset.id; }));

  const held = new Map();
  let moved = false;
  svg.addEventListener("pointerdown", e => { held.set(e.pointerId, at(e)); moved = held.size > 1; });
  svg.addEventListener("pointermove", e => {
    const from = held.get(e.pointerId);
    if (!from) { return; }
    const to = at(e), scale = view[2] / svg.clientWidth;
    if (!moved) { moved = Math.hypot(to.x - from.x, to.y - from.y) > 4 * scale; if (moved) { svg.setPointerCapture(e.pointerId); } }
    if (!moved) { return; }
    if (held.size === 1) { show([view[0] - to.x + from.x, view[1] - to.y + from.y, view[2], view[3]]); return; }
    const other = [...held.entries()].find(([id]) => id !== e.pointerId)[1];
    zoom(Math.hypot(from.x - other.x, from.y - other.y) / Math.max(1, Math.hypot(to.x - other.x, to.y - other.y)), other.x, other.y);
    held.set(e.pointerId, at(e));
  });
  ["pointerup", "pointercancel"].forEach(end => addEventListener(end, e => held.delete(e.pointerId)));
  svg.addEventListener("wheel", e => {
    if (e.ctrlKey || e.metaKey || document.activeElement === stage) {
      e.preventDefault();
      const place = at(e);
      zoom(Math.exp(e.deltaY / 400), place.x, place.y);
    }
  }, { passive: false });
  stage.addEventListener("keydown", e => {
    const keys = {
      "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1.4), "0": () => { choose(null); show(whole); }, Escape: () => choose(null),
      ArrowLeft: () => move(-0.1, 0), ArrowRight: () => move(0.1, 0), ArrowUp: () => move(0, -0.1), ArrowDown: () => move(0, 0.1),
    };
    if (keys[e.key]) { if (e.target === stage) { e.preventDefault(); keys[e.key](); } }
    if (e.key === "Enter") { const table = e.target.closest(".table"); if (table) { e.preventDefault(); choose(table, true); } }
  });

  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = text => words.every(word => text.toLowerCase().includes(word));
    tables.forEach(table => table.classList.toggle("found", words.length > 0 ? found(table.textContent) : false));
    document.querySelectorAll("nav li").forEach(one => { one.hidden = !found(one.textContent); });
    const count = tables.filter(table => table.classList.contains("found")).length;
    said.textContent = words.length > 0 ? count + (count === 1 ? " table" : " tables") : "";
  });
  search.addEventListener("keydown", e => {
    const found = tables.filter(table => table.classList.contains("found"));
    if (e.key === "Enter") { const exact = found.find(table => name(table).endsWith(search.value)); choose(exact || found[0] || null, true); }
    if (e.key === "Escape") { search.value = ""; search.dispatchEvent(new Event("input")); choose(null); }
  });
  addEventListener("keydown", e => { if (e.key === "/") { if (e.target !== search) { e.preventDefault(); search.focus(); } } });
  addEventListener("beforeprint", () => show(whole));
})();
