/**
 * Loads the widget libraries' own bundles, which are AMD modules, without require.js: a script that calls `define`
 * with the modules it needs gets those that the page has.
 */

type Factory = (...modules: unknown[]) => unknown;

/** A loader of modules by name; `provided` are those that the page has, `urls` says where others lie. */
export class AmdLoader {
  readonly #provided: ReadonlyMap<string, unknown>;
  readonly #urlOf: (name: string) => string;
  readonly #loading = new Map<string, Promise<unknown>>();

  constructor(provided: ReadonlyMap<string, unknown>, urlOf: (name: string) => string) {
    this.#provided = provided;
    this.#urlOf = urlOf;
    const define = (...args: unknown[]) => {
      const factory = args.at(-1) as Factory;
      const needs = (args.at(-2) ?? []) as string[];
      const script = document.currentScript as
        | (HTMLScriptElement & { take?: (made: Promise<unknown>) => void })
        | null;
      script?.take?.(Promise.all(needs.map((name) => this.load(name))).then((found) => factory(...found)));
    };
    define.amd = {};
    (globalThis as { define?: unknown }).define = define;
  }

  load(name: string): Promise<unknown> {
    const provided = this.#provided.get(name);
    if (provided !== undefined) return Promise.resolve(provided);
    let loading = this.#loading.get(name);
    if (loading === undefined) {
      loading = this.#fetch(name);
      this.#loading.set(name, loading);
      loading.catch(() => this.#loading.delete(name)); // the next one to ask tries again
    }
    return loading;
  }

  #fetch(name: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = this.#urlOf(name);
      Object.assign(script, { take: resolve });
      script.addEventListener("error", () => reject(new Error(`The module ${name} could not be loaded.`)));
      script.addEventListener("load", () => reject(new Error(`${name} is no module of the kind expected.`)));
      document.head.append(script);
    });
  }
}
