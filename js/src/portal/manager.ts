/** A widget manager without a kernel: its comms are those of the page's socket. */

import * as base from "@jupyter-widgets/base";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as controls from "@jupyter-widgets/controls";
import { AmdLoader } from "./amd";
import type { Frame } from "./frames";

type Buffers = readonly (ArrayBuffer | ArrayBufferView)[];
type Send = (frame: Frame, buffers?: Buffers) => void;
// biome-ignore lint/suspicious/noExplicitAny: the messages of Jupyter, of which a widget reads content and buffers
type Message = any;

/** One comm of the page; the other end is a widget in the server. */
class PageComm {
  readonly comm_id: string;
  readonly target_name = "jupyter.widget";
  readonly #send: Send;
  onMessage: (message: Message) => unknown = () => {};
  onClose: (message: Message) => unknown = () => {};

  constructor(id: string, send: Send) {
    this.comm_id = id;
    this.#send = send;
  }

  open(): string {
    throw new Error("Widgets are made by the server.");
  }

  send(
    data: unknown,
    callbacks?: Message,
    _metadata?: unknown,
    buffers?: ArrayBuffer[] | ArrayBufferView[],
  ): string {
    this.#send({ kind: "message", id: this.comm_id, data }, buffers);
    // Without an answer that it is idle again, a model holds back what it has to save.
    queueMicrotask(() => callbacks?.iopub?.status?.({ content: { execution_state: "idle" } }));
    return "";
  }

  close(): string {
    return "";
  }

  on_msg(callback: (message: Message) => unknown): void {
    this.onMessage = callback;
  }

  on_close(callback: (message: Message) => unknown): void {
    this.onClose = callback;
  }
}

export class PortalManager extends ManagerBase {
  readonly #comms = new Map<string, PageComm>();
  readonly #send: Send;
  readonly #loader: AmdLoader;

  constructor(send: Send, loader: AmdLoader) {
    super();
    this.#send = send;
    this.#loader = loader;
  }

  /** Takes a frame from the server. */
  receive({ kind, id, data, metadata = {} }: Frame, buffers: DataView[]): void {
    const message = { content: { comm_id: id, data, target_name: "jupyter.widget" }, metadata, buffers };
    if (kind === "open") {
      const comm = new PageComm(id, this.#send);
      this.#comms.set(id, comm);
      this.handle_comm_open(comm as unknown as base.IClassicComm, message as unknown as Message).catch(
        (error: unknown) => console.error(error),
      );
    } else if (kind === "message") {
      // A model is made asynchronously; it hears what came meanwhile after that.
      const comm = this.#comms.get(id);
      if (comm && this.has_model(id)) {
        this.get_model(id).then(() => comm.onMessage(message));
      }
    } else if (kind === "close") {
      const comm = this.#comms.get(id);
      this.#comms.delete(id);
      if (comm && this.has_model(id)) this.get_model(id).then(() => comm.onClose(message));
    }
  }

  protected override async loadClass(
    className: string,
    moduleName: string,
  ): Promise<typeof base.WidgetModel | typeof base.WidgetView> {
    const module = (await this.#loader.load(moduleName)) as Record<string, typeof base.WidgetModel>;
    const found = module[className];
    if (found === undefined) throw new Error(`${moduleName} has no ${className}.`);
    return found;
  }

  protected override _create_comm(): Promise<base.IClassicComm> {
    return Promise.reject(new Error("Widgets are made by the server."));
  }

  protected override _get_comm_info(): Promise<Record<string, unknown>> {
    return Promise.resolve({});
  }
}

export function widgetLoader(urlOf: (name: string) => string): AmdLoader {
  const provided = new Map<string, unknown>([
    ["@jupyter-widgets/base", base],
    ["@jupyter-widgets/controls", controls],
  ]);
  return new AmdLoader(provided, urlOf);
}
