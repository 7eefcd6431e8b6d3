import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { SmallDisk } from '@sotto/testing';

const MiB = 1024 * 1024;
const database = pathToFileURL(join(process.cwd(), 'libs/platform/dist/database/index.js')).href;
const disk = SmallDisk.make('120m');
const where = disk === undefined ? 'where a disk can be mounted (left out here)' : 'on a disk of its own';

/** In a process of its own: one that stands still can only be killed. */
const WRITE_UNTIL_REFUSED = `
  const { openDatabase, databaseErrorKind } = await import(${JSON.stringify(database)});
  const { client, close } = await openDatabase({ kind: 'pglite', folder: process.argv[1] });
  const name = (i) => String(i).padStart(32, '0');
  const account = (i) => ({ id: name(i), name: name(i), baseName: 'alice', passwordHash: '.'.repeat(900) });
  const add = (from) => client.account.createMany({ data: Array.from({ length: 50 }, (_, i) => account(from + i)) });
  const told = () => new Promise((resolve) => process.once('message', resolve));
  await add(0);
  process.send('open');
  await told();
  let [kept, refused] = [50, 'never'];
  try {
    for (; kept < 20_000; kept += 50) await add(kept);
  } catch (error) {
    refused = databaseErrorKind(error);
  }
  const removal = await client.$transaction([client.account.deleteMany({})]).then(() => 'done', databaseErrorKind);
  process.send({ refused, removal, isAllKept: (await client.account.count()) === kept });
  await told();
  await add(kept);
  process.send((await client.account.count()) - kept);
  await close();
  process.disconnect();
`;

(disk === undefined ? describe.skip : describe)(`a database in the process ${where}`, () => {
  afterAll(() => disk?.remove());

  it('refuses to write before its disk is full, can still be read, keeps what it took, and writes again when there is room', async () => {
    const writer = spawn(
      process.execPath,
      ['--liftoff-only', '--input-type=module', '-e', WRITE_UNTIL_REFUSED, join(disk!.folder, 'database')],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    const ended = once(writer, 'exit');
    const watchdog = setTimeout(() => writer.kill('SIGKILL'), 120_000);
    const hears = async (): Promise<unknown> =>
      (await Promise.race([once(writer, 'message'), ended.then(() => ['it stood still, or ended'])]))[0];

    expect(await hears()).toBe('open');
    // Enough for its rows, too little for another segment of its log.
    disk!.fill(12 * MiB);
    writer.send('full');
    expect(await hears()).toEqual({ refused: 'full', removal: 'full', isAllKept: true });
    disk!.makeRoom();
    writer.send('roomy');
    expect(await hears()).toBe(50);
    await ended;
    clearTimeout(watchdog);
  }, 150_000);
});
