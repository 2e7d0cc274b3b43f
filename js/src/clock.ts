/** The kernel's time. Kernel and browser may disagree by minutes, so what is shown counts on the kernel's clock. */
export class KernelClock {
  #ahead = 0;

  /** Call when a state arrives that the kernel sent at `sentAt`. */
  receive(sentAt: number): void {
    this.#ahead = Date.now() / 1000 - sentAt;
  }

  /** UTC epoch seconds. */
  now(): number {
    return Date.now() / 1000 - this.#ahead;
  }
}
