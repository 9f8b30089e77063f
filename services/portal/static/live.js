/* Parts of a page that renew themselves: without this script the page is read again by hand, and says the same. */
(function () {
  "use strict";

  function replaced(part, source, name) {
    source.addEventListener(name, function (event) {
      part.innerHTML = event.data;
      if (window.htmx) {
        window.htmx.process(part);
      }
    });
  }

  /* Lines come newest first; so many stay. Paused, they wait and are counted. */
  function appended(part, source, name) {
    var most = Number(part.dataset.liveMost || "200");
    var waiting = [];
    var button = document.querySelector("[data-live-pause]");
    var counter = document.querySelector("[data-live-waiting]");
    function show(html) {
      part.insertAdjacentHTML("afterbegin", html);
      while (part.children.length > most) {
        part.removeChild(part.lastElementChild);
      }
    }
    function paused() {
      return button !== null && button.getAttribute("aria-pressed") === "true";
    }
    source.addEventListener(name, function (event) {
      if (paused()) {
        waiting.push(event.data);
        waiting = waiting.slice(-most);
        if (counter) {
          counter.textContent = String(waiting.length);
        }
        return;
      }
      show(event.data);
    });
    if (button !== null) {
      button.hidden = false;
      button.addEventListener("click", function () {
        button.setAttribute("aria-pressed", paused() ? "false" : "true");
        if (!paused()) {
          waiting.forEach(show);
          waiting = [];
          if (counter) {
            counter.textContent = "0";
          }
        }
      });
    }
  }

  function listen(part) {
    var source = new EventSource(part.dataset.live);
    if (part.dataset.liveReplace) {
      replaced(part, source, part.dataset.liveReplace);
    }
    if (part.dataset.liveAppend) {
      appended(part, source, part.dataset.liveAppend);
    }
    document.querySelectorAll("[data-live-said]").forEach(function (place) {
      source.addEventListener(place.dataset.liveSaid, function (event) {
        place.innerHTML = event.data;
      });
    });
    source.addEventListener("figures", function (event) {
      document.dispatchEvent(new CustomEvent("govbus:figures", { detail: JSON.parse(event.data) }));
    });
    source.addEventListener("over", function (event) {
      source.close();
      if (event.data === "refused") {
        /* Who listened may not any more: what stands here goes, and the page says why. */
        window.location.reload();
      }
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    if (window.EventSource) {
      document.querySelectorAll("[data-live]").forEach(listen);
    }
  });
})();
