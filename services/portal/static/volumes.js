/* Draws what comparisons with the source found; the table says the same, and is all there is without this script. */
(function () {
  "use strict";

  function token(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function axis(extra) {
    return Object.assign({ axisLabel: { color: token("--ink-soft") }, splitLine: { lineStyle: { color: token("--line") } } }, extra);
  }

  function drawn(series, bottom) {
    return {
      aria: { enabled: true },
      animation: false,
      tooltip: { trigger: "axis" },
      legend: { bottom: 0, textStyle: { color: token("--ink-soft") } },
      grid: { left: 72, right: 16, top: 16, bottom: 56 },
      xAxis: axis({ type: "time" }),
      yAxis: axis({ type: "value", min: bottom, minInterval: 1, scale: true }),
      series: series
    };
  }

  function of(points, name) {
    return points.map(function (point) { return [point.at, point[name]]; });
  }

  function rows(points, root) {
    return drawn([
      { name: root.dataset.source, type: "line", color: token("--link"), data: of(points, "source") },
      { name: root.dataset.canonical, type: "line", color: token("--good"), lineStyle: { type: "dashed" }, data: of(points, "canonical") }
    ]);
  }

  function differences(points, root) {
    return drawn([
      { name: root.dataset.differences, type: "bar", barMaxWidth: 24, color: token("--bad"), data: of(points, "differences") }
    ], 0);
  }

  var made = { rows: rows, differences: differences };

  document.addEventListener("DOMContentLoaded", function () {
    var root = document.getElementById("charts");
    if (!root || !window.echarts) {
      return;
    }
    var points = JSON.parse(root.dataset.points);
    root.hidden = false;
    var charts = Array.prototype.map.call(root.querySelectorAll("[data-chart]"), function (place) {
      var chart = window.echarts.init(place, null, { renderer: "svg" });
      chart.setOption(made[place.dataset.chart](points, root));
      return chart;
    });
    window.addEventListener("resize", function () {
      charts.forEach(function (chart) { chart.resize(); });
    });
  });
})();
