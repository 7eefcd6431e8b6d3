import { type Stage, Untold } from './stage.js';

const MOST_WINDOW = 16;
/** Epochs. */
const KEPT_STATES = 16;
/** Less than the hour after which what nobody could read is sealed again. */
const READ_MS = 1_200_000;
/** Less than what is never answered would hold up. */
const SOON_MS = 300_000;

/** A device is put back behind a message that it has sent, meets one who has not seen it, and seals another with the same key. */
export async function forgottenMessage(stage: Stage): Promise<void> {
  const { writer, first, second } = stage.cast('writer', 'first', 'second');
  const group = await stage.found(writer, [first, second]);
  const copy = writer.copy();
  stage.keepApart(writer, first);
  const forgotten = await stage.write(writer, group);
  await stage.until(() => stage.wasShown(first, forgotten));
  stage.keepApart(writer, second);
  writer.putBack(copy);
  stage.crashRelay();
  await writer.recover();
  await stage.until(() => stage.core(writer, group).hold === undefined);
  const written = await stage.write(writer, group);
  await stage.until(() => stage.wasShown(second, written));
}

/** A message is written on a branch that loses, whose commit its author can't give to others any more. */
export async function losingMessage(stage: Stage): Promise<void> {
  const { founder, writer, other } = stage.cast('founder', 'writer', 'other');
  const group = await stage.found(founder, [writer, other]);
  stage.keepApart(founder, writer);
  await stage.commit(founder, group);
  await stage.until(() => stage.agree(group, [founder, writer]));
  const message = await stage.write(writer, group);
  founder.die();
  stage.crashRelay();
  await stage.commit(other, group, 2);
  stage.letTogether();
  await stage.expect(() => stage.wasShown(other, message), `${other.name} has read ${writer.name}`, READ_MS);
}

/** More messages than are delivered at a time come before the commit that they need, whose author is gone: another has to get through with it. */
export async function unreadableFlood(stage: Stage): Promise<void> {
  const { deliveryWindow } = stage.simulation.settings;
  if (deliveryWindow > MOST_WINDOW) throw new Untold('the window is too large to be filled');
  const { founder, writer, reader } = stage.cast('founder', 'writer', 'reader');
  const group = await stage.found(founder, [writer, reader]);
  stage.keepApart(reader);
  await stage.commit(founder, group);
  await stage.until(() => stage.agree(group, [founder, writer]));
  founder.die();
  stage.crashRelay();
  for (let i = 0; i < 3 * deliveryWindow; i++) await stage.write(writer, group);
  stage.letTogether();
  await stage.expect(() => stage.agree(group, [writer, reader]), `${reader.name} follows ${writer.name}`, SOON_MS);
}

/** A device is away for more commits than states are kept. It catches up by the leaf that it had, as bytes are kept longer. */
export async function longAway(stage: Stage): Promise<void> {
  const { founder, writer, reader } = stage.cast('founder', 'writer', 'reader');
  const group = await stage.found(founder, [writer, reader]);
  const { ownLeaf } = stage.core(reader, group);
  stage.keepApart(reader);
  await stage.commit(founder, group, KEPT_STATES);
  await stage.commit(writer, group);
  const message = await stage.write(writer, group);
  stage.letTogether();
  const isBack = () => stage.agree(group, [founder, writer, reader]) && stage.wasShown(reader, message);
  await stage.expect(() => isBack() && stage.core(reader, group).ownLeaf?.id === ownLeaf?.id, `${reader.name} is back`, SOON_MS);
}
