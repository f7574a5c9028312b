/** A wish to stop that the loop can look at and that reaches the trainer at once. No signals here: cli/ connects them. */
export class Interruption {
  private readonly listeners = new Set<() => void>();
  private asked = false;

  get requested(): boolean {
    return this.asked;
  }

  request(): void {
    this.asked = true;
    for (const listener of this.listeners) listener();
  }

  /** Calls back at the request, or now when it was made already. Returns how to stop listening. */
  onRequest(listener: () => void): () => void {
    if (this.asked) listener();
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
