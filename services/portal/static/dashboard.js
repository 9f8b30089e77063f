/* Draws the dashboard's figures; the tables say the same, and are all there is without this script. */
(function () {
  "use strict";

  function token(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function axis(extra) {
    return Object.assign({ axisLabel: { color: token("--ink-soft") }, splitLine: { lineStyle: { color: token("--line") } } }, extra);
  }

  function flow(figures, root) {
    return {
      aria: { enabled: true },
      animation: false,
      tooltip: { trigger: "axis" },
      grid: { left: 56, right: 16, top: 16, bottom: 28 },
      xAxis: axis({ type: "time" }),
      yAxis: axis({ type: "value", min: 0 }),
      series: [{
        name: root.dataset.flow, type: "line", showSymbol: false, color: token("--link"),
        data: figures.flow.map(function (point) { return [point.at, point.rate]; })
      }]
    };
  }

  function quality(figures, root) {
    var rows = figures.providers.filter(function (row) { return row.sound_percent !== null; });
    return {
      aria: { enabled: true },
      animation: false,
      tooltip: {},
      grid: { left: 110, right: 24, top: 16, bottom: 28 },
      xAxis: axis({ type: "value", min: 0, max: 100 }),
      yAxis: axis({ type: "category", inverse: true, data: rows.map(function (row) { return row.name; }) }),
      series: [{
        name: root.dataset.quality, type: "bar", color: token("--good"),
        data: rows.map(function (row) { return row.sound_percent; })
      }]
    };
  }

  var made = { flow: flow, quality: quality };

  document.addEventListener("DOMContentLoaded", function () {
    var root = document.getElementById("charts");
    var tables = document.getElementById("tables");
    var charts = {};
    if (!root || !tables) {
      return;
    }
    document.addEventListener("govbus:figures", function (event) {
      if (window.echarts) {
        root.hidden = false;
        root.querySelectorAll("[data-chart]").forEach(function (place) {
          var name = place.dataset.chart;
          charts[name] = charts[name] || window.echarts.init(place, null, { renderer: "svg" });
          charts[name].setOption(made[name](event.detail, root), true);
        });
      }
      fetch("/operations/tables", { headers: { "Accept": "text/html" } }).then(function (answer) {
        return answer.ok ? answer.text() : null;
      }).then(function (html) {
        if (html !== null) {
          tables.innerHTML = html;
        }
      });
    });
    window.addEventListener("resize", function () {
      Object.keys(charts).forEach(function (name) { charts[name].resize(); });
    });
  });
})();
