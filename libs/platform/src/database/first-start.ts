import { access, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Stands beside a database that is being made. */
const UNFINISHED = 'unfinished';

/** Making a database takes a second or more, in which the process may be killed: what is half there is made anew, so it must be told from what is whole. */
export class FirstStart {
  private constructor(private readonly folder: string) {}

  /** Undefined when there is a whole database in `folder/name`; what is left of one that was not finished is removed. */
  static async of(folder: string, name: string): Promise<FirstStart | undefined> {
    const database = join(folder, name);
    if (await exists(join(folder, UNFINISHED))) await rm(database, { recursive: true, force: true });
    if (await exists(database)) return undefined;
    await writeFile(join(folder, UNFINISHED), '', { mode: 0o600, flush: true });
    await flush(folder);
    return new FirstStart(folder);
  }

  /** Before the first row of anybody: once this has resolved, no crash makes the database look unfinished again. */
  async finish(): Promise<void> {
    await rm(join(this.folder, UNFINISHED));
    await flush(this.folder);
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Makes names that were added to or removed from the folder outlive a power failure. */
async function flush(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
