/* Draws the charts, and lets the slider look up rows. Nothing is calculated here: texts come from the cells of the tables,
   pictures from the data that ptucalc wrote. */
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const views = new Map();
  const state = (window.ptucalcReport = { drawn: false });

  for (const hidden of document.querySelectorAll(".charts[hidden], .slider[hidden]")) hidden.hidden = false;

  async function draw(id, inDark) {
    const spec = Object.assign({}, data.charts[id], { config: data.themes[inDark ? 1 : 0] });
    const old = views.get(id);
    if (old) old.finalize();
    const view = new vega.View(vega.parse(vegaLite.compile(spec).spec, null, { ast: true }), {
      expr: vega.expressionInterpreter,
      renderer: "svg",
      container: document.getElementById(id),
      hover: false,
      logLevel: vega.Error,
    });
    views.set(id, view);
    const slider = sliders.get(id);
    if (slider) slider.fill(view);
    await view.runAsync();
  }

  async function drawAll() {
    state.drawn = false;
    for (const id of Object.keys(data.charts)) await draw(id, dark.matches);
    state.drawn = true;
  }

  /* One slider: which type and term, which row. */
  const sliders = new Map();
  for (const [anchor, types] of Object.entries(data.whatIf)) {
    const box = document.getElementById(anchor + "-slider");
    const range = box.querySelector("input");
    const choice = box.querySelector("select");
    const said = document.getElementById(anchor + "-said");
    const chart = anchor + "-cost";

    const chosen = function () {
      const [type, term] = choice.value.split(" ");
      return { rows: types[type], term: types[type].terms[term], termName: term };
    };
    const cells = function (rows) {
      return Array.from(document.getElementById(rows.table).tBodies[0].rows[range.valueAsNumber].cells, (c) => c.textContent);
    };
    const tell = function () {
      const { rows, term } = chosen();
      const text = cells(rows);
      let all = `${text[0]} PTU: ${text[term.column + 1]} a month (${text[term.column]} fixed, ${text[4]} spillover)`;
      if (text[1] !== "—") all += `, demand over it ${text[1]} of the time`;
      if (text[2] === "not simulated") all += ", 429s not simulated";
      else if (text[2] !== "—") all += `, 429 for ${text[2]} of requests`;
      said.textContent = all + ".";
      range.setAttribute("aria-valuetext", `${text[0]} PTU, ${text[term.column + 1]} a month`);
    };
    const moved = function () {
      tell();
      const view = views.get(chart);
      if (view) view.signal("chosen", chosen().rows.ptu[range.valueAsNumber]).runAsync();
    };
    const fill = function (view) {
      const { rows, term } = chosen();
      const drawn = rows.ptu
        .map((ptu, i) => ({
          ptu,
          fixed_monthly_usd: term.fixed[i],
          spillover_monthly_usd: rows.spillover[i],
          monthly_usd: term.month[i],
        }))
        .filter((row) => row.fixed_monthly_usd !== null && row.spillover_monthly_usd !== null && row.monthly_usd !== null);
      view.data("rows", drawn);
      view.data("optimum", drawn.filter((row) => row.ptu === term.cheapest));
      view.signal("chosen", rows.ptu[range.valueAsNumber]);
    };
    sliders.set(chart, { fill });
    range.addEventListener("input", moved);
    choice.addEventListener("change", function () {
      const { rows, term } = chosen();
      range.max = String(rows.ptu.length - 1);
      const best = rows.ptu.indexOf(term.cheapest);
      if (best >= 0) range.value = String(best);
      tell();
      const view = views.get(chart);
      if (view) {
        fill(view);
        view.runAsync();
      }
    });
    tell();
  }

  /* A table is a stop for the keyboard only where there is something to scroll to. */
  function stops() {
    for (const frame of document.querySelectorAll(".scroll")) {
      const more = frame.scrollWidth > frame.clientWidth;
      frame.classList.toggle("more", more);
      if (more) frame.tabIndex = 0;
      else frame.removeAttribute("tabindex");
    }
  }
  window.addEventListener("resize", stops);
  document.addEventListener("toggle", stops, true);
  stops();

  /* On paper nothing can be opened, and it is light. */
  const opened = [];
  window.addEventListener("beforeprint", function () {
    for (const each of document.querySelectorAll("details:not([open])")) {
      each.open = true;
      opened.push(each);
    }
    if (dark.matches) for (const id of Object.keys(data.charts)) draw(id, false);
  });
  window.addEventListener("afterprint", function () {
    for (const each of opened.splice(0)) each.open = false;
    if (dark.matches) drawAll();
  });
  dark.addEventListener("change", drawAll);
  drawAll();
})();
