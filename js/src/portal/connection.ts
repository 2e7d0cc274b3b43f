/** The page's socket, opened anew when it is lost: soon at first, then less and less often. */

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;

export interface Listener {
  /** The socket is open; what was made through the one before is gone. */
  opened(): void;
  message(data: ArrayBuffer): void;
  /** The socket is lost; it is tried again in so many milliseconds. */
  lost(wait: number): void;
}

export class Connection {
  readonly #url: string;
  readonly #listener: Listener;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;

  constructor(url: string, listener: Listener) {
    this.#url = url;
    this.#listener = listener;
    addEventListener("online", () => this.retry());
  }

  open(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.addEventListener("open", () => this.#listener.opened());
    socket.addEventListener("message", ({ data }) => {
      this.#failures = 0; // a server that opens sockets and closes them at once is not back
      if (data instanceof ArrayBuffer) this.#listener.message(data);
    });
    socket.addEventListener("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#failures) * (0.75 + Math.random() / 2);
      this.#failures += 1;
      this.#listener.lost(wait);
      this.#timer = setTimeout(() => this.open(), wait);
    });
  }

  /** Tries now, if it waits to try. */
  retry(): void {
    if (this.#timer !== undefined) this.open();
  }

  /** Sends, if anybody hears. */
  send(data: Uint8Array<ArrayBuffer>): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(data);
  }
}
