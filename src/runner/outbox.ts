/**
 * What one process has to say to another. What is said within one turn of the event loop goes out as one message, in
 * its order: each message costs a system call and wakes the other side, which under load is more than what is in it.
 */
export class Outbox<Message> {
  readonly #send: (messages: readonly Message[]) => void;
  #waiting: Message[] = [];

  constructor(send: (messages: readonly Message[]) => void) {
    this.#send = send;
  }

  /** To be sent at the end of this turn. */
  post(message: Message): void {
    this.#waiting.push(message);
    if (this.#waiting.length === 1) setImmediate(() => this.flush());
  }

  /** Sends what waits: for who is about to hold the event loop. */
  flush(): void {
    const messages = this.#waiting;
    if (messages.length === 0) return;
    this.#waiting = [];
    this.#send(messages);
  }
}
