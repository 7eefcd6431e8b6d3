import type { MessagingClient } from '@sotto/client';
import { keyOf, type PlaceKey, selectedOf, type TuiState } from './state.js';

/** Tells what the user has before their eyes: what they type, and what they have read. */
export class Reading {
  /** The last message that was counted as read, by conversation. */
  readonly #read = new Map<PlaceKey, string>();
  #typed: { readonly key: PlaceKey; readonly text: string } | undefined;

  /** @param clientOf undefined while the home is not open. */
  constructor(private readonly clientOf: (home: string) => MessagingClient | undefined) {}

  see(state: TuiState): void {
    const selected = selectedOf(state);
    const client = selected === undefined ? undefined : this.clientOf(selected.home);
    if (selected === undefined || client === undefined || selected.conversation === '') return;
    const { conversation, draft, scroll, entries } = selected;
    if (this.#types(keyOf(selected), draft.text)) quietly(client.typing(conversation));
    const last = entries.findLast((each) => each.kind === 'message' && !each.own);
    const isSeen = scroll === 0 && state.panel === undefined && last?.kind === 'message';
    if (!isSeen || this.#read.get(keyOf(selected)) === last.id) return;
    this.#read.set(keyOf(selected), last.id);
    quietly(client.markRead(conversation, last.id));
  }

  /** Whether the text has grown, and is for somebody. */
  #types(key: PlaceKey, text: string): boolean {
    const before = this.#typed?.key === key ? this.#typed.text : text;
    this.#typed = { key, text };
    return text.length > before.length && !text.startsWith('/');
  }
}

/** Nothing depends on it, and it is told again with the next one. */
function quietly(told: Promise<void>): void {
  told.catch(() => undefined);
}
