import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from './make-folder.js';

const INSTEAD = 'choose another with --store';

let folder: string;

beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'sotto-folder-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a folder for what is kept', () => {
  it('is made with what is missing above it, for the user alone, and stays as it is when it is there', async () => {
    const inner = join(folder, 'a', 'b', 'c');
    await Promise.all([makeFolder(inner, INSTEAD), makeFolder(inner, INSTEAD)]);
    for (const each of [inner, join(folder, 'a')]) expect((await stat(each)).mode & 0o777).toBe(0o700);
    await writeFile(join(inner, 'store.db'), 'messages');
    await makeFolder(inner, INSTEAD);
    expect((await stat(join(inner, 'store.db'))).size).toBe(8);
  });

  it('is refused in words where a file stands, and where a link leads nowhere', async () => {
    const [file, link] = [join(folder, 'file'), join(folder, 'link')];
    await writeFile(file, '');
    await symlink(join(folder, 'nothing'), link);
    await expect(makeFolder(file, INSTEAD)).rejects.toThrow(`${file} is no folder: ${INSTEAD}`);
    await expect(makeFolder(join(file, 'store'), INSTEAD)).rejects.toThrow(`${file} is no folder: ${INSTEAD}`);
    await expect(makeFolder(link, INSTEAD)).rejects.toThrow(`the folder ${link} cannot be made (ENOENT): ${INSTEAD}`);
  });

  it('is not sought for ever where the system lets nothing be made', async () => {
    await expect(makeFolder('/proc/sotto/alice', INSTEAD)).rejects.toThrow(/\/proc/);
  });
});
