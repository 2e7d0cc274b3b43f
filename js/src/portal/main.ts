import "@jupyter-widgets/controls/css/widgets-base.css";
import "./portal.css";
import { packFrame, unpackFrame } from "./frames";
import { PortalManager, widgetLoader } from "./manager";

const root = document.getElementById("rw-portal");
if (root !== null) begin(root);

function begin(host: HTMLElement): void {
  const { base = "", path = "/", modules = "" } = host.dataset;
  const versions = new Map(modules.split(" ").map((entry) => entry.split("=") as [string, string]));
  const loader = widgetLoader((name) => `${base}/modules/${encodeURIComponent(name)}/index.js?v=${versions.get(name)}`);
  void loader.load("anywidget"); // while the server makes the widgets
  void loader.load("bqplot");
  const url = new URL(`${base}/socket${path}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const manager = new PortalManager((frame, buffers) => socket.send(packFrame(frame, buffers)), loader);
  socket.addEventListener("message", ({ data }) => {
    const { frame, buffers } = unpackFrame(data as ArrayBuffer);
    if (frame.kind === "root") void manager.show(frame.id, host);
    else manager.receive(frame, buffers);
  });
}
