/**
 * How a table of runs and the pop-up over it speak: they are widgets beside each other in one box, with no kernel between
 * them, so by events that rise from the pop-up to that box. Who handles one answers in its `detail`.
 */

export interface PopupPlace {
  run_id: string;
  name: string;
  /** From 0; -1 for a run that the table does not show. */
  place: number;
  of: number;
}

interface Detail {
  run_id: string;
  /** Where the run lies in the table, or the run that was stepped to. */
  next?: PopupPlace;
}

/** The pop-up shows a run; the answer says whether it was asked for just now, and gets the focus. */
export interface ShownDetail extends Detail {
  kind: "shown";
  focus?: boolean;
}

export interface ClosedDetail extends Detail {
  kind: "closed";
}

/** Somebody wants the run before or after; the answer says which that is, and how to open it. */
export interface StepDetail extends Detail {
  kind: "step";
  by: 1 | -1;
  go?: () => void;
}

export type PopupDetail = ShownDetail | ClosedDetail | StepDetail;
export type PopupEvent = CustomEvent<PopupDetail>;

const NAME = "rw-popup";

/** Sends an event up from the pop-up, and gives it back with the answer. */
export function tellTable<D extends PopupDetail>(host: HTMLElement, detail: D): D {
  host.dispatchEvent(new CustomEvent(NAME, { bubbles: true, detail }));
  return detail;
}

/** Handles the events of the pop-up of a table, once that is in a page; null before, and where there is none. */
export function answerPopup(host: HTMLElement, answer: (event: PopupEvent) => void): (() => void) | null {
  const home = host.closest<HTMLElement>(".rw-popup-home");
  if (!home) return null;
  const listener = (event: Event) => answer(event as PopupEvent);
  home.addEventListener(NAME, listener);
  return () => home.removeEventListener(NAME, listener);
}
