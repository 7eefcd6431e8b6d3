import { expect, it } from '@jest/globals';
import { ClientError } from '../client-error.js';
import { Connection, type ConnectionState } from './connection.js';
import type { Link } from './link.js';

/** A link as far as a Connection knows it. */
class Line {
  #onClosed: (error: ClientError) => void = () => undefined;

  listen({ onClosed }: { onClosed: (error: ClientError) => void }): void {
    this.#onClosed = onClosed;
  }

  close(error: ClientError): void {
    this.#onClosed(error);
  }
}

/** What is shown while a device that is connected connects anew (a pending one that was confirmed), and the server ends the old link meanwhile. */
async function shownWhileReplaced(newLine: Promise<Line>): Promise<ConnectionState['state'][]> {
  const shown: ConnectionState['state'][] = [];
  const connection = new Connection({
    open: () => newLine as unknown as Promise<Link>,
    attach: async () => undefined,
    onFrames: () => undefined,
    onState: ({ state }) => void shown.push(state),
  });
  const old = new Line();
  connection.adopt(old as unknown as Link);
  const connecting = connection.connect();
  old.close(new ClientError('offline', 'replaced by a newer connection'));
  await connecting;
  connection.close();
  return shown;
}

it('is not offline while a try is under way that replaces a link which ends', async () => {
  expect(await shownWhileReplaced(Promise.resolve(new Line()))).toEqual(['online', 'connecting', 'online', 'closed']);
});

it('is offline, once, when that try fails', async () => {
  const failing = Promise.reject(new ClientError('offline', 'nobody answers'));
  expect(await shownWhileReplaced(failing)).toEqual(['online', 'connecting', 'offline', 'closed']);
});
