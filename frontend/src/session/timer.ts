/** Time in which somebody works: the page is visible, and the last sign of life is not long ago. */

/** Reading without touching anything counts up to this long. */
export const IDLE_MS = 60_000;

const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel", "touchmove", "scroll"] as const;

export class ActiveTimer {
  private banked = 0;
  private lapStart = 0;
  private lastSign: number | null = null;

  constructor(private readonly now: () => number = () => performance.now()) {
    this.lastSign = now();
  }

  /** Active milliseconds since the start. */
  get total(): number {
    return this.banked + this.sinceLastSign();
  }

  /** Active milliseconds since the last `newLap`. */
  get lap(): number {
    return this.total - this.lapStart;
  }

  newLap(): void {
    this.lapStart = this.total;
  }

  /** Somebody moved, typed or scrolled. */
  sign(): void {
    this.banked += this.sinceLastSign();
    this.lastSign = this.now();
  }

  hide(): void {
    this.banked += this.sinceLastSign();
    this.lastSign = null;
  }

  /** Whether there was a sign of life within the last `milliseconds`. */
  usedWithin(milliseconds: number): boolean {
    return this.lastSign !== null && this.now() - this.lastSign <= milliseconds;
  }

  /** Listens to the page; returns how to stop. */
  watch(): () => void {
    const onSign = () => this.sign();
    const onVisibility = () => (document.hidden ? this.hide() : this.sign());
    for (const name of SIGNS) {
      document.addEventListener(name, onSign, { capture: true, passive: true });
    }
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      for (const name of SIGNS) document.removeEventListener(name, onSign, { capture: true });
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }

  private sinceLastSign(): number {
    return this.lastSign === null ? 0 : Math.min(this.now() - this.lastSign, IDLE_MS);
  }
}
