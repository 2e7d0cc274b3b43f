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
