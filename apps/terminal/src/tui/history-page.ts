import type { Message, MessagingClient } from '@sotto/client';
import type { MessageNumbers } from '../join/message-numbers.js';
import type { MessageView, Quote } from './state.js';

/** Messages that are loaded at once. */
const PAGE = 200;

/** A part of what the device keeps of a conversation, oldest first. `whole`: nothing lies before it. */
export interface HistoryPage {
  readonly messages: readonly MessageView[];
  readonly whole: boolean;
}

/** The last page, or the one before the message `before`. */
export async function historyPage(
  client: MessagingClient,
  numbers: MessageNumbers,
  conversation: string,
  before: string | undefined,
): Promise<HistoryPage> {
  const page = await client.history(conversation, { before, limit: PAGE });
  const queued = new Map(client.queue().map(({ id, status }) => [id, status]));
  const views = page.map(async (message): Promise<MessageView> => {
    const { id, from, own, text, sentAt, reactions, edited, deleted, unknown, expiresAt, readBy, fromBlocked, discarded } = message;
    const said = { kind: 'message', id, from, own, text, sentAt, number: numbers.numberOf(id) } as const;
    const replyTo = await quoteOf(message, client);
    return {
      ...said,
      reactions,
      edited,
      deleted,
      unknown,
      hidden: fromBlocked,
      expiresAt,
      readBy,
      replyTo,
      status: own ? (queued.get(id) ?? (discarded === true ? 'discarded' : 'delivered')) : undefined,
    };
  });
  return { messages: await Promise.all(views), whole: page.length < PAGE };
}

async function quoteOf({ conversation, replyTo }: Message, client: MessagingClient): Promise<Quote | undefined> {
  if (replyTo === undefined) return undefined;
  const quoted = await client.message(conversation, replyTo);
  return quoted === undefined ? 'not here' : { from: quoted.from, text: quoted.text, fromBlocked: quoted.fromBlocked };
}
