import type { ChatCommand, PartingCommand } from './chat-command.js';
import type { Conversation } from './group-event.js';
import type { MessageCommand } from './message-command.js';
import type { QueueCommand } from './queue-command.js';

/** What a chat does by itself, whoever carries its conversations. */
export type OwnCommand = Extract<ChatCommand, { readonly do: 'verify' | 'confirm' | 'history' | 'to' | 'send' | 'contacts' | 'help' }>;
export type FurtherCommand = Exclude<ChatCommand, MessageCommand | QueueCommand | OwnCommand | PartingCommand | { readonly do: 'quit' }>;

/** How groups are called, where there are any. */
export interface Groups {
  /** By its name, or the first characters of its id. Throws UsageError when several are meant. */
  find(text: string): { readonly id: string } | undefined;
  /** Undefined: it is no group but a contact. */
  nameOf(conversation: string): string | undefined;
  whereOf(conversation: string): Conversation;
  /** A group that this device has left or was removed from, by its name. */
  isFormer(name: string): boolean;
}

/** What there is around conversations of two: at a server contacts, groups and an account; between peers connections. */
export interface Surroundings {
  readonly groups: Groups;
  readonly help: string;
  /** There is no server. */
  readonly isPeer: boolean;
  /** What shows with whom one could talk. */
  readonly whereToLook: string;
  howToMeet(name: string): string;
  /** False: there is nothing more to do here. Throws what the SDK throws, and UsageError. */
  run(command: FurtherCommand): Promise<boolean>;
}
