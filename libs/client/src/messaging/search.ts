import type { DeviceCore } from '../device-core.js';
import type { Placed } from '../history/history.js';
import { textNow } from '../history/stored-message.js';
import type { Message } from './message.js';
import { messageOf } from './message-view.js';

const DEFAULT_LIMIT = 50;

export interface SearchOptions {
  /** Absent: all. */
  readonly conversation?: string | undefined;
  readonly limit?: number | undefined;
}

/** Messages whose text holds this one, whatever the case; newest first. */
export async function search(text: string, { conversation, limit = DEFAULT_LIMIT }: SearchOptions, device: DeviceCore): Promise<Message[]> {
  const wanted = folded(text);
  const found: Message[] = [];
  if (wanted === '' || limit <= 0) return found;
  const now = Date.now();
  const conversations = conversation === undefined ? [...device.history.conversations] : [conversation];
  for await (const { message } of newestOf(conversations.map((each) => device.history.newestFirst(each)))) {
    const isThere = message.expiresAt === undefined || message.expiresAt > now;
    if (isThere && folded(textNow(message)).includes(wanted)) found.push(messageOf(message, device));
    if (found.length >= limit) break;
  }
  return found;
}

function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** Of several walks that are newest first, one that is. */
async function* newestOf(walks: readonly AsyncGenerator<Placed>[]): AsyncGenerator<Placed> {
  const heads: { walk: AsyncGenerator<Placed>; placed: Placed }[] = [];
  const advance = async (walk: AsyncGenerator<Placed>) => {
    const next = await walk.next();
    if (next.done !== true) heads.push({ walk, placed: next.value });
  };
  for (const walk of walks) await advance(walk);
  while (heads.length > 0) {
    const newest = heads.reduce((best, each) => (each.placed.message.receivedAt > best.placed.message.receivedAt ? each : best));
    heads.splice(heads.indexOf(newest), 1);
    yield newest.placed;
    await advance(newest.walk);
  }
}
