/** A page of the portal: the widgets that the server makes for it, and what stands around them. */

import "@jupyter-widgets/controls/css/widgets-base.css";
import "./portal.css";
import type { DOMWidgetView, WidgetModel } from "@jupyter-widgets/base";
import { Widget } from "@lumino/widgets";
import type { HeaderState } from "../wire";
import { Chrome, type Step } from "./chrome";
import { Connection } from "./connection";
import { type Frame, packFrame, unpackFrame } from "./frames";
import { PortalManager, widgetLoader } from "./manager";
import { type Memory, recall, remember } from "./memory";

const FINAL = new Set(["Completed", "Failed", "Canceled"]);

function begin(place: HTMLElement): void {
  const { base = "", path = "/", modules = "" } = place.dataset;
  const versions = new Map(modules.split(" ").map((entry) => entry.split("=") as [string, string]));
  const loader = widgetLoader(
    (name) => `${base}/modules/${encodeURIComponent(name)}/index.js?v=${versions.get(name) ?? ""}`,
  );
  void loader.load("anywidget"); // while the server makes the widgets
  void loader.load("bqplot");
  const url = new URL(`${base}/socket${path}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");

  let manager: PortalManager | null = null;
  let shown: { model: WidgetModel; view: DOMWidgetView } | null = null;
  let memory: Memory | null = null;

  const chrome = new Chrome(base, () => connection.retry());
  const connection = new Connection(url.href, {
    opened() {
      manager = new PortalManager((frame, buffers) => connection.send(packFrame(frame, buffers)), loader);
    },
    message(data) {
      const { frame, buffers } = unpackFrame(data);
      if (frame.kind === "root") void take(frame);
      else if (frame.kind === "error") chrome.banner((frame.data as { message: string }).message);
      else manager?.receive(frame, buffers);
    },
    lost(wait) {
      if (shown !== null) memory = remember(shown.model);
      const seconds = Math.max(1, Math.round(wait / 1000));
      chrome.banner(
        `The connection to the server is lost; what you see is not live. Trying again in ${seconds} s.`,
        true,
      );
    },
  });

  async function take({ id, data }: Frame): Promise<void> {
    if (manager === null) return;
    const { steps } = data as { steps: Step[] };
    const before = shown;
    const model = await manager.get_model(id);
    if (memory !== null) recall(model, memory);
    const view = await manager.create_view<DOMWidgetView>(model as never);
    before?.view.remove(); // only now: what was there stays until there is something in its place
    Widget.attach(view.luminoWidget, chrome.host);
    shown = { model, view };
    chrome.banner(null);
    chrome.where(steps);
    follow(model);
  }

  function follow(model: WidgetModel): void {
    const header = ((model.get("children") ?? []) as WidgetModel[]).find((child) =>
      String(child.get("_anywidget_id")).endsWith(".HeaderPanel"),
    );
    if (header === undefined) return;
    const tell = () => {
      const state = header.get("state") as HeaderState;
      chrome.status({ ...state, is_final: FINAL.has(state.status) });
    };
    header.on("change:state", tell);
    tell();
  }

  place.replaceWith(chrome.node);
  connection.open();
}

const place = document.getElementById("rw-portal");
if (place !== null) begin(place);
