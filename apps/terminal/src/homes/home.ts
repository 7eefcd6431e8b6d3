import type { SottoClient } from '@sotto/client';
import type { Chat } from '../join/chat.js';

/** What the screen itself asks of the SDK; the rest are commands. */
export type HomeClient = Pick<SottoClient, 'on' | 'contacts' | 'queue' | 'history' | 'message' | 'markRead' | 'typing' | 'close'>;

/** Where conversations live: an account on a server, or connections to peers. */
export interface Home {
  readonly client: HomeClient;
  readonly chat: Chat;
  /** Of the account, as others see it. */
  readonly ownName: () => string | undefined;
  readonly groups: () => readonly { readonly id: string; readonly name: string }[];
  /** Before the first command: shows what waits since the last time. */
  start(): void;
  close(): Promise<void>;
}
