import type { AnyModel } from "@anywidget/types";

/** What JupyterLab's widget manager knows of the kernel; other hosts have none of it. */
interface LabManager {
  context?: { sessionContext?: { session?: { kernel?: { status: string } | null } | null } };
}

/** Whether nobody is left to answer: ipywidgets marks boxes without a channel, and JupyterLab may have no kernel. */
export function kernelIsGone(host: HTMLElement, manager: unknown): boolean {
  if (host.closest(".jupyter-widgets-disconnected")) return true;
  const context = (manager as LabManager | undefined)?.context?.sessionContext;
  return context !== undefined && (context.session?.kernel?.status ?? "dead") === "dead";
}

/** Tells Python what it need not hear: with the kernel its channel is gone, and a message would be an error. */
// biome-ignore lint/suspicious/noExplicitAny: a model of any traits; AnyModel is invariant in them.
export function tell(model: AnyModel<any>, message: object): void {
  try {
    model.send(message);
  } catch {
    // Nobody is there to be told.
  }
}
