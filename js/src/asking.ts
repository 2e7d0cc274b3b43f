/** Asking Python: each request has a number by which its answer is found, among those that other views asked for. */
import type { AnyModel } from "@anywidget/types";
import { kernelIsGone } from "./kernel";
import type { Scope } from "./scope";
import type { Reply } from "./wire";

/** An answer that takes longer is said to be waited for. */
const LATE_MS = 300;

const WAITING = "Waiting for Python…";
const GONE = "The kernel is gone: RunDetails(run) shows it anew, from any kernel.";

export function bytesOf(buffers: DataView[] | undefined): Uint8Array<ArrayBuffer> {
  const view = buffers?.[0];
  if (!view) return new Uint8Array();
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}

interface Question {
  done: (reply: Reply, data: Uint8Array<ArrayBuffer>) => void;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Asker {
  readonly #view = Math.random().toString(36).slice(2);
  readonly #open = new Map<string, Question>();
  // biome-ignore lint/suspicious/noExplicitAny: a model of any traits; AnyModel is invariant in them.
  readonly #model: AnyModel<any>;
  #count = 0;

  // biome-ignore lint/suspicious/noExplicitAny: as above.
  constructor(scope: Scope, model: AnyModel<any>) {
    this.#model = model;
    const receive = (message: Reply, buffers?: DataView[]) => {
      const question = this.#open.get(message?.id);
      if (!question) return;
      this.#forget(message.id);
      question.done(message, bytesOf(buffers));
    };
    model.on("msg:custom", receive);
    scope.onEnd(() => {
      model.off("msg:custom", receive);
      for (const id of [...this.#open.keys()]) this.#forget(id);
    });
  }

  /**
   * Asks. `done` gets the answer; `late` gets words to show when it is waited for.
   * Gives what forgets the question: its answer is then of no interest.
   */
  ask<R extends Reply>(
    request: object,
    done: (reply: R, data: Uint8Array<ArrayBuffer>) => void,
    late?: (words: string) => void,
  ): () => void {
    this.#count += 1;
    const id = `${this.#view}-${this.#count}`;
    const say = () => late?.(kernelIsGone(document.body, this.#model.widget_manager) ? GONE : WAITING);
    const timer = late && setTimeout(say, LATE_MS);
    this.#open.set(id, { done: done as Question["done"], timer });
    this.#model.send({ ...request, id });
    return () => this.#forget(id);
  }

  #forget(id: string): void {
    clearTimeout(this.#open.get(id)?.timer);
    this.#open.delete(id);
  }
}
