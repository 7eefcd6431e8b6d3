import type { Contact } from '@sotto/client';
import type { Home } from '../homes/home.js';
import type { RosterRow, TuiEvent } from './update.js';

/** After a connection, the presence of everybody comes at once. */
const GATHER_MS = 30;

const KINDS: Partial<Record<Contact['status'], RosterRow['kind']>> = { accepted: 'contact', requested: 'request', pending: 'asked' };

/** Keeps the list of a home's conversations up to date. */
export class RosterWatch {
  #timer: NodeJS.Timeout | undefined;
  readonly #stopListening: (() => void)[];

  constructor(
    private readonly id: string,
    private readonly home: Home,
    private readonly dispatch: (event: TuiEvent) => void,
  ) {
    const { client } = home;
    const soon = (['presence', 'state'] as const).map((event) => client.on(event, () => this.#soon()));
    const now = (['contact', 'group'] as const).map((event) => client.on(event, () => this.now()));
    this.#stopListening = [...soon, ...now];
    this.now();
  }

  now(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.dispatch({ type: 'roster', home: this.id, rows: rosterOf(this.home) });
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const stop of this.#stopListening) stop();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.now(), GATHER_MS);
  }
}

function rosterOf({ client, groups }: Home): RosterRow[] {
  const contacts = client.contacts().flatMap(({ name, status, online, changedKey }): RosterRow[] => {
    const kind = KINDS[status];
    return kind === undefined ? [] : [{ conversation: name, title: name, kind, online, keyChanged: changedKey !== undefined }];
  });
  const inGroups = groups().map(({ id, name }): RosterRow => ({
    conversation: id,
    title: name,
    kind: 'group',
    online: false,
    keyChanged: false,
  }));
  return [...contacts, ...inGroups];
}
