/** Pictures of a run, each asked for once and kept until there are too many. */
import type { Asker } from "./asking";
import { formatNumber } from "./format";
import type { Scope } from "./scope";
import type { PictureReply, PictureRequest } from "./wire";

/** Bytes of pictures, as they are packed, that are kept. */
const KEPT = 64e6;

/** Pixels only: an SVG or HTML file may carry scripts and load what it likes. */
export const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"]);

export interface Shot {
  name: string;
  index: number;
  path: string;
  size: number;
  logged_at: number;
  width: number;
  height: number;
  /** Null where `why` says why not. */
  url: string | null;
  why: string;
  mayPass: boolean;
}

export const numberOf = (index: number, count: number): string =>
  count > 1 ? `#${formatNumber(index + 1)} of ${formatNumber(count)}` : "";

export class Pictures {
  readonly #asker: Asker;
  readonly #kept = new Map<string, Shot>();
  #bytes = 0;

  constructor(scope: Scope, asker: Asker) {
    this.#asker = asker;
    scope.onEnd(() => {
      for (const key of [...this.#kept.keys()]) this.#drop(key);
    });
  }

  /** Gives a picture: at once, or when Python has sent it. What is returned forgets the wish. */
  get(name: string, index: number, done: (shot: Shot) => void, wait: (words: string) => void): () => void {
    const key = `${index} ${name}`;
    const known = this.#kept.get(key);
    if (known) {
      this.#kept.delete(key); // to the end, for those at the beginning go first
      this.#kept.set(key, known);
      done(known);
      return () => {};
    }
    wait("");
    return this.#asker.ask<PictureReply>(
      { kind: "picture", name, index } satisfies PictureRequest,
      (reply, data) => done(this.#take(key, name, index, reply, data)),
      wait,
    );
  }

  /** Forgets what may be another at the next look. */
  expire(): void {
    for (const [key, shot] of [...this.#kept]) if (shot.mayPass) this.#drop(key);
  }

  #take(key: string, name: string, index: number, reply: PictureReply, data: Uint8Array<ArrayBuffer>): Shot {
    const { trouble, note, mime, path = "", size = 0, logged_at = 0, width = 0, height = 0 } = reply;
    let why = trouble ?? note;
    if (why === null && !PICTURES.has(mime)) why = `Images of type ${mime || "unknown"} are not shown.`;
    // Whatever the sender said, a Blob of this type is decoded as a picture or not at all.
    const url = why === null ? URL.createObjectURL(new Blob([data], { type: mime })) : null;
    const mayPass = trouble !== null || reply.may_pass;
    const shot = { name, index, path, size, logged_at, width, height, url, why: why ?? "", mayPass };
    this.#drop(key);
    this.#kept.set(key, shot);
    this.#bytes += url === null ? 0 : size;
    for (const old of this.#kept.keys()) {
      if (this.#bytes <= KEPT || old === key) break;
      this.#drop(old);
    }
    return shot;
  }

  #drop(key: string): void {
    const shot = this.#kept.get(key);
    if (!shot) return;
    this.#kept.delete(key);
    if (shot.url === null) return;
    this.#bytes -= shot.size;
    URL.revokeObjectURL(shot.url);
  }
}
