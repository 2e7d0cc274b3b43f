/** What stands around the widgets of a page: where it is, a banner, the theme, and what the browser's tab says. */

import { el, setAttr, setText, show } from "../dom";
import type { HeaderState, StatusGroup } from "../wire";

const SIGNS: Record<StatusGroup, string> = {
  waiting: "○",
  active: "●",
  done: "✓",
  failed: "✗",
  canceled: "⊘",
  silent: "?",
};
const COLORS: Record<StatusGroup, string> = {
  waiting: "#8b949e",
  active: "#3b76d6",
  done: "#2f9e6b",
  failed: "#c8383f",
  canceled: "#8b949e",
  silent: "#b7791f",
};
const THEMES = ["system", "light", "dark"] as const;
const KEPT = "runwidgets-theme";

export interface Step {
  title: string;
  path: string | null;
}

export class Chrome {
  readonly node: HTMLElement;
  readonly host = el("main", { id: "rw-view" });
  readonly #steps = el("ol", { class: "rw-steps" });
  readonly #bannerText = el("span");
  readonly #retry = el("button", { class: "rw-portal-button", type: "button" }, "try now");
  readonly #banner: HTMLElement;
  readonly #notify = el(
    "button",
    { class: "rw-portal-button", type: "button", "aria-pressed": "false" },
    "notify me",
  );
  readonly #base: string;
  #group: StatusGroup | null = null;

  constructor(base: string, retry: () => void) {
    this.#base = base;
    this.#banner = el("div", { class: "rw-portal-banner", role: "alert" }, this.#bannerText, this.#retry);
    this.#retry.addEventListener("click", retry);
    this.#notify.addEventListener("click", () => void this.#toggleNotices());
    const nav = el("nav", { "aria-label": "Where this is" }, this.#steps);
    const bar = el("header", { class: "rw-portal-bar" }, nav, this.#notify, themeButton());
    this.node = el("div", { class: "rw-portal" }, bar, this.#banner, this.host);
    this.banner(null);
    show(this.#notify, false);
  }

  banner(text: string | null, canRetry = false): void {
    setText(this.#bannerText, text ?? "");
    show(this.#retry, canRetry);
    show(this.#banner, text !== null);
  }

  where(steps: readonly Step[]): void {
    this.#steps.replaceChildren(
      ...steps.map(({ title, path }, index) => {
        const last = index === steps.length - 1;
        const name =
          path === null || last ? el("span", {}, title) : el("a", { href: this.#base + path }, title);
        if (last) setAttr(name, "aria-current", "page");
        setAttr(name, "title", title);
        return el("li", {}, name);
      }),
    );
    this.title(steps.at(-1)?.title ?? "");
  }

  title(name: string): void {
    document.title = name === "" ? "runwidgets" : `${name} · runwidgets`;
  }

  /** Says in the browser's tab what the header of a run says. */
  status({
    status,
    status_group,
    run_name,
    is_final,
  }: Pick<HeaderState, "status" | "status_group" | "run_name"> & {
    is_final: boolean;
  }): void {
    const group = status_group as StatusGroup;
    document.title = `${SIGNS[group] ?? ""} ${run_name} · runwidgets`;
    favicon(COLORS[group] ?? COLORS.waiting);
    show(this.#notify, !is_final && "Notification" in globalThis);
    const ended = is_final && this.#group !== null && this.#group !== group;
    if (ended && this.#notify.getAttribute("aria-pressed") === "true")
      new Notification(`${run_name}: ${status}`);
    this.#group = group;
  }

  async #toggleNotices(): Promise<void> {
    const wanted = this.#notify.getAttribute("aria-pressed") !== "true";
    const allowed = !wanted || (await Notification.requestPermission()) === "granted";
    setAttr(this.#notify, "aria-pressed", String(wanted && allowed));
    setText(this.#notify, allowed ? "notify me" : "notices are blocked by the browser");
  }
}

function favicon(color: string): void {
  const shape = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6" fill="${color}"/></svg>`;
  let link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (link === null) {
    link = el("link", { rel: "icon" });
    document.head.append(link);
  }
  setAttr(link, "href", `data:image/svg+xml,${encodeURIComponent(shape)}`);
}

function themeButton(): HTMLElement {
  const button = el("button", { class: "rw-portal-button", type: "button" });
  const take = (theme: (typeof THEMES)[number]) => {
    const root = document.documentElement;
    setAttr(root, "theme", theme === "system" ? null : theme);
    root.style.colorScheme = theme === "system" ? "" : theme;
    setText(button, `theme: ${theme}`);
  };
  let theme = THEMES.find((name) => name === localStorage.getItem(KEPT)) ?? "system";
  take(theme);
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
    localStorage.setItem(KEPT, theme);
    take(theme);
  });
  return button;
}
