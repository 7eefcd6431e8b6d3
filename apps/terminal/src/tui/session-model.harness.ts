import { press } from './keyboard.js';
import { KeyReader } from './keys.js';
import { inputRows, listRows, paneRows, ruleRow, statusRow, titleRow } from './screen-rows.js';
import { panesOf } from './layout.js';
import type { Row } from './spans.js';
import { emptyState, type MessageView, type TuiState } from './state.js';
import { type RosterRow, type TuiEvent, update } from './update.js';
import type { Effect } from './keyboard.js';

export const HOME = 'alice@chat.example:7788';

/** A session without a terminal and without a server: what happens, and what would be seen. */
export class Model {
  state: TuiState;
  effects: Effect[] = [];
  readonly #reader = new KeyReader();
  #messages = 0;

  constructor(columns = 80, rows = 24) {
    this.state = emptyState(columns, rows);
    this.happens({ type: 'home', home: { id: HOME, label: HOME, state: 'online' } });
  }

  happens(...events: TuiEvent[]): void {
    for (const event of events) this.state = update(this.state, event);
  }

  types(text: string): void {
    for (const key of this.#reader.push(text)) {
      const { state, effects } = press(this.state, key);
      this.state = state;
      this.effects.push(...effects);
    }
  }

  knows(...rows: (Partial<RosterRow> & { conversation: string })[]): void {
    const whole = rows.map((row): RosterRow => ({ title: row.conversation, kind: 'contact', online: true, keyChanged: false, ...row }));
    this.happens({ type: 'roster', home: HOME, rows: whole });
  }

  opens(conversation: string): void {
    this.happens({ type: 'open', home: HOME, conversation });
  }

  hears(conversation: string, text: string, more: Partial<MessageView> = {}): string {
    const id = `id-${++this.#messages}`;
    const sentAt = Date.UTC(2026, 0, 1, 12) + this.#messages;
    const message: MessageView = { kind: 'message', id, number: this.#messages, from: conversation, own: false, text, sentAt, ...more };
    this.happens({ type: 'message', home: HOME, conversation, title: conversation, message, at: sentAt });
    return id;
  }

  get list(): string[] {
    return textOf(listRows(this.state, panesOf(this.state).list, panesOf(this.state).body));
  }

  get pane(): string[] {
    return textOf(paneRows(this.state, panesOf(this.state).pane, panesOf(this.state).body));
  }

  get title(): string {
    return textOf([titleRow(this.state, this.state.columns)])[0]!;
  }

  get input(): string[] {
    return textOf(inputRows(this.state, this.state.columns, panesOf(this.state)));
  }

  get rule(): string {
    return textOf([ruleRow(this.state, this.state.columns)])[0]!;
  }

  get status(): string {
    return textOf([statusRow(this.state, this.state.columns)])[0]!;
  }
}

function textOf(rows: readonly Row[]): string[] {
  return rows.map((row) =>
    row
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  );
}
