/**
 * All panels, loaded once for each display: `Scripts` in `runwidgets/widgets/scripts.py` brings this module, and what the
 * panels bring is `part`, which waits for it.
 */
import board from "./board";
import details from "./details";
import differences from "./differences";
import evaluation from "./evaluation";
import files from "./files";
import header from "./header";
import heading from "./heading";
import home from "./home";
import images from "./images";
import lens from "./lens";
import logs from "./logs";
import metrics from "./metrics";
import overlay from "./overlay";
import popup from "./popup";
import runs from "./runs";
import sides from "./sides";

/** Python writes here which build this is: a page may have displays of several. */
const BUILD = "__RUNWIDGETS_BUILD__";
const PLACE = Symbol.for("runwidgets");

const page = globalThis as { [PLACE]?: Map<string, object> };
const builds = page[PLACE] ?? new Map<string, object>();
page[PLACE] = builds;
builds.set(BUILD, {
  board,
  details,
  differences,
  evaluation,
  files,
  header,
  heading,
  home,
  images,
  lens,
  logs,
  metrics,
  overlay,
  popup,
  runs,
  sides,
});
dispatchEvent(new Event(`runwidgets:${BUILD}`));

export default { render() {} };
