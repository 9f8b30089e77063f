/* What forms do besides being forms. Everything here is a convenience: the server checks all of it again. */
(function () {
  "use strict";

  if (window.htmx) {
    window.htmx.config.allowEval = false;
    window.htmx.config.includeIndicatorStyles = false;
    window.htmx.config.selfRequestsOnly = true;
  }

  document.addEventListener("htmx:configRequest", function (event) {
    var token = document.querySelector('meta[name="csrf-token"]');
    if (token && token.content) {
      event.detail.headers["X-CSRF-Token"] = token.content;
    }
  });

  /* A button that destroys something can be pressed once its name has been typed. */
  function watchNames(root) {
    root.querySelectorAll("input[data-confirms]").forEach(function (field) {
      var button = field.form && field.form.querySelector("button[type=submit]");
      if (!button) {
        return;
      }
      function judge() {
        button.disabled = field.value.trim() !== field.dataset.confirms;
      }
      field.addEventListener("input", judge);
      judge();
    });
  }

  /* A field that matters only for one choice is shown only with it. */
  function watchChoices(root) {
    root.querySelectorAll("[data-shown-for]").forEach(function (part) {
      var name = part.dataset.shownFor.split("=")[0];
      var value = part.dataset.shownFor.split("=")[1];
      var form = part.closest("form");
      function judge() {
        var chosen = form.querySelector('[name="' + name + '"]:checked') || form.querySelector('select[name="' + name + '"]');
        part.hidden = !(chosen && chosen.value === value);
      }
      form.addEventListener("change", judge);
      judge();
    });
  }

  /* Leaving a form that was filled in and not sent is asked about. */
  function watchDrafts(root) {
    root.querySelectorAll("form[data-keep]").forEach(function (form) {
      var touched = false;
      form.addEventListener("input", function () { touched = true; });
      form.addEventListener("submit", function () { touched = false; });
      window.addEventListener("beforeunload", function (event) {
        if (touched) {
          event.preventDefault();
        }
      });
    });
  }

  function ready(root) {
    watchNames(root);
    watchChoices(root);
    watchDrafts(root);
  }

  document.addEventListener("DOMContentLoaded", function () { ready(document); });
  document.addEventListener("htmx:afterSwap", function (event) { ready(event.target); });
})();
