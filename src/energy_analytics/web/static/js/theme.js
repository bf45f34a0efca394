// Runs before the first paint, as a plain script, so that a chosen theme does not flash.
(() => {
  const chosen = localStorage.getItem("energy-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
