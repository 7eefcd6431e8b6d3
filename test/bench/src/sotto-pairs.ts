import { ready } from '@sotto/channel';
import { ReceiptStatus } from '@sotto/protocol';
import { FrameKind, parseReceipt } from '@sotto/protocol/frames';
import sodium from 'libsodium-wrappers';
import type { LoadSettings } from './load-settings.js';
import { messagesTo, store, tagOf } from './messages.js';
import type { Answered, Pairs } from './pairs.js';
import { inParallel, registered } from './registrations.js';
import { type SottoConnection, trafficOf } from './sotto-connection.js';

/** The recipient stores each message. */
export async function connectSottoPairs(settings: LoadSettings, answered: Answered): Promise<Pairs> {
  await ready();
  await sodium.ready;
  const { pairs, size } = settings;
  const connections = await inParallel(2 * pairs, () => registered(settings));
  const senderOf = (pair: number) =>
    pairUp(connections[pair]!, connections[pairs + pair]!, size, (tag, isDelivered) => answered(pair, tag, isDelivered));
  return {
    senders: Array.from({ length: pairs }, (_, pair) => senderOf(pair)),
    get isOpen() {
      return connections.every(({ closed }) => !closed);
    },
    traffic: () => trafficOf(connections),
  };
}

function pairUp(
  sender: SottoConnection,
  recipient: SottoConnection,
  size: number,
  answered: (tag: number, isDelivered: boolean) => void,
): (tag: number) => void {
  store(recipient);
  sender.onFrame = (kind, message) => {
    if (kind !== FrameKind.RECEIPT) return;
    const { id, status } = parseReceipt(message);
    if (status !== ReceiptStatus.ACCEPTED) answered(tagOf(id), status === ReceiptStatus.DELIVERED);
  };
  const messageOf = messagesTo(recipient, size);
  return (tag) => sender.write(messageOf(tag));
}
