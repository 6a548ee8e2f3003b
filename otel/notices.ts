/** Something about telemetry that people must be told. `code` is stable, `message` is for people. */
export interface Notice {
  readonly level: 'warn' | 'info';
  readonly code:
    | 'collector_unreachable'
    | 'collector_back'
    | 'spans_dropped'
    | 'metrics_refused'
    | 'metrics_accepted'
    | 'logs_refused'
    | 'logs_accepted'
    | 'unsupported_setting';
  readonly message: string;
}

export type NoticeListener = (notice: Notice) => void;

/** Telemetry starts before there is a logger: what is said until someone listens is kept for them. */
export class Notices {
  readonly #kept: Notice[] = [];
  #listener: NoticeListener | null = null;

  say(notice: Notice): void {
    if (this.#listener === null) this.#kept.push(notice);
    else this.#listener(notice);
  }

  /** Says that a variable asks for what there is not. */
  unsupported(variable: string, value: string, allowed: string): void {
    const message = `${variable}: "${value}" is not supported and ignored; it takes ${allowed}.`;
    this.say({ level: 'warn', code: 'unsupported_setting', message });
  }

  /** There is one listener: a second one takes the first one's place. */
  listen(listener: NoticeListener): void {
    this.#listener = listener;
    for (const notice of this.#kept.splice(0)) listener(notice);
  }
}
