/** An event as a client sends it over any protocol. */
export interface EventInput {
  readonly id?: string;
  /** Its own for each content, so that a stored event tells which send it came from. */
  readonly user_id: string;
  readonly event_type: string;
  readonly amount: string;
  readonly currency?: string;
  readonly timestamp?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface Answer {
  /**
   * `unsent`: surely not stored, nobody took it. `unknown`: nobody can say.
   * `refused`: invalid or in conflict. The others as the protocols say them.
   */
  readonly status: 'success' | 'duplicate' | 'refused' | 'not_stored' | 'unsent' | 'unknown';
  readonly id?: string | undefined;
  readonly position?: string | undefined;
  readonly code?: string | undefined;
}

/** One content and what its sender knows of it. */
export class SentEvent {
  readonly input: EventInput;
  /** It breaks a rule, takes another's id, or shares an atomic batch with one that does. */
  readonly mustBeRefused: boolean;
  id: string | undefined;
  position: string | undefined;
  /** How many times it was put on a wire. */
  sends = 0;
  successes = 0;
  outcome: 'unsent' | 'unknown' | 'stored' | 'refused' = 'unsent';

  constructor(input: EventInput, mustBeRefused: boolean) {
    this.input = input;
    this.mustBeRefused = mustBeRefused;
    this.id = input.id;
  }

  /** As it is sent: with the id that the hub made, once that is known. */
  toInput(): EventInput {
    return this.id === this.input.id || this.id === undefined
      ? this.input
      : { ...this.input, id: this.id };
  }
}

/** Everything that clients sent, and what they were answered. Notes answers that break a promise by themselves. */
export class History {
  readonly events: SentEvent[] = [];
  /** Sentences; none in a sound run. */
  readonly faults: string[] = [];
  readonly answers: Record<Answer['status'], number> = {
    success: 0,
    duplicate: 0,
    refused: 0,
    not_stored: 0,
    unsent: 0,
    unknown: 0,
  };
  /**
   * Of two sends of one id both may be answered with success, and one that should
   * be refused may be taken: on a log that forgets ids the archive has the last word.
   */
  readonly hasLagWindow: boolean;
  readonly #stored: SentEvent[] = [];

  constructor(hasLagWindow = false) {
    this.hasLagWindow = hasLagWindow;
  }

  add(input: EventInput, mustBeRefused = false): SentEvent {
    const event = new SentEvent(input, mustBeRefused);
    this.events.push(event);
    return event;
  }

  /** Events that were answered with success, oldest answer first. */
  get stored(): readonly SentEvent[] {
    return this.#stored;
  }

  note(event: SentEvent, answer: Answer): void {
    this.answers[answer.status] += 1;
    switch (answer.status) {
      case 'success':
      case 'duplicate':
        this.#noteStored(event, answer);
        break;
      case 'refused':
      case 'not_stored':
        if (!this.#mayRefuse(event)) this.#fault(event, `was ${answer.status} (${answer.code})`);
        // An earlier send of it, whose outcome nobody knew, may have been written before the conflict
        // that this one met was known: where ids are known late only, it may be there all the same.
        if (event.outcome === 'unknown' && this.hasLagWindow && mayComeLate(answer)) break;
        if (event.outcome !== 'stored') event.outcome = 'refused';
        break;
      case 'unknown':
        event.id ??= answer.id;
        if (event.outcome === 'unsent') event.outcome = 'unknown';
        break;
      case 'unsent':
        break;
    }
  }

  #noteStored(event: SentEvent, { status, id, position }: Answer): void {
    if (event.mustBeRefused && !this.hasLagWindow) {
      this.#fault(event, `must be refused and was answered ${status}`);
    }
    if (id === undefined || (event.id !== undefined && event.id !== id)) {
      this.#fault(event, `was answered with the id ${id}`);
    }
    const isElsewhere = (event.position ?? position) !== position && !this.hasLagWindow;
    if (position === undefined || isElsewhere) {
      this.#fault(event, `is at ${event.position} and was answered with ${position}`);
    }
    if (status === 'success') event.successes += 1;
    if (event.successes > 1 && !this.hasLagWindow)
      this.#fault(event, 'was answered with success twice');
    if (status === 'duplicate' && event.sends < 2) this.#fault(event, 'was a duplicate at once');
    event.id ??= id;
    event.position ??= position;
    if (event.outcome === 'stored') return;
    event.outcome = 'stored';
    this.#stored.push(event);
  }

  /** In the window another content under its id may have come first. */
  #mayRefuse({ mustBeRefused, sends, successes }: SentEvent): boolean {
    return mustBeRefused || (this.hasLagWindow && (sends > 1 || successes > 0));
  }

  #fault(event: SentEvent, what: string): void {
    this.faults.push(`${event.id ?? '(no id)'} of ${event.input.user_id} ${what}`);
  }
}

/** For a conflict, of its own or of its group; what is invalid was so at every send. */
function mayComeLate({ status, code }: Answer): boolean {
  return status === 'not_stored' || code === 'conflict';
}
