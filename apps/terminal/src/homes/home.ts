import type { MessagingClient } from '@sotto/client';
import type { Asker } from '../join/asker.js';
import type { Chat } from '../join/chat.js';
import type { ChatEvent } from '../join/chat-event.js';
import type { MessageNumbers } from '../join/message-numbers.js';

/** Where conversations live: an account on a server, or connections to peers. */
export interface Home {
  readonly kind: 'account' | 'peers';
  readonly client: MessagingClient;
  readonly chat: Chat;
  /** What can be typed there. */
  readonly help: string;
  readonly groups: () => readonly { readonly id: string; readonly name: string }[];
  close(): Promise<void>;
}

export interface OpenedHome {
  readonly home: Home;
  /** What the user is told first. */
  readonly first: readonly ChatEvent[];
}

/** What a home needs of whoever shows it. */
export interface HomePorts {
  /** For questions of commands in the middle of a conversation. */
  readonly ask: Asker;
  readonly numbers: MessageNumbers;
  /** Whoever sees a message as it comes has read it. */
  readonly showingIsReading: boolean;
  readonly show: (event: ChatEvent) => void;
}
