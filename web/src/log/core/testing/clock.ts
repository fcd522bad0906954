/** A clock that goes when it is told to. */
declare function setImmediate(callback: () => void): void;

interface Timer {
  at: number;
  callback: () => void;
}

/** Lets all that was promised happen. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

export class Clock {
  now = 1_700_000_000_000;
  private readonly timers = new Set<Timer>();

  get pending(): number {
    return this.timers.size;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.now + ms, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Goes on by so much, from one timer to the next. */
  async run(ms: number): Promise<void> {
    const end = this.now + ms;
    await settle();
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.timers) {
        if (timer.at <= end && (!next || timer.at < next.at)) next = timer;
      }
      if (!next) break;
      this.now = Math.max(this.now, next.at);
      this.timers.delete(next);
      next.callback();
      await settle();
    }
    this.now = end;
  }
}
