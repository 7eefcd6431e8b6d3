import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeSync, openSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own in memory, for tests of full disks. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  /** @param size as `mount` takes it: "160m". Undefined where this process may mount none. */
  static make(size: string): SmallDisk | undefined {
    const folder = mkdtempSync(join(tmpdir(), 'sotto-disk-'));
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]).status === 0) return new SmallDisk(folder);
    rmSync(folder, { recursive: true });
    return undefined;
  }

  /** Leaves so many bytes of room. */
  fill(leaving: number): void {
    const { bavail, bsize } = statfsSync(this.folder);
    const file = openSync(join(this.folder, 'filling'), 'w');
    const block = Buffer.alloc(1024 * 1024);
    for (let left = bavail * bsize - leaving; left > 0; left -= block.length) writeSync(file, block, 0, Math.min(left, block.length));
    closeSync(file);
  }

  makeRoom(): void {
    rmSync(join(this.folder, 'filling'));
  }

  /** Also while files on it are open. */
  remove(): void {
    spawnSync('umount', ['-l', this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
