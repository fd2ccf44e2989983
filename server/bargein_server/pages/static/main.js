/** Starts the page: which view is shown, and what the server is. */

import { Api } from "./api.js";
import { byId } from "./dom.js";
import { LiveView } from "./live.js";
import { RecordingsView } from "./recordings.js";
import { TryView } from "./try.js";

const NAMES = /** @type {const} */ (["try", "live", "recordings"]);

/** @param {Api} api */
function start(api) {
  const { model, server } = api.facts;
  byId("facts", HTMLElement).textContent = `Server ${server.version} · model ${model.name} ${model.version}`;
  const views = { try: new TryView(api), live: new LiveView(api), recordings: new RecordingsView(api) };
  const show = () => {
    const [name, argument] = location.hash.slice(1).split("/", 2);
    const wanted = NAMES.find((known) => known === name) ?? "try";
    for (const known of NAMES) {
      const view = byId(`view-${known}`, HTMLElement);
      const changed = view.hidden !== (known !== wanted);
      view.hidden = known !== wanted;
      if (known !== wanted && changed) views[known].leave();
    }
    for (const link of document.querySelectorAll(".bar nav a")) {
      if (link.getAttribute("href") === `#${wanted}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    views[wanted].enter(argument && decodeURIComponent(argument));
  };
  addEventListener("hashchange", () => {
    show();
    byId("main", HTMLElement).focus({ preventScroll: true });
  });
  show();
}

try {
  start(await Api.open());
} catch (error) {
  byId("facts", HTMLElement).textContent = `The server cannot be reached: ${error}`;
  throw error;
}
